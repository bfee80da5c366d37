/// a · b (ONNX `Mul`, opset 14; NumPy broadcasting).
public struct Mul: ElementwiseOperation {
  /// `Mul`.
  public static let name = "Mul"
  /// a · b.
  public var function: ElementwiseFunction { .multiply }

  /// The operation.
  public init() {}

  /// dy · b and dy · a, summed over what was broadcast.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (a, b) = (context.inputs[0], context.inputs[1])
    return try context.broadcastGradients({ try $0 * b }, { try $0 * a })
  }
}

extension Symbol {
  /// Returns a · b with broadcasting (ONNX `Mul`).
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public static func * (left: Symbol, right: Symbol) throws -> Symbol {
    try left.applying(Mul(), right)
  }

  /// Returns a · b for a number b.
  public static func * (left: Symbol, right: Double) throws -> Symbol {
    try left * left.scalar(right)
  }

  /// Returns a · b for a number a.
  public static func * (left: Double, right: Symbol) throws -> Symbol {
    try right.scalar(left) * right
  }
}
