/// a - b (ONNX `Sub`, opset 14; NumPy broadcasting).
public struct Sub: ElementwiseOperation {
  /// `Sub`.
  public static let name = "Sub"
  /// a - b.
  public var function: ElementwiseFunction { .subtract }

  /// The operation.
  public init() {}

  /// dy to a and -dy to b, summed over what was broadcast.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    try context.broadcastGradients({ $0 }, { try -$0 })
  }
}

extension Symbol {
  /// Returns a - b with broadcasting (ONNX `Sub`).
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public static func - (left: Symbol, right: Symbol) throws -> Symbol {
    try left.applying(Sub(), right)
  }

  /// Returns a - b for a number b.
  public static func - (left: Symbol, right: Double) throws -> Symbol {
    try left - left.scalar(right)
  }

  /// Returns a - b for a number a.
  public static func - (left: Double, right: Symbol) throws -> Symbol {
    try right.scalar(left) - right
  }
}
