import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with sequences, volumes and pixel-wise losses seen as what kernels know.
  ///
  /// Kernels convolve and pool images, normalise images and matrices, and take cross-entropy over
  /// rows. A sequence is an image one element high; for a normalisation any spatial axes are one;
  /// classes of pixels are moved to the end. Views cost nothing; only that move copies.
  ///
  /// - Returns: An equal graph.
  /// - Throws: ``GraphError`` when a view doesn't fit, which a fault of the pass alone can cause.
  func withImageRanks() throws -> Graph {
    try rewritten { _, node, inputs in
      switch node.operation {
      case let operation as any SpatialOperation where inputs[0].shape.rank == 3:
        return try Self.throughViews(
          operation.asImage, node, inputs, views: inputs.map { $0.shape.rank == 3 }
        ) { $0.inserting(1, at: 2) }
      case is any ChannelOperation where ![2, 4].contains(inputs[0].shape.rank):
        let rank = inputs[0].shape.rank
        return try Self.throughViews(
          node.operation, node, inputs, views: inputs.map { $0.shape.rank == rank }
        ) { $0.spatialAxesJoined }
      case is any ClassOperation where inputs[0].shape.rank > 2:
        return try Self.overRows(node, inputs)
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
  private static func overRows(_ node: Node, _ inputs: [Symbol]) throws -> [Symbol] {
    let shape = inputs[0].shape
    let rows = Shape([shape.elementCount / max(shape[1], 1), shape[1]])
    guard shape[1] > 0 else { return try inputs[0].builder.apply(node.operation, inputs) }
    let last = [0] + Array(2..<shape.rank) + [1]
    let first = [0, shape.rank - 1] + Array(1..<shape.rank - 1)
    let seen = try inputs.map { input in
      try input.shape.rank == shape.rank
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

/// An operation whose window moves over spatial axes.
private protocol SpatialOperation: GraphOperation {
  /// The same over images one element high, of an operation over sequences.
  var asImage: any GraphOperation { get }
}

/// An operation for which all spatial axes are one.
private protocol ChannelOperation: GraphOperation {}

extension BatchNormTraining: ChannelOperation {}
extension BatchNormTrainingGradient: ChannelOperation {}
extension BatchNormInference: ChannelOperation {}

/// An operation over rows of classes.
private protocol ClassOperation: GraphOperation {}

extension CrossEntropyLabels: ClassOperation {}
extension CrossEntropyLabelsGradient: ClassOperation {}
extension CrossEntropyProbabilities: ClassOperation {}
extension CrossEntropyProbabilitiesGradient: ClassOperation {}

extension Shape {
  fileprivate func inserting(_ size: Int, at axis: Int) -> Shape {
    Shape(dimensions.prefix(axis) + [size] + dimensions.dropFirst(axis))
  }

  /// [N, C, d…] with one spatial axis besides a height of 1; [N, C] as it is.
  fileprivate var spatialAxesJoined: Shape {
    rank < 2 ? self : Shape([self[0], self[1], 1, dimensions.dropFirst(2).reduce(1, *)])
  }
}

extension ConvAttributes {
  fileprivate var asImage: ConvAttributes {
    ConvAttributes(
      strides: [1] + strides, dilations: [1] + dilations, padsBefore: [0] + padsBefore,
      padsAfter: [0] + padsAfter, groups: groups)
  }
}

extension PoolAttributes {
  fileprivate var asImage: PoolAttributes {
    PoolAttributes(
      kernel: [1] + kernel, strides: [1] + strides, dilations: [1] + dilations,
      padsBefore: [0] + padsBefore, padsAfter: [0] + padsAfter, ceilMode: ceilMode,
      countsPadding: countsPadding)
  }
}

extension Conv: SpatialOperation {
  fileprivate var asImage: any GraphOperation { Conv(attributes.asImage) }
}
extension ConvInputGradient: SpatialOperation {
  fileprivate var asImage: any GraphOperation {
    ConvInputGradient(attributes.asImage, inputShape: inputShape.inserting(1, at: 2))
  }
}
extension ConvFilterGradient: SpatialOperation {
  fileprivate var asImage: any GraphOperation {
    ConvFilterGradient(attributes.asImage, filterShape: filterShape.inserting(1, at: 2))
  }
}
extension MaxPool: SpatialOperation {
  fileprivate var asImage: any GraphOperation { MaxPool(attributes.asImage) }
}
extension MaxPoolGradient: SpatialOperation {
  fileprivate var asImage: any GraphOperation { MaxPoolGradient(attributes.asImage) }
}
extension AveragePool: SpatialOperation {
  fileprivate var asImage: any GraphOperation { AveragePool(attributes.asImage) }
}
extension AveragePoolGradient: SpatialOperation {
  fileprivate var asImage: any GraphOperation {
    AveragePoolGradient(attributes.asImage, inputShape: inputShape.inserting(1, at: 2))
  }
}
