import CrestTensor

/// A value with single elements replaced or joined, each by its own index along an axis (ONNX
/// `ScatterElements`, opset 18; PyTorch `scatter`).
///
///     y = data;   y[i, indices[i, k, j], j] = updates[i, k, j]    along the middle axis
///
/// Inputs are data, indices, `int32` or `int64`, and updates of the indices' shape, whose sizes along
/// other axes are at most the data's. Each index is in -size ..< size.
package struct ScatterElements: Scatter, BoundedOperation {
  /// The axis that indices count along, not negative.
  package let axis: Int
  /// How updates join what is there.
  package let reduction: ScatterReduction

  /// Updates along `axis`, which is not negative.
  package init(axis: Int, reduction: ScatterReduction = .none) {
    self.axis = axis
    self.reduction = reduction
  }

  /// The data's type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 3...3)
    try check(inputs[0], updates: inputs[2])
    _ = try GatherElements(axis: axis).checkedShape(inputs[0].shape, inputs[1])
    guard inputs[2].shape == inputs[1].shape else {
      throw OperationError(
        expected: "updates of the indices' shape \(inputs[1].shape)", got: "\(inputs[2].shape)")
    }
    return [inputs[0]]
  }

  /// Each example independently, unless indices along their axis choose among them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    RowFlow(try context.alignedRows(choosingAlong: axis), of: self)
  }

  func places(in data: ValueType, _ indices: ReferenceArray) throws(GraphError.IndexOutOfRange)
    -> [Int]
  {
    try GatherElements(axis: axis).places(in: data.shape, indices)
  }

  func taken(from data: Symbol, at indices: Symbol) throws -> Symbol {
    try data.gatheredElements(indices, axis: axis)
  }
}

extension Symbol {
  /// Returns this with elements along `axis` replaced by, or joined with, `updates` (ONNX
  /// `ScatterElements`); a negative axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the shapes don't fit, or a constant index is out of range.
  public func scatteringElements(
    _ updates: Symbol, at indices: Symbol, axis: Int = 0, reduction: ScatterReduction = .none
  ) throws -> Symbol {
    let axis = try resolvedAxis(axis, "ScatterElements")
    try indices.checkConstantIndices(below: shape[axis], "ScatterElements")
    return try applying(ScatterElements(axis: axis, reduction: reduction), indices, updates)
  }
}
