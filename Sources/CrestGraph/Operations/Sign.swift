/// -1, 0 or 1 by the sign of x (ONNX `Sign`, opset 13; NaN stays NaN).
public struct Sign: ElementwiseOperation {
  /// `Sign`.
  public static let name = "Sign"
  /// -1, 0 or 1.
  public var function: ElementwiseFunction { .sign }

  /// The operation.
  public init() {}

  /// Zero: the sign is constant wherever it has a derivative.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [nil]
  }
}

extension Symbol {
  /// Returns -1, 0 or 1 by the sign of x (ONNX `Sign`).
  public func sign() throws -> Symbol { try applying(Sign()) }
}
