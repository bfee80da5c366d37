/// max(x, 0) (ONNX `Relu`, opset 14; NaN stays NaN).
public struct Relu: ElementwiseOperation {
  /// `Relu`.
  public static let name = "Relu"
  /// max(x, 0).
  public var function: ElementwiseFunction { .relu }

  /// The operation.
  public init() {}

  /// dy where y > 0, else 0; at x = 0 it is 0, as in PyTorch.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.applying(ReluMask(), context.outputs[0])]
  }
}

/// a where b > 0, else 0: the gradient of ``Relu`` from dy and y (ours).
public struct ReluMask: ElementwiseOperation {
  /// `ReluMask`.
  public static let name = "ReluMask"
  /// a where b > 0, else 0.
  public var function: ElementwiseFunction { .reluMask }

  /// The operation.
  public init() {}

  /// da is masked the same way; b only chooses, so its gradient is zero.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let chooser = context.inputs[1]
    return try context.broadcastGradients({ try $0.applying(self, chooser) }) + [nil]
  }
}

extension Symbol {
  /// Returns max(x, 0) (ONNX `Relu`).
  public func relu() throws -> Symbol { try applying(Relu()) }
}
