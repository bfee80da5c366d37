package import CrestTensor

/// Elements of a value, each chosen by its own index along an axis (ONNX `GatherElements`, opset 13;
/// PyTorch `gather`).
///
///     y[i, k, j] = data[i, indices[i, k, j], j]    along the middle axis
///
/// Inputs are data and indices, `int32` or `int64`, of the same rank; the indices' sizes along other
/// axes are at most the data's. Each index is in -size ..< size; negative ones count from the end.
/// The output has the indices' shape.
package struct GatherElements: GatherOperation {
  package let axis: Int

  /// A choice along `axis`, which is not negative.
  package init(axis: Int) { self.axis = axis }

  /// The indices' shape.
  package func shape(
    choosing indices: Shape, from data: Shape
  ) throws(OperationError) -> Shape {
    let fits =
      data.rank == indices.rank
      && data.indices.allSatisfy { $0 == axis || indices[$0] <= data[$0] }
    guard fits, data[axis] > 0 || indices.elementCount == 0 else {
      throw OperationError(
        expected: "indices of the rank of \(data), no larger along axes other than \(axis)",
        got: "\(indices)")
    }
    return indices
  }

  /// Each example independently, unless indices along their axis choose among them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    RowFlow(try context.alignedRows(choosingAlong: axis), of: self)
  }

  package func places(
    in data: Shape, _ indices: ReferenceArray
  ) throws(GraphError.IndexOutOfRange) -> [Int] {
    try indices.indices(below: data[axis]).enumerated().map { element, chosen in
      var index = indices.shape.index(ofElement: element)
      index[axis] = chosen
      return offset(index, data.strides)
    }
  }

  package func weightUse(_ place: Int, rank: Int) -> WeightUse? { place == 0 ? .table : nil }
}

extension Symbol {
  /// Returns the elements that `indices` choose along `axis` (ONNX `GatherElements`); a negative axis
  /// counts from the end.
  ///
  /// - Throws: ``GraphError`` when the shapes don't fit, or a constant index is out of range.
  public func gatheredElements(_ indices: Symbol, axis: Int = 0) throws -> Symbol {
    try choosing(indices, by: GatherElements(axis: resolvedAxis(axis, "GatherElements")))
  }
}
