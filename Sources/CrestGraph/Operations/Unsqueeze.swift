import CrestTensor

/// The same elements with more axes of size 1 (ONNX `Unsqueeze`, opset 13, axes as an attribute).
package struct Unsqueeze: BoundedOperation {
  /// The places of the new axes in the output, in any order; negative ones count from its end.
  package let axes: [Int]

  /// A value with new axes at `axes` of the output.
  package init(axes: [Int]) { self.axes = axes }

  /// The sizes, with 1 at the new places.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    let rank = shape.rank + axes.count
    let resolved = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
    guard resolved.count == axes.count, resolved.allSatisfy((0..<rank).contains) else {
      throw OperationError(
        expected: "different new axes in \(-rank)..<\(rank) for \(shape)", got: "\(axes)")
    }
    var rest = shape.dimensions[...]
    let sizes = (0..<rank).map { resolved.contains($0) ? 1 : rest.removeFirst() }
    return [ValueType(Shape(sizes), inputs[0].elementType)]
  }

  package var outputNumbers: OutputNumbers { .kept }

  package var arrangement: Arrangement? { .reshaped }

  /// Each example independently, while its elements stay together.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try reshapingFlow(context)
  }

  /// The elements in the same order.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    guard let type = try? outputTypes(for: [inputs[0].type])[0] else {
      programmerError("\(inputs[0].type) can't get new axes \(axes)")
    }
    return [inputs[0].gathered(type) { $0 }]
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
  /// Returns the value with axes of size 1 at `axes` of the result (ONNX `Unsqueeze`); negative ones
  /// count from the result's end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func unsqueezed(axes: [Int]) throws -> Symbol { try applying(Unsqueeze(axes: axes)) }
}
