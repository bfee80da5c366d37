/// Whether both are true (ONNX `And`, opset 7; NumPy broadcasting).
public struct And: Operation, LogicalOperation {
  /// `And`.
  public static let name = "And"
  /// 2.
  public static let arity = 2

  /// The operation.
  public init() {}

  /// Whether both are true.
  public func combine(_ x: [Bool]) -> Bool { x[0] && x[1] }
}

extension Symbol {
  /// Returns where both this and `other` are true (ONNX `And`).
  ///
  /// - Throws: ``GraphError`` when they aren't booleans or don't broadcast.
  public func and(_ other: Symbol) throws -> Symbol { try applying(And(), other) }
}
