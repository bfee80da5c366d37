/// |x| (ONNX `Abs`, opset 13).
public struct Abs: ElementwiseOperation {
  /// `Abs`.
  public static let name = "Abs"
  /// |x|.
  public var function: ElementwiseFunction { .absolute }

  /// The operation.
  public init() {}

  /// dy · sign x; at x = 0 it is 0, as in PyTorch.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient * context.inputs[0].sign()]
  }
}

extension Symbol {
  /// Returns |x| (ONNX `Abs`).
  public func absolute() throws -> Symbol { try applying(Abs()) }
}
