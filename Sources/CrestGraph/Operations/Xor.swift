/// Whether exactly one is true (ONNX `Xor`, opset 7; NumPy broadcasting).
public struct Xor: Operation, LogicalOperation {
  /// `Xor`.
  public static let name = "Xor"
  /// 2.
  public static let arity = 2

  /// The operation.
  public init() {}

  /// Whether exactly one is true.
  public func combine(_ x: [Bool]) -> Bool { x[0] != x[1] }
}

extension Symbol {
  /// Returns where exactly one of this and `other` is true (ONNX `Xor`).
  ///
  /// - Throws: ``GraphError`` when they aren't booleans or don't broadcast.
  public func xor(_ other: Symbol) throws -> Symbol { try applying(Xor(), other) }
}
