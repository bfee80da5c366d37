package import CrestTensor

/// Parts of a value, chosen by their index along an axis (ONNX `Gather`, opset 13; PyTorch
/// `embedding` for axis 0 of a matrix).
///
///     y[i…, k…, j…] = data[i…, indices[k…], j…]
///
/// Inputs are data [I…, size, J…] and indices, `int32` or `int64` [K…], each in -size ..< size;
/// negative ones count from the end. The output is [I…, K…, J…].
package struct Gather: GatherOperation {
  package let axis: Int

  /// A choice along `axis`, which is not negative.
  package init(axis: Int) { self.axis = axis }

  /// [I…, K…, J…].
  package func shape(
    choosing indices: Shape, from data: Shape
  ) throws(OperationError) -> Shape {
    let sizes = data.dimensions[..<axis] + indices + data.dimensions[(axis + 1)...]
    guard let shape = Shape(checking: Array(sizes)) else {
      throw OperationError(
        expected: "an output whose element count fits in 64 bits", got: "\(Array(sizes))")
    }
    guard data[axis] > 0 || indices.elementCount == 0 else {
      throw OperationError(
        expected: "elements to select from along axis \(axis)", got: "none in \(data)")
    }
    return shape
  }

  package var outputNumbers: OutputNumbers { .within }

  package var arrangement: Arrangement? { .picked }

  /// Each example independently, where the data or the indices are of examples, but not both.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    let (data, indices) = (context.inputs[0], context.inputs[1])
    /// Where an axis of the data lies in the output.
    func moved(_ axis: Int) -> Int { axis < self.axis ? axis : axis + indices.rank - 1 }
    switch (context.rows[0], context.rows[1]) {
    case (.mixed(let mixing), _), (_, .mixed(let mixing)): throw mixing
    case (.along, .along): throw .combined("selects from all examples for each of them")
    case (.along(let axis, let inner), .shared):
      guard axis != self.axis else { throw .picking(inner: inner) }
      return RowFlow(.along(axis: moved(axis), inner: inner), of: self)
    case (.shared, .along(let axis, let inner)):
      return RowFlow(.along(axis: self.axis + axis, inner: inner), of: self)
    case (.shared(let uniform), .shared):
      let ofData = data.indices.filter { uniform.contains($0) && $0 != self.axis }.map(moved)
      let ofIndices = indices.indices.filter { indices[$0] != 1 && context.isUniform(1, along: $0) }
      return RowFlow(
        [.shared(uniform: Set(ofData).union(ofIndices.map { $0 + self.axis }))],
        settings: AnyHashable(self), keepsUniform: true)
    }
  }

  package func places(
    in data: Shape, _ indices: ReferenceArray
  ) throws(GraphError.IndexOutOfRange) -> [Int] {
    let chosen = try indices.indices(below: data[axis])
    let inner = data.dimensions[(axis + 1)...].reduce(1, *)
    let rows = data.dimensions[..<axis].reduce(1, *)
    // With its types said, since inferring them takes the compiler 3 s.
    return (0..<rows).flatMap { (row: Int) -> [Int] in
      chosen.flatMap { (index: Int) -> [Int] in
        let start = (row * data[axis] + index) * inner
        return Array(start..<start + inner)
      }
    }
  }

  package func weightUse(_ place: Int, rank: Int) -> WeightUse? { place == 0 ? .table : nil }
}

extension Symbol {
  /// Returns the parts that `indices` choose along `axis` (ONNX `Gather`; NumPy `take`); a negative
  /// axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis, or a constant index, is out of range.
  public func gathered(_ indices: Symbol, axis: Int = 0) throws -> Symbol {
    try choosing(indices, by: Gather(axis: resolvedAxis(axis, "Gather")))
  }
}
