/// 1 / (1 + e⁻ˣ) (ONNX `Sigmoid`, opset 13).
public struct Sigmoid: ElementwiseOperation {
  /// `Sigmoid`.
  public static let name = "Sigmoid"
  /// 1 / (1 + e⁻ˣ).
  public var function: ElementwiseFunction { .sigmoid }

  /// The operation.
  public init() {}

  /// dy · y · (1 - y).
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient * context.outputs[0] * (1 - context.outputs[0])]
  }
}

extension Symbol {
  /// Returns 1 / (1 + e⁻ˣ) (ONNX `Sigmoid`).
  public func sigmoid() throws -> Symbol { try applying(Sigmoid()) }
}
