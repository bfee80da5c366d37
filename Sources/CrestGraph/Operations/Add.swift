/// a + b (ONNX `Add`, opset 14; NumPy broadcasting).
public struct Add: ElementwiseOperation {
  /// `Add`.
  public static let name = "Add"
  /// a + b.
  public var function: ElementwiseFunction { .add }

  /// The operation.
  public init() {}

  /// dy to both, summed over what was broadcast.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    try context.broadcastGradients({ $0 }, { $0 })
  }
}

extension Symbol {
  /// Returns a + b with broadcasting (ONNX `Add`).
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public static func + (left: Symbol, right: Symbol) throws -> Symbol {
    try left.applying(Add(), right)
  }

  /// Returns a + b for a number b.
  public static func + (left: Symbol, right: Double) throws -> Symbol {
    try left + left.scalar(right)
  }

  /// Returns a + b for a number a.
  public static func + (left: Double, right: Symbol) throws -> Symbol {
    try right.scalar(left) + right
  }
}
