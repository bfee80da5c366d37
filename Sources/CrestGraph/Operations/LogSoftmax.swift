import CrestPlatform
import CrestTensor

/// The logarithm of the softmax along an axis (ONNX `LogSoftmax`, opset 13).
///
///     y = x - max - log Σ e^(x - max)
package struct LogSoftmax: GraphOperation {
  /// The axis whose elements' exponentials sum to 1, not negative.
  package let axis: Int

  /// A log-softmax along `axis`, which is not negative.
  package init(axis: Int) { self.axis = axis }

  /// The input's type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    return [try OperationError.checkAxis(axis, of: inputs[0])]
  }

  package func valueRange(
    _ inputs: [ClosedRange<Double>], _ types: [ValueType]
  ) -> ClosedRange<Double> { -Double.infinity...0 }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .elements
  }

  /// Each example by itself, unless the axis counts them.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try context.flow(of: self, along: [axis], "normalises over the examples")
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [inputs[0].mappingLines(along: axis, logSoftmax)]
  }

  /// `LogSoftmaxGradient`.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputs[0].applying(LogSoftmaxGradient(axis: axis), context.outputGradient)]
  }
}

/// dy - eʸ · Σ dy: the gradient of `LogSoftmax` from (y, dy) (ours).
package struct LogSoftmaxGradient: GraphOperation {
  /// The axis whose elements' exponentials sum to 1, not negative.
  package let axis: Int

  /// The gradient of a log-softmax along `axis`.
  package init(axis: Int) { self.axis = axis }

  /// The type of y.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.checkOutputAndGradient(inputs, axis: axis)
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .elements
  }

  /// Not followed: it belongs to a step of training.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    throw RowMixing.ofTraining
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [
      inputs[0].mappingLines(along: axis, with: inputs[1]) { y, dy in
        let sum = dy.reduce(0, +)
        return zip(y, dy).map { $1 - exp($0) * sum }
      }
    ]
  }
}

extension Symbol {
  /// Returns the log-softmax along `axis` (ONNX `LogSoftmax`); a negative axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range.
  public func logSoftmax(axis: Int = -1) throws -> Symbol {
    try applying(LogSoftmax(axis: resolvedAxis(axis, "LogSoftmax")))
  }
}
