import CrestTensor

/// Elements zeroed at random, the others scaled so that the mean stays (ONNX `Dropout`, opset 13).
///
/// Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: *Dropout*, 2014.
///
///     y = x / (1 - rate) where uniform(element) ≥ rate, else 0
///
/// The uniform numbers are Philox's under the run's seed, this stream and the step, indexed by the
/// element's place in row-major order: the gradient draws the mask again instead of storing it.
/// In inference y is x.
package struct Dropout: BoundedOperation {
  /// The probability that an element is zeroed, in 0..<1.
  package let rate: Double
  /// The stream of random numbers.
  package let stream: UInt32

  /// A dropout of `rate` drawing from `stream`.
  package init(rate: Double, stream: UInt32) {
    self.rate = rate
    self.stream = stream
  }

  package var randomStream: UInt32? { stream }

  /// The input's type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0])
    guard (0..<1).contains(rate) else {
      throw OperationError(expected: "a dropout rate in 0..<1", got: "\(rate)")
    }
    return [inputs[0]]
  }

  package var keepsScale: Bool { true }

  /// Each example independently.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let generator = Philox(seed: random.seed, stream: stream, step: random.step)
    let y = inputs[0].reals.enumerated().map { element, x in
      generator.uniform(UInt64(element)) >= Float(rate) ? x / (1 - rate) : 0
    }
    return [ReferenceArray(y, inputs[0].type)]
  }

  /// dy under the same mask, drawn again.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.applying(self)]
  }

  /// The input itself in inference.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? {
    mode == .inference ? inputs : nil
  }
}

extension Symbol {
  /// Returns the value with elements zeroed at random in training (ONNX `Dropout`).
  ///
  /// - Throws: ``GraphError`` when `rate` is not in 0..<1.
  public func dropout(_ rate: Double) throws -> Symbol {
    try applying(Dropout(rate: rate, stream: builder.makeRandomStream()))
  }
}
