public import CrestTensor

/// The input repeated to a shape by NumPy's rule (ONNX `Expand`, opset 13, one way, shape as an
/// attribute).
package struct Expand: BoundedOperation {
  /// The shape of the output.
  package let shape: Shape

  /// A repetition to `shape`.
  package init(_ shape: Shape) { self.shape = shape }

  /// `shape`, which the input must broadcast to.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    guard inputs[0].shape.broadcast(with: shape) == shape else {
      throw OperationError(
        expected: "a shape that broadcasts to \(shape)", got: "\(inputs[0].shape)")
    }
    return [ValueType(shape, inputs[0].elementType)]
  }

  package var outputNumbers: OutputNumbers { .kept }

  package var arrangement: Arrangement? { .repeated }

  /// The input, when it has the shape already.
  package func simplified(_ inputs: [Symbol]) throws -> [Symbol]? {
    inputs[0].shape == shape ? inputs : nil
  }

  /// Each example independently, unless they are repeated; what is repeated is uniform.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    RowFlow([try context.broadcastRows()], settings: AnyHashable(name), keepsUniform: true) {
      let missing = shape.rank - $0[0].shape.rank
      return [$0[0].reshaped(to: Shape(Array(repeating: 1, count: missing) + $0[0].shape))]
    }
  }

  /// Each element repeated.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [inputs[0].broadcast(to: shape)]
  }

  /// dy summed over the repetitions.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.summed(to: context.inputs[0].shape)]
  }
}

extension Symbol {
  /// Returns the value repeated to `shape` (ONNX `Expand`).
  ///
  /// - Throws: ``GraphError`` when the value doesn't broadcast to `shape`.
  public func expanded(to shape: Shape) throws -> Symbol {
    shape == self.shape ? self : try applying(Expand(shape))
  }
}
