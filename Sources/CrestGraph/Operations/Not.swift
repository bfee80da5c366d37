/// Whether it is false (ONNX `Not`, opset 1).
public struct Not: Operation, LogicalOperation {
  /// `Not`.
  public static let name = "Not"
  /// 1.
  public static let arity = 1

  /// The operation.
  public init() {}

  /// Whether it is false.
  public func combine(_ x: [Bool]) -> Bool { !x[0] }
}

extension Symbol {
  /// Returns where this is false (ONNX `Not`).
  ///
  /// - Throws: ``GraphError`` when it isn't boolean.
  public func not() throws -> Symbol { try applying(Not()) }
}
