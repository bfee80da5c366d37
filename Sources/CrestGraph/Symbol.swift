public import CrestTensor

/// A traced value: what a layer computes with while its graph is being built.
///
/// Operators and methods (`x + y`, `x.relu()`, `x.matMul(w)`) add nodes to the graph and throw
/// ``GraphError`` when shapes don't fit; one `try` covers an expression.
public struct Symbol {
  /// The graph that is being built.
  public let builder: GraphBuilder
  /// The value's number in it.
  public let id: ValueID
  /// Element type and shape.
  public let type: ValueType

  /// The shape.
  public var shape: Shape { type.shape }
  /// The type of every element.
  public var elementType: ElementType { type.elementType }

  /// A scalar constant of this value's element type, in this value's graph.
  public func scalar(_ value: Double) -> Symbol {
    builder.constant(
      elementType.isFloat
        ? Tensor(rounding: [value], to: elementType, shape: [])
        : Tensor(wrapping: [Int64(value)], to: elementType, shape: []))
  }

  /// Applies an operation with one output to this value and `others`.
  func applying(_ operation: some Operation, _ others: Symbol...) throws -> Symbol {
    try builder.apply(operation, [self] + others)[0]
  }

  /// The axis that `axis` names, counted from the start.
  func resolvedAxis(_ axis: Int, _ operation: String) throws -> Int {
    guard let resolved = shape.resolved(axis: axis) else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "an axis of \(shape)", got: "\(axis)")
    }
    return resolved
  }
}
