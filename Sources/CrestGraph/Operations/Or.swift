/// Whether one or both are true (ONNX `Or`, opset 7; NumPy broadcasting).
public struct Or: Operation, LogicalOperation {
  /// `Or`.
  public static let name = "Or"
  /// 2.
  public static let arity = 2

  /// The operation.
  public init() {}

  /// Whether one or both are true.
  public func combine(_ x: [Bool]) -> Bool { x[0] || x[1] }
}

extension Symbol {
  /// Returns where this or `other` is true (ONNX `Or`).
  ///
  /// - Throws: ``GraphError`` when they aren't booleans or don't broadcast.
  public func or(_ other: Symbol) throws -> Symbol { try applying(Or(), other) }
}
