/// The hyperbolic tangent (ONNX `Tanh`, opset 13).
public struct Tanh: ElementwiseOperation {
  /// `Tanh`.
  public static let name = "Tanh"
  /// tanh x.
  public var function: ElementwiseFunction { .tanh }

  /// The operation.
  public init() {}

  /// dy · (1 - y²).
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient * (1 - context.outputs[0] * context.outputs[0])]
  }
}

extension Symbol {
  /// Returns the hyperbolic tangent (ONNX `Tanh`).
  public func tanh() throws -> Symbol { try applying(Tanh()) }
}
