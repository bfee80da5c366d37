/// 1 / x (ONNX `Reciprocal`, opset 13).
public struct Reciprocal: ElementwiseOperation {
  /// `Reciprocal`.
  public static let name = "Reciprocal"
  /// 1 / x.
  public var function: ElementwiseFunction { .reciprocal }

  /// The operation.
  public init() {}

  /// -dy · y².
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try -(context.outputGradient * context.outputs[0] * context.outputs[0])]
  }
}

extension Symbol {
  /// Returns 1 / x (ONNX `Reciprocal`).
  public func reciprocal() throws -> Symbol { try applying(Reciprocal()) }
}
