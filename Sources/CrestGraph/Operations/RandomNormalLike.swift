import CrestPlatform
package import CrestTensor

/// Standard normal numbers in the shape of a value (ONNX `RandomNormalLike`, opset 1, with mean 0 and scale 1; PyTorch
/// `randn_like`); 0 in inference.
///
///     y[i] = r · cos(a),   y[i + 1] = r · sin(a),   r = √(-2 ln((u + ½) / 2³²)),   a = 2π · v / 2³²    for even i
///
/// u and v are the words of Philox that belong to elements i and i + 1 in row-major order, under the operation's stream
/// and the step (Box & Muller 1958). Nothing has a gradient.
package struct RandomNormalLike: BoundedOperation {
  /// The stream of random numbers.
  package let stream: UInt32

  /// Numbers drawn from `stream`.
  package init(stream: UInt32) { self.stream = stream }

  package var randomStream: UInt32? { stream }

  /// The input's type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0])
    return [inputs[0]]
  }

  /// Each example independently, though it draws other numbers for each place.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let generator = Philox(seed: random.seed, stream: stream, step: random.step)
    let y = (0..<inputs[0].shape.elementCount).map { element -> Double in
      let words = generator.words(block: UInt64(element / 4))
      let (first, second) = element % 4 < 2 ? (words.0, words.1) : (words.2, words.3)
      let radius = (-2 * log((Double(first) + 0.5) * 0x1p-32)).squareRoot()
      let angle = 2 * Double.pi * (Double(second) * 0x1p-32)
      return radius * (element % 2 == 0 ? cos(angle) : sin(angle))
    }
    return [ReferenceArray(y, inputs[0].type)]
  }

  /// None: the numbers don't depend on the input.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil] }

  /// Zeros in inference.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? {
    guard mode == .inference else { return nil }
    return [try inputs[0].scalar(0).expanded(to: inputs[0].shape)]
  }

  /// Zeros, as in inference, which exported files are for: ONNX's operator would draw numbers there, too.
  package func decomposed(_ inputs: [Symbol]) throws -> [Symbol]? {
    [try inputs[0].lessMask(inputs[0].scalar(-.infinity))]
  }
}

extension Symbol {
  /// Returns standard normal numbers in this value's shape, drawn anew in each step of training, and zeros in
  /// inference.
  ///
  /// - Throws: ``GraphError`` when this isn't of a float type.
  package func normalNoise() throws -> Symbol {
    try applying(RandomNormalLike(stream: builder.makeRandomStream()))
  }
}
