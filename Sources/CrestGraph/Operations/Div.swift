/// a / b of floats (ONNX `Div`, opset 14; NumPy broadcasting).
public struct Div: ElementwiseOperation {
  /// `Div`.
  public static let name = "Div"
  /// a / b.
  public var function: ElementwiseFunction { .divide }

  /// The operation.
  public init() {}

  /// dy / b and -dy · y / b, summed over what was broadcast.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (b, y) = (context.inputs[1], context.outputs[0])
    return try context.broadcastGradients({ try $0 / b }, { try -($0 * y / b) })
  }
}

extension Symbol {
  /// Returns a / b with broadcasting (ONNX `Div`).
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public static func / (left: Symbol, right: Symbol) throws -> Symbol {
    try left.applying(Div(), right)
  }

  /// Returns a / b for a number b.
  public static func / (left: Symbol, right: Double) throws -> Symbol {
    try left / left.scalar(right)
  }

  /// Returns a / b for a number a.
  public static func / (left: Double, right: Symbol) throws -> Symbol {
    try right.scalar(left) / right
  }
}
