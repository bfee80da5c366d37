import CrestTensor

/// Which elements a `Dropout` keeps (ONNX `Dropout`, opset 13, the output `mask`), as booleans.
///
/// It draws the mask of the dropout with the same stream again. In inference all are kept.
package struct DropoutMask: BoundedOperation {
  /// The dropout.
  package let dropout: Dropout

  /// The mask of `dropout`.
  package init(_ dropout: Dropout) { self.dropout = dropout }

  package var randomStream: UInt32? { dropout.stream }

  /// Booleans of the input's shape.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    [ValueType(try dropout.outputTypes(for: inputs)[0].shape, .bool)]
  }

  /// Each example independently, though it draws another mask for each place.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// Which of as many ones the dropout keeps.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let ones = ReferenceArray(inputs[0].reals.map { _ in 1 }, inputs[0].type)
    let kept = dropout.evaluate([ones], random: random)[0].reals.map { $0 == 0 ? 0 : 1 as Int64 }
    return [ReferenceArray(integers: kept, ValueType(inputs[0].shape, .bool))]
  }

  /// None: a mask is boolean.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil] }

  /// True everywhere in inference.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? {
    guard mode == .inference else { return nil }
    return [try inputs[0].builder.filled(inputs[0].shape, with: Tensor(scalar: true))]
  }
}

extension Symbol {
  /// Returns the value with elements zeroed at random in training, and which are kept (ONNX
  /// `Dropout` with both outputs).
  ///
  /// - Throws: ``GraphError`` when `rate` is not in 0..<1.
  public func dropoutWithMask(_ rate: Double) throws -> (y: Symbol, mask: Symbol) {
    let dropout = Dropout(rate: rate, stream: builder.makeRandomStream())
    return (try applying(dropout), try applying(DropoutMask(dropout)))
  }
}
