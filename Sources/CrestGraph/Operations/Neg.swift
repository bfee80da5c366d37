/// -x (ONNX `Neg`, opset 13).
public struct Neg: ElementwiseOperation {
  /// `Neg`.
  public static let name = "Neg"
  /// -x.
  public var function: ElementwiseFunction { .negate }

  /// The operation.
  public init() {}

  /// -dy.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try -context.outputGradient]
  }
}

extension Symbol {
  /// Returns -x (ONNX `Neg`).
  public static prefix func - (value: Symbol) throws -> Symbol { try value.applying(Neg()) }
}
