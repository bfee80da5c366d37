/// The natural logarithm (ONNX `Log`, opset 13): -∞ at 0, NaN below.
public struct Log: ElementwiseOperation {
  /// `Log`.
  public static let name = "Log"
  /// log x.
  public var function: ElementwiseFunction { .logarithm }

  /// The operation.
  public init() {}

  /// dy / x.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient / context.inputs[0]]
  }
}

extension Symbol {
  /// Returns the natural logarithm (ONNX `Log`).
  public func log() throws -> Symbol { try applying(Log()) }
}
