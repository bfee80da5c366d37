import CrestTensor

/// The value repeated side by side along its axes (ONNX `Tile`, opset 13, repeats as an attribute).
package struct Tile: BoundedOperation {
  /// How often it is repeated along each axis.
  package let repeats: [Int]

  /// A repetition along each axis.
  package init(_ repeats: [Int]) { self.repeats = repeats }

  /// Each size times its repeats.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    guard repeats.count == shape.rank, repeats.allSatisfy({ $0 >= 0 }) else {
      throw OperationError(
        expected: "a repeat of at least 0 for each axis of \(shape)", got: "\(repeats)")
    }
    let sizes = zip(shape, repeats).map { $0.multipliedReportingOverflow(by: $1) }
    guard !sizes.contains(where: \.overflow),
      let result = Shape(checking: sizes.map(\.partialValue)),
      Shape(checking: interleaved(with: shape)) != nil
    else {
      throw OperationError(
        expected: "an output whose element count fits in 64 bits", got: "\(repeats) times \(shape)")
    }
    return [ValueType(result, inputs[0].elementType)]
  }

  /// The repeats and the sizes in turn.
  private func interleaved(with shape: Shape) -> [Int] {
    zip(repeats, shape).flatMap { [$0, $1] }
  }

  package var outputNumbers: OutputNumbers { .within }

  /// Each example independently; whole repeats of the batch follow one another.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    guard case .shared(let uniform) = context.rows[0] else {
      return RowFlow(context.rows, settings: AnyHashable(name), keepsUniform: true)
    }
    let repeated = context.inputs[0].indices.filter { axis in
      repeats[axis] > 1 && context.inputs[0][axis] == 1
    }
    return RowFlow(
      [.shared(uniform: uniform.union(repeated).filter { context.outputs[0][$0] > 1 })],
      settings: AnyHashable(name), keepsUniform: true)
  }

  /// Each element repeated.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let shape = inputs[0].shape
    let tiled = Shape(zip(shape, repeats).map(*))
    return [
      inputs[0].gathered(ValueType(tiled, inputs[0].type.elementType)) { element in
        let index = zip(tiled.index(ofElement: element), shape).map { $0 % $1 }
        return offset(index, shape.strides)
      }
    ]
  }

  /// dy summed over the repetitions.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let shape = context.inputs[0].shape
    let apart = try context.outputGradient.reshaped(
      exactlyTo: Shape(interleaved(with: shape)))
    return [try apart.sum(axes: (0..<shape.rank).map { 2 * $0 })]
  }

  /// A repetition along axes of its own, which kernels know.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? {
    let shape = inputs[0].shape
    let apart = try inputs[0].reshaped(exactlyTo: Shape(shape.flatMap { [1, $0] }))
    return [
      try apart.expanded(to: Shape(interleaved(with: shape)))
        .reshaped(exactlyTo: Shape(zip(shape, repeats).map(*)))
    ]
  }
}

extension Symbol {
  /// Returns the value repeated `repeats[axis]` times along each axis (ONNX `Tile`).
  ///
  /// - Throws: ``GraphError`` when there isn't a repeat of at least 0 for each axis.
  public func tiled(_ repeats: [Int]) throws -> Symbol { try applying(Tile(repeats)) }
}
