import CrestTensor

/// A value with whole parts replaced or joined, each named by the indices of its leading axes (ONNX
/// `ScatterND`, opset 18).
///
///     y = data;   y[indices[i…, :], j…] = updates[i…, j…]
///
/// Inputs are data [K…, J…], indices, `int64` [I…, k] with one number for each of the axes K, and
/// updates [I…, J…].
package struct ScatterND: Scatter, BoundedOperation {
  /// How updates join what is there.
  package let reduction: ScatterReduction

  /// Updates that join as `reduction` says.
  package init(reduction: ScatterReduction = .none) { self.reduction = reduction }

  /// The data's type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 3...3)
    try check(inputs[0], updates: inputs[2])
    let expected = try OperationError.checkParts(of: inputs[0].shape, named: inputs[1])
    guard inputs[2].shape == expected else {
      throw OperationError(expected: "updates \(expected)", got: "\(inputs[2].shape)")
    }
    return [inputs[0]]
  }

  /// Not followed where examples are updated: the indices may be of any.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    guard context.rows.indices.contains(where: { context.axis($0) != nil }) else {
      return RowFlow(.shared, of: self)
    }
    throw .unknown("replaces parts of the examples by indices")
  }

  func places(in data: ValueType, _ indices: ReferenceArray) throws(GraphError.IndexOutOfRange)
    -> [Int]
  {
    try indices.placesOfParts(of: data.shape)
  }

  func taken(from data: Symbol, at indices: Symbol) throws -> Symbol {
    try data.gatheredParts(indices)
  }
}

extension Symbol {
  /// Returns this with parts replaced by, or joined with, `updates` (ONNX `ScatterND`).
  ///
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func scatteringParts(
    _ updates: Symbol, at indices: Symbol, reduction: ScatterReduction = .none
  ) throws -> Symbol {
    try applying(ScatterND(reduction: reduction), indices, updates)
  }
}
