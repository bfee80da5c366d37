import CrestGraph
import CrestTensor

extension OperationCase {
  /// Operations that move elements without computing.
  static let movement: [OperationCase] = shapes + joins + casts + random

  private static let shapes: [OperationCase] =
    [
      OperationCase(Reshape([3, -1]), "inferred size", [CaseInput([2, 3, 4])]),
      OperationCase(Reshape([0, 12]), "copied size", [CaseInput([2, 3, 4])]),
      OperationCase(
        Reshape([3, 0], allowsZero: true), "empty", [CaseInput([0, 2])]),
      OperationCase(Expand([2, 3, 4]), "leading and inner", [CaseInput([3, 1])]),
      OperationCase(Expand([3, 2]), "scalar", [CaseInput([])]),
      OperationCase(Transpose([1, 0]), "matrix", [CaseInput([3, 5])]),
      OperationCase(Transpose([0, 2, 3, 1]), "to channels last", [CaseInput([2, 3, 4, 5])]),
      OperationCase(Transpose([2, 0, 1]), "rotation", [CaseInput([2, 3, 4])]),
      OperationCase(Flatten(axis: 1), "images", [CaseInput([2, 3, 2, 2])]),
      OperationCase(Flatten(axis: 0), "row", [CaseInput([2, 3])]),
      OperationCase(Flatten(axis: -1), "negative axis", [CaseInput([2, 3, 4])]),
      OperationCase(Flatten(axis: 1), "empty", [CaseInput([0, 3, 2])]),
      OperationCase(Squeeze(axes: [0, 2]), "two axes", [CaseInput([1, 3, 1, 2])]),
      OperationCase(Squeeze(axes: []), "none", [CaseInput([1, 3])]),
      OperationCase(Unsqueeze(axes: [3, 0]), "unsorted", [CaseInput([2, 3])]),
      OperationCase(Unsqueeze(axes: [-1, 1]), "from the end", [CaseInput([2, 3])]),
      OperationCase(Unsqueeze(axes: [0]), "scalar", [CaseInput([])]),
      OperationCase(Split(axis: 1, sizes: [2, 3, 1]), "three", [CaseInput([2, 6, 2])]),
      OperationCase(Split(axis: 0, sizes: [0, 3]), "one empty", [CaseInput([3, 2])]),
      OperationCase(
        Split(axis: 1, sizes: [2, 2]), "one unused", [CaseInput([3, 4])],
        differentiation: .outputs([1])),
      OperationCase(
        Split(axis: 0, sizes: [1, 2]), "integers", [CaseInput([3, 2], .whole(-9...9, .int64))]),
      OperationCase(Tile([2, 3]), "matrix", [CaseInput([3, 2])]),
      OperationCase(Tile([1, 2, 1]), "one axis", [CaseInput([2, 3, 2])]),
      OperationCase(Tile([]), "scalar", [CaseInput([])]),
      OperationCase(Tile([2, 0]), "no times", [CaseInput([2, 3])]),
    ]

  private static let joins: [OperationCase] =
    [
      OperationCase(
        Concat(axis: 1), "channels", [CaseInput([2, 3, 2]), CaseInput([2, 1, 2])]),
      OperationCase(
        Concat(axis: 0), "three, one empty",
        [CaseInput([2, 3]), CaseInput([0, 3]), CaseInput([1, 3])]),
      OperationCase(Concat(axis: 2), "one", [CaseInput([2, 1, 3])]),
      OperationCase(
        Pad(before: [0, 0, 1, 2], after: [0, 0, 3, 0], value: 0), "spatial",
        [CaseInput([2, 2, 3, 3])]),
      OperationCase(Pad(before: [1], after: [2], value: -1.5), "vector", [CaseInput([4])]),
      OperationCase(
        Pad(before: [-1, 2], after: [1, -2], value: 0.5), "negative", [CaseInput([3, 4])]),
    ]
    + slices.flatMap { variant, shape, slice in
      let output = shape.sliced(by: slice)
      return [
        OperationCase(slice, variant, [CaseInput(shape)]),
        OperationCase(SliceGradient(slice, inputShape: shape), variant, [CaseInput(output)]),
      ]
    }

  private static let slices: [(String, Shape, Slice)] = [
    ("rows", [5, 3], Slice(starts: [1], ends: [4], axes: [0], steps: [1])),
    ("both axes", [5, 4], Slice(starts: [1, 0], ends: [5, 3], axes: [0, 1], steps: [2, 2])),
    ("from the end", [7], Slice(starts: [-4], ends: [-1], axes: [0], steps: [1])),
    ("clamped", [2, 7], Slice(starts: [-100], ends: [100], axes: [1], steps: [3])),
    ("backwards", [7, 2], Slice(starts: [-1], ends: [.min], axes: [0], steps: [-2])),
    ("nothing", [4], Slice(starts: [3], ends: [1], axes: [0], steps: [1])),
  ]

  private static let casts: [OperationCase] = [
    OperationCase(Cast(to: .float32), "to float32", [CaseInput([9])]),
    OperationCase(
      Cast(to: .int32), "to integers", [CaseInput([9], .uniform(-9...9))],
      differentiation: .outputs([])),
    OperationCase(
      Cast(to: .uint8), "saturating", [CaseInput([9], .uniform(-400...400))],
      differentiation: .outputs([])),
    OperationCase(
      Cast(to: .bool), "to booleans", [CaseInput([9], .mask)], differentiation: .outputs([])),
    OperationCase(
      Cast(to: .float32), "from integers", [CaseInput([9], .whole(-9...9, .int64))]),
    OperationCase(
      Cast(to: .int8), "wrapping", [CaseInput([9], .whole(-900...900, .int32))]),
  ]

  private static let random: [OperationCase] = [
    ("vector", 0.5, [67]), ("images", 0.1, [2, 3, 4, 4]), ("rate 0", 0, [9]),
    ("empty", 0.3, [0, 4]),
  ].flatMap { variant, rate, shape in
    let dropout = Dropout(rate: rate, stream: Philox.Stream.dropout + 2)
    let input = CaseInput(Shape(shape))
    return [
      OperationCase(dropout, variant, [input], tolerance: 1e-6, mode: .training),
      OperationCase(DropoutMask(dropout), variant, [input], mode: .training),
      OperationCase(
        SharedDropout(dropout, axes: Array(shape.indices.dropFirst())), variant, [input],
        tolerance: 1e-6, mode: .training),
      OperationCase(
        RandomNormalLike(stream: Philox.Stream.dropout + 3), variant, [input],
        differentiation: .outputs([]), mode: .training),
    ]
  }
}

extension Shape {
  /// The shape of a part.
  fileprivate func sliced(by slice: Slice) -> Shape {
    do {
      return try slice.outputTypes(for: [ValueType(self)])[0].shape
    } catch {
      preconditionFailure("\(self) can't be cut by \(slice): \(error)")
    }
  }
}
