/// eˣ (ONNX `Exp`, opset 13).
public struct Exp: ElementwiseOperation {
  /// `Exp`.
  public static let name = "Exp"
  /// eˣ.
  public var function: ElementwiseFunction { .exponential }

  /// The operation.
  public init() {}

  /// dy · y.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient * context.outputs[0]]
  }
}

extension Symbol {
  /// Returns eˣ (ONNX `Exp`).
  public func exp() throws -> Symbol { try applying(Exp()) }
}
