import CrestTensor

/// Axes in another order (ONNX `Transpose`, opset 13): output axis i is input axis permutation[i].
package struct Transpose: BoundedOperation {
  /// The input axis each output axis comes from.
  package let permutation: [Int]

  /// A transposition by `permutation`.
  package init(_ permutation: [Int]) { self.permutation = permutation }

  /// The sizes in the new order.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    guard permutation.sorted() == Array(0..<shape.rank) else {
      throw OperationError(expected: "each axis of \(shape) once", got: "\(permutation)")
    }
    return [ValueType(Shape(permutation.map { shape[$0] }), inputs[0].elementType)]
  }

  package var keepsScale: Bool { true }

  package var outputNumbers: OutputNumbers { .kept }

  package var arrangement: Arrangement? { .transposed(permutation) }

  /// The input, when its axes stay where they are; of a transposition, one transposition.
  package func simplified(_ inputs: [Symbol]) throws -> [Symbol]? {
    if permutation == Array(0..<inputs[0].shape.rank) { return inputs }
    guard let before = inputs[0].producer,
      case .transposed(let first) = before.operation.arrangement
    else { return nil }
    return [
      try inputs[0].builder.symbol(before.inputs[0]).transposed(permutation.map { first[$0] })
    ]
  }

  /// Each example independently, along another axis.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    let rows: Rows =
      switch context.rows[0] {
      case .mixed(let mixing): throw mixing
      case .shared(let uniform):
        .shared(uniform: Set(permutation.indices.filter { uniform.contains(permutation[$0]) }))
      case .along(let axis, let inner):
        .along(axis: permutation.firstIndex(of: axis) ?? axis, inner: inner)
      }
    return RowFlow(
      [rows], settings: AnyHashable(self), keepsUniform: true, reduced: evaluateReduced)
  }

  /// Elements in the new order.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let shape = Shape(permutation.map { inputs[0].shape[$0] })
    let strides = permutation.map { inputs[0].shape.strides[$0] }
    return [
      inputs[0].gathered(ValueType(shape, inputs[0].type.elementType)) { element in
        offset(shape.index(ofElement: element), strides)
      }
    ]
  }

  /// dy by the inverse permutation.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    var inverse = permutation
    for (output, input) in permutation.enumerated() { inverse[input] = output }
    return [try context.outputGradient.transposed(inverse)]
  }
}

extension Symbol {
  /// Returns the value with its axes in another order (ONNX `Transpose`).
  ///
  /// - Throws: ``GraphError`` when `permutation` doesn't name each axis once.
  public func transposed(_ permutation: [Int]) throws -> Symbol {
    try applying(Transpose(permutation))
  }
}
