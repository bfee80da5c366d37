import CrestTensor

/// A matrix of the axes before `axis` by the axes from it on (ONNX `Flatten`, opset 13).
package struct Flatten: BoundedOperation {
  /// The first axis of the columns; negative ones count from the end.
  package let axis: Int

  /// A matrix whose columns begin at `axis`.
  package init(axis: Int) { self.axis = axis }

  /// [product of the sizes before the axis, product of the rest].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    guard (-shape.rank...shape.rank).contains(axis) else {
      throw OperationError(
        expected: "an axis in \(-shape.rank)...\(shape.rank) of \(shape)", got: "\(axis)")
    }
    let split = axis < 0 ? axis + shape.rank : axis
    let sizes = [shape.dimensions[..<split], shape.dimensions[split...]].map { $0.reduce(1, *) }
    return [ValueType(Shape(sizes), inputs[0].elementType)]
  }

  package var keepsScale: Bool { true }

  package var outputNumbers: OutputNumbers { .kept }

  package var arrangement: Arrangement? { .reshaped }

  /// Each example independently, while its elements stay together.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try reshapingFlow(context)
  }

  /// The elements in the same order.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    guard let type = try? outputTypes(for: [inputs[0].type])[0] else {
      programmerError("\(inputs[0].type) can't be flattened at axis \(axis)")
    }
    return [inputs[0].gathered(type) { $0 }]
  }

  /// dy in the input's shape.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.reshaped(exactlyTo: context.inputs[0].shape)]
  }
}

extension Symbol {
  /// Returns a matrix of the axes before `axis` by the axes from it on (ONNX `Flatten`).
  ///
  /// - Throws: ``GraphError`` when the axis is out of range.
  public func flattened(axis: Int = 1) throws -> Symbol { try applying(Flatten(axis: axis)) }
}
