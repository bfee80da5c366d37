import CrestTensor

/// An operation that makes each boolean of its output from the booleans at the same place of its
/// inputs, after NumPy broadcasting.
public protocol LogicalOperation: Operation {
  /// The number of inputs.
  static var arity: Int { get }

  /// What `arity` booleans give.
  func combine(_ x: [Bool]) -> Bool
}

extension LogicalOperation {
  /// Booleans of the shape all inputs broadcast to.
  public func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: Self.arity...Self.arity)
    guard inputs.allSatisfy({ $0.elementType == .bool }) else {
      throw OperationError(
        expected: Self.arity == 1 ? "a boolean input" : "boolean inputs",
        got: inputs.map(\.description).joined(separator: ", "),
        advice: "compare or cast them first")
    }
    return [ValueType(try OperationError.checkBroadcast(inputs), .bool)]
  }

  /// Each example by itself, where the inputs have theirs along the same axis.
  public func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// Combines the booleans at every place.
  public func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let shape = inputs.broadcastShape
    let arguments = inputs.map { $0.broadcast(to: shape).integers }
    let results = (0..<shape.elementCount).map { place in
      combine(arguments.map { $0[place] != 0 }) ? 1 : 0 as Int64
    }
    return [ReferenceArray(integers: results, ValueType(shape, .bool))]
  }
}
