/// log(1 + eˣ), without overflow (ONNX `Softplus`, opset 1).
public struct Softplus: ElementwiseOperation {
  /// `Softplus`.
  public static let name = "Softplus"
  /// log(1 + eˣ).
  public var function: ElementwiseFunction { .softplus }

  /// The operation.
  public init() {}

  /// dy · sigmoid x.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient * context.inputs[0].sigmoid()]
  }
}

extension Symbol {
  /// Returns log(1 + eˣ) (ONNX `Softplus`).
  public func softplus() throws -> Symbol { try applying(Softplus()) }
}
