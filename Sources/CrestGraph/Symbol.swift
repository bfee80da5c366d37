public import CrestTensor

/// A traced value: what a layer computes with while its graph is being built.
///
/// Operators and methods (`x + y`, `x.relu()`, `x.matMul(w)`) add nodes to the graph and throw
/// ``GraphError`` when shapes don't fit; one `try` covers an expression.
public struct Symbol {
  /// The graph that is being built.
  public let builder: GraphBuilder
  /// The value's number in it.
  public let id: Graph.ValueID
  /// Element type and shape.
  public let type: ValueType

  /// The shape.
  public var shape: Shape { type.shape }
  /// The type of every element.
  public var elementType: ElementType { type.elementType }

  /// Returns a scalar constant of this value's element type, in this value's graph.
  ///
  /// - Throws: ``GraphError`` when the type isn't a float and can't represent the number.
  public func scalar(_ value: Double) throws -> Symbol {
    if elementType.isFloat {
      return builder.constant(Tensor(rounding: [value], to: elementType, shape: []))
    }
    guard let whole = Int64(exactly: value), elementType.integerRange.contains(whole) else {
      throw GraphError(
        path: builder.path, operation: "Constant",
        expected: "a number that \(elementType) can represent",
        got: "\(value)", advice: "cast to a float type first")
    }
    return builder.constant(Tensor(wrapping: [whole], to: elementType, shape: []))
  }

  /// The node that makes it; nil for inputs, variables and constants.
  var producer: Graph.Node? { builder.result.producer(of: id) }

  /// Applies an operation with one output to this value and `others`.
  func applying(_ operation: any GraphOperation, _ others: Symbol...) throws -> Symbol {
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
