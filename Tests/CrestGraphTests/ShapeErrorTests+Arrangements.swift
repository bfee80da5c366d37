import CrestGraph
import CrestTensor

/// The refusals of what takes, puts and weighs elements by their place.
extension ShapeErrorTests {
  static let arrangements: [Failure] = [
    Failure(
      "GatherND: expected int64 indices […, k] for the first k axes of [3, 4], got int64 [2, 3]"
    ) {
      _ = try value($0, [3, 4]).gatheredParts(value($0, [2, 3], .int64))
    },
    Failure(
      "GatherND: expected int64 indices […, k] for the first k axes of [3, 4], got int32 [2, 1]"
    ) {
      _ = try value($0, [3, 4]).gatheredParts(value($0, [2, 1], .int32))
    },
    Failure(
      "GatherND: expected elements to select from along the first 1 axes, got none in [0, "
        + "4]"
    ) {
      _ = try value($0, [0, 4]).gatheredParts(value($0, [2, 1], .int64))
    },
    Failure("GatherND: expected 1 axes that [3, 4] shares with the indices, got [2, 1]") {
      _ = try value($0, [3, 4]).gatheredParts(value($0, [2, 1], .int64), batchDimensions: 1)
    },
    Failure("ScatterND: expected updates [2, 4], got [2, 3]") {
      _ = try value($0, [3, 4]).scatteringParts(value($0, [2, 3]), at: value($0, [2, 1], .int64))
    },
    Failure(
      "ScatterND: expected inputs of one element type, got float32 [3, 4], int64 [2, 4]; cast them "
        + "first"
    ) {
      _ = try value($0, [3, 4]).scatteringParts(
        value($0, [2, 4], .int64), at: value($0, [2, 1], .int64))
    },
    Failure("ScatterND: expected a float or integer input, got bool [3]; cast it first") {
      _ = try value($0, [3], .bool).scatteringParts(
        value($0, [2], .bool), at: value($0, [2, 1], .int64), reduction: .add)
    },
    Failure("ScatterElements: expected updates of the indices' shape [2, 1], got [1, 2]") {
      _ = try value($0, [3, 4]).scatteringElements(
        value($0, [1, 2]), at: value($0, [2, 1], .int64))
    },
    Failure("ScatterElements: expected indices in -3..<3, got 3") {
      _ = try value($0, [3]).scatteringElements(
        value($0, [1]), at: $0.constant(Tensor([3] as [Int64])))
    },
    Failure(
      "ScatterElements: expected the reduction none or add, got mul, which has no gradient; "
        + "don't let the loss depend on parameters through it"
    ) { builder in
      let x = value(builder, [3])
      let y = try x.scatteringElements(x, at: value(builder, [3], .int64), reduction: .mul)
      _ = try builder.gradients(of: y.sum(), withRespectTo: [x])
    },
    Failure("TopKIndices: expected a count in 0...4, got 5") {
      _ = try value($0, [3, 4]).topK(5)
    },
    Failure("TopKIndices: expected an axis of [3, 4], got 2") {
      _ = try value($0, [3, 4]).topK(1, axis: 2)
    },
    Failure("Sin: expected a float input, got int64 [2]; cast it first") {
      _ = try value($0, [2], .int64).sin()
    },
    Failure("Floor: expected a float input, got int64 [2]; cast it first") {
      _ = try value($0, [2], .int64).floor()
    },
    Failure("IsInf: expected a float input, got int64 [2]") {
      _ = try value($0, [2], .int64).isInfinite()
    },
    Failure("ReduceProd: expected a float or integer input, got bool [2]; cast it first") {
      _ = try value($0, [2], .bool).product()
    },
    Failure("Gemm: expected whole α and β for int64, got 0.5 and 1.0") {
      _ = try value($0, [2, 2], .int64).gemm(value($0, [2, 2], .int64), alpha: 0.5)
    },
    Failure("EyeLike: expected a matrix, got float32 [2]") {
      _ = try value($0, [2]).identityLike()
    },
    Failure(
      "DepthToSpace: expected an image [N, C · block², H, W] and a block above 0, got [1, 6, 2, 2] "
        + "and block 2"
    ) { _ = try value($0, [1, 6, 2, 2]).depthToSpace(block: 2) },
    Failure(
      "SpaceToDepth: expected an image [N, C, H · block, W · block] and a block above 0, got "
        + "[1, 1, 2, 3] and block 2"
    ) { _ = try value($0, [1, 1, 2, 3]).spaceToDepth(block: 2) },
    Failure(
      "LRN: expected a float input [N, C, spatial…] and a size in 1..<16777216, got float32 [2, 3] "
        + "and size 3"
    ) { _ = try value($0, [2, 3]).locallyNormalized(size: 3) },
    Failure(
      "Resize: expected axes of [2, 3] that have elements, and sizes of at most 1048576, got size "
        + "4 along axis 2"
    ) { _ = try resized($0, axis: 2) },
    Failure(
      "Resize: expected axes of [2, 3] that have elements, and sizes of at most 1048576, got size "
        + "16777217 along axis 0"
    ) { _ = try resized($0, size: 1 << 24 + 1) },
    Failure("Resize: expected finite scales of at least 0.0001, got 0.0") {
      _ = try resized($0, scale: 0)
    },
    Failure("Resize: expected a finite region, got (start: nan, end: 1.0)") {
      _ = try resized($0, start: .nan)
    },
    Failure(
      "Resize: expected a region whose positions are finite, got (start: -1e+308, end: 1e+308)"
    ) {
      var axis = Symbol.ResizeAttributes.Axis(axis: 0, size: 4, scale: 2)
      axis.region = (-1e308, 1e308)
      _ = try value($0, [2, 3], .float32).resized(
        [axis], Symbol.ResizeAttributes(mode: .linear, coordinates: .cropAndResize))
    },
    Failure("Resize: expected mode nearest for a value that isn't a float, got int64 [2, 3]") {
      _ = try resized($0, type: .int64)
    },
    Failure(
      "GridSample: expected a float image [N, C, H, W] with elements and a grid [N, H', W', 2] of "
        + "its type, got float32 [1, 1, 2, 2] and float32 [1, 2, 2, 3]"
    ) { _ = try value($0, [1, 1, 2, 2]).sampled(at: value($0, [1, 2, 2, 3])) },
    Failure("MaxUnpool: expected places int64 [2], got int64 [3]") {
      _ = try value($0, [2]).unpooled(at: value($0, [3], .int64), to: [4])
    },
    Failure("Einsum: expected an equation for 1 inputs, got \"i,j->ij\"") {
      _ = try $0.einsum("i,j->ij", [value($0, [2])])
    },
    Failure("Einsum: expected letters, and ... at most once in each term, got \"i.\"") {
      _ = try $0.einsum("i.->i", [value($0, [2])])
    },
    Failure("Einsum: expected letters for the axes of [2, 3], got \"i\"") {
      _ = try $0.einsum("i->i", [value($0, [2, 3])])
    },
    Failure("Einsum: expected an output of different letters of the inputs, got \"ik\"") {
      _ = try $0.einsum("ij->ik", [value($0, [2, 3])])
    },
    Failure("Einsum: expected equal sizes of an axis, got [2, 3] and [4, 2]") {
      _ = try $0.einsum("ij,jk->ik", [value($0, [2, 3]), value($0, [4, 2])])
    },
    Failure("Einsum: expected equal sizes of an axis, got [2, 3]") {
      _ = try $0.einsum("ii->i", [value($0, [2, 3])])
    },
  ]

  private static func resized(
    _ builder: GraphBuilder, axis: Int = 0, size: Int = 4, scale: Double = 2, start: Double = 0,
    type: ElementType = .float32
  ) throws -> Symbol {
    var axis = Symbol.ResizeAttributes.Axis(axis: axis, size: size, scale: scale)
    axis.region.start = start
    return try value(builder, [2, 3], type).resized([axis], Symbol.ResizeAttributes(mode: .linear))
  }
}
