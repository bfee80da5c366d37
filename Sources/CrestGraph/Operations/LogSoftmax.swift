import CrestTensor

// C's mathematics, not Foundation's: the engine's targets stay free of Foundation.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The logarithm of the softmax along an axis (ONNX `LogSoftmax`, opset 13).
///
///     y = x - max - log Σ e^(x - max)
public struct LogSoftmax: Operation {
  /// `LogSoftmax`.
  public static let name = "LogSoftmax"
  /// The axis whose elements' exponentials sum to 1, not negative.
  public let axis: Int

  /// A log-softmax along `axis`, which is not negative.
  public init(axis: Int) { self.axis = axis }

  /// The input's type.
  public func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    return [try OperationError.checkAxis(axis, of: inputs[0])]
  }

  /// Each example by itself, unless the axis counts them.
  public func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try context.flow(of: self, along: [axis], "normalises over the examples")
  }

  /// The formula as it stands.
  public func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [inputs[0].mappingLines(along: axis, logSoftmax)]
  }

  /// ``LogSoftmaxGradient``.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputs[0].applying(LogSoftmaxGradient(axis: axis), context.outputGradient)]
  }
}

/// dy - eʸ · Σ dy: the gradient of ``LogSoftmax`` from (y, dy) (ours).
public struct LogSoftmaxGradient: Operation {
  /// `LogSoftmaxGradient`.
  public static let name = "LogSoftmaxGradient"
  /// The axis whose elements' exponentials sum to 1, not negative.
  public let axis: Int

  /// The gradient of a log-softmax along `axis`.
  public init(axis: Int) { self.axis = axis }

  /// The type of y.
  public func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.checkOutputAndGradient(inputs, axis: axis)
  }

  /// Not followed: it belongs to a step of training.
  public func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    throw RowMixing.ofTraining
  }

  /// The formula as it stands.
  public func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
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
    try applying(LogSoftmax(axis: resolvedAxis(axis, LogSoftmax.name)))
  }
}
