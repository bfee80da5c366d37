/// √x (ONNX `Sqrt`, opset 13): NaN below 0.
public struct Sqrt: ElementwiseOperation {
  /// `Sqrt`.
  public static let name = "Sqrt"
  /// √x.
  public var function: ElementwiseFunction { .squareRoot }

  /// The operation.
  public init() {}

  /// dy / 2y.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient / (context.outputs[0] * 2)]
  }
}

extension Symbol {
  /// Returns √x (ONNX `Sqrt`).
  public func squareRoot() throws -> Symbol { try applying(Sqrt()) }
}
