import CrestTensor

/// The mean over all spatial axes, [N, C, spatial…] to [N, C, 1…] (ONNX `GlobalAveragePool`, opset
/// 1).
package struct GlobalAveragePool: BoundedOperation {

  /// The operation.
  package init() {}

  /// [N, C, 1…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0])
    let shape = inputs[0].shape
    guard shape.rank >= 3 else {
      throw OperationError(expected: "an input [N, C, spatial…]", got: "\(shape)")
    }
    let sizes = shape.dimensions.prefix(2) + [Int](repeating: 1, count: shape.rank - 2)
    return [ValueType(Shape(Array(sizes)), inputs[0].elementType)]
  }

  package var outputNumbers: OutputNumbers { .within }

  package var keepsScale: Bool { true }

  /// Each example independently, unless they lie along a spatial axis.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.flow(
      of: self, along: Array(2..<context.inputs[0].rank), "averages over the examples")
  }

  /// The mean of each channel of each example; NaN of nothing.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let axes = Array(2..<inputs[0].shape.rank)
    return Reduce(.mean, axes: axes, keepsDimensions: true).evaluate(inputs, random: random)
  }

  /// dy over the number of elements, repeated over the spatial axes.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let shape = context.inputs[0].shape
    let count = shape.dimensions.dropFirst(2).reduce(1, *)
    return [try (context.outputGradient / Double(count)).expanded(to: shape)]
  }
}

extension Symbol {
  /// Returns the mean over all spatial axes, which stay with size 1 (ONNX `GlobalAveragePool`).
  ///
  /// - Throws: ``GraphError`` when there is no spatial axis.
  public func globalAveragePool() throws -> Symbol { try applying(GlobalAveragePool()) }
}
