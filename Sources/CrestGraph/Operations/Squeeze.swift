import CrestTensor

/// The same elements without some axes of size 1 (ONNX `Squeeze`, opset 13, axes as an attribute).
package struct Squeeze: BoundedOperation {
  /// The axes left out, none negative.
  package let axes: [Int]

  /// A value without `axes`, none of them negative.
  package init(axes: [Int]) { self.axes = axes }

  /// The sizes of the other axes.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    guard axes.allSatisfy({ (0..<shape.rank).contains($0) }), Set(axes).count == axes.count else {
      throw OperationError(expected: "different axes of \(shape)", got: "\(axes)")
    }
    guard axes.allSatisfy({ shape[$0] == 1 }) else {
      throw OperationError(expected: "axes of size 1", got: "\(axes) of \(shape)")
    }
    let kept = (0..<shape.rank).filter { !axes.contains($0) }
    return [ValueType(Shape(kept.map { shape[$0] }), inputs[0].elementType)]
  }

  package var outputNumbers: OutputNumbers { .kept }

  package var arrangement: Arrangement? { .reshaped }

  /// Each example independently, while its elements stay together.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try reshapingFlow(context)
  }

  /// The elements in the same order.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let kept = (0..<inputs[0].shape.rank).filter { !axes.contains($0) }
    let shape = Shape(kept.map { inputs[0].shape[$0] })
    return [inputs[0].gathered(ValueType(shape, inputs[0].type.elementType)) { $0 }]
  }

  /// dy in the input's shape.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.reshaped(exactlyTo: context.inputs[0].shape)]
  }

  /// A reshape, once shapes are known.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? {
    [try inputs[0].reshaped(exactlyTo: outputTypes(for: inputs.map(\.type))[0].shape)]
  }
}

extension Symbol {
  /// Returns the value without `axes`, each of size 1 (ONNX `Squeeze`).
  ///
  /// All axes of size 1 when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range, named twice or of another size.
  public func squeezed(axes: [Int]? = nil) throws -> Symbol {
    let axes =
      try axes?.map { try resolvedAxis($0, "Squeeze") }
      ?? shape.indices.filter { shape[$0] == 1 }
    return try applying(Squeeze(axes: axes))
  }
}
