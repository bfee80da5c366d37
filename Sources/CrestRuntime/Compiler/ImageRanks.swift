import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with sequences, volumes and pixel-wise losses seen as what kernels know.
  ///
  /// Kernels convolve and pool images, normalise images and matrices, and take cross-entropy over
  /// rows. A sequence is an image one element high; of a volume there is an image for each depth, see
  /// ``VolumeOperation``; for a normalisation any spatial axes are one; classes of pixels are moved to the
  /// end. Views cost nothing; only that move, and volumes', copy.
  ///
  /// - Returns: An equal graph.
  /// - Throws: ``GraphError`` when a view doesn't fit, which a fault of the pass alone can cause.
  func withImageRanks() throws -> Graph {
    try rewritten { _, node, inputs in
      switch node.operation {
      case let operation as any WindowOperation where inputs[0].shape.rank == 3:
        return try Self.throughViews(
          operation.asImage, node, inputs, views: inputs.map { $0.shape.rank == 3 }
        ) { $0.asImage }
      case let operation as any VolumeOperation
      where inputs[0].shape.rank > 4 && operation.isTakenApart(inputs):
        return [try operation.overImages(inputs)]
      case is any ChannelOperation where ![2, 4].contains(inputs[0].shape.rank):
        let rank = inputs[0].shape.rank
        return try Self.throughViews(
          node.operation, node, inputs, views: inputs.map { $0.shape.rank == rank }
        ) { $0.spatialAxesJoined }
      case let operation as any ClassOperation where inputs[0].shape.rank > 2:
        return try Self.overRows(node, inputs, besides: operation.classInputs)
      default: return nil
      }
    }
  }

  /// Applies `operation` to views of the inputs, and gives outputs their own shapes back.
  private static func throughViews(
    _ operation: any GraphOperation, _ node: Node, _ inputs: [Symbol], views: [Bool],
    _ view: (Shape) -> Shape
  ) throws -> [Symbol] {
    let types = try node.operation.outputTypes(for: inputs.map(\.type))
    let seen = try zip(inputs, views).map { input, isSeen in
      try isSeen ? input.reshaped(exactlyTo: view(input.shape)) : input
    }
    let outputs = try inputs[0].builder.apply(operation, seen)
    return try zip(outputs, types).map { try $0.reshaped(exactlyTo: $1.shape) }
  }

  /// Applies a cross-entropy to logits [N, C, d…] as rows of classes.
  private static func overRows(
    _ node: Node, _ inputs: [Symbol], besides classInputs: Set<Int>
  ) throws -> [Symbol] {
    let shape = inputs[0].shape
    let rows = Shape([shape.elementCount / max(shape[1], 1), shape[1]])
    guard shape[1] > 0 else { return try inputs[0].builder.apply(node.operation, inputs) }
    let last = [0] + Array(2..<shape.rank) + [1]
    let first = [0, shape.rank - 1] + Array(1..<shape.rank - 1)
    let seen = try inputs.enumerated().map { place, input in
      if classInputs.contains(place) { return input }
      return try input.shape.rank == shape.rank
        ? input.transposed(last).reshaped(exactlyTo: rows)
        : input.reshaped(exactlyTo: [rows[0]])
    }
    let output = try inputs[0].builder.apply(node.operation, seen)[0]
    guard output.shape.rank == 2 else {
      return [try output.reshaped(exactlyTo: Shape([shape[0]] + shape.dropFirst(2)))]
    }
    let pixels = Shape([shape[0]] + shape.dropFirst(2) + [shape[1]])
    return [try output.reshaped(exactlyTo: pixels).transposed(first)]
  }
}

extension Shape {
  /// [N, C, d…] with one spatial axis besides a height of 1; [N, C] as it is.
  fileprivate var spatialAxesJoined: Shape {
    rank < 2 ? self : Shape([self[0], self[1], 1, dimensions.dropFirst(2).reduce(1, *)])
  }
}
