import CrestTensor

/// Dropout that zeroes whole parts: elements that differ only along some axes share one draw (Keras `noise_shape`).
///
///     y = x / (1 - rate) where uniform(part) ≥ rate, else 0
///
/// With all axes but the batch it is stochastic depth (Huang and others 2016), with the spatial ones spatial dropout
/// (Tompson and others 2015). In inference y is x.
package struct SharedDropout: BoundedOperation {
  /// The dropout of the parts.
  package let dropout: Dropout
  /// The axes along which elements share a draw, ascending.
  package let axes: [Int]

  /// A dropout whose draws are shared along `axes`, which ascend and aren't negative.
  package init(_ dropout: Dropout, axes: [Int]) {
    self.dropout = dropout
    self.axes = axes
  }

  package var randomStream: UInt32? { dropout.stream }

  /// The input's type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    let types = try dropout.outputTypes(for: inputs)
    guard axes.allSatisfy(inputs[0].shape.indices.contains) else {
      throw OperationError(expected: "axes of \(inputs[0].shape)", got: "\(axes)")
    }
    return types
  }

  package var keepsScale: Bool { true }

  /// Each example independently.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// One draw for each part, in the order of the parts.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let x = inputs[0]
    let sizes = parts(of: x.type.shape)
    let one = ReferenceArray(
      [Double](repeating: 1, count: sizes.elementCount), ValueType(sizes, x.type.elementType))
    let kept = dropout.evaluate([one], random: random)[0].reals
    let y = x.reals.enumerated().map { (element: Int, value: Double) -> Double in
      var (rest, part, stride) = (element, 0, 1)
      for axis in sizes.indices.reversed() {
        let (next, place) = rest.quotientAndRemainder(dividingBy: x.type.shape[axis])
        if sizes[axis] > 1 { part += place * stride }
        stride *= sizes[axis]
        rest = next
      }
      return kept[part] == 0 ? 0 : value * kept[part]
    }
    return [ReferenceArray(y, x.type)]
  }

  /// dy under the same draws.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.applying(self)]
  }

  /// The input itself in inference; its parts times a dropout of ones in training.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? {
    mode == .inference ? inputs : try decomposed(inputs)
  }

  /// The input times a dropout of as many ones as there are parts.
  package func decomposed(_ inputs: [Symbol]) throws -> [Symbol]? {
    let x = inputs[0]
    let first = try x.sliced(
      starts: axes.map { _ in 0 }, ends: axes.map { _ in 1 }, axes: axes)
    // No number is less, and NaN isn't either; made of x, they are as many as its batch has examples.
    let ones = try 1 - first.lessMask(first.scalar(-.infinity))
    return [try x * ones.applying(dropout)]
  }

  /// The shape of the draws.
  private func parts(of shape: Shape) -> Shape {
    Shape(shape.indices.map { axes.contains($0) ? 1 : shape[$0] })
  }
}

extension Symbol {
  /// Returns the value with whole parts zeroed at random in training: elements that differ only along `axes` share one
  /// draw (Keras `Dropout` with `noise_shape`).
  ///
  /// - Parameters:
  ///   - rate: The probability that a part is zeroed.
  ///   - axes: The axes of a part; negative ones count from the end.
  /// - Returns: The parts kept, scaled up.
  /// - Throws: ``GraphError`` when `rate` is not in 0..<1, or an axis is out of range or named twice.
  public func dropout(_ rate: Double, sharedAlong axes: [Int]) throws -> Symbol {
    let resolved = try axes.map { try resolvedAxis($0, "SharedDropout") }
    guard Set(resolved).count == axes.count else {
      throw GraphError(
        path: builder.path, operation: "SharedDropout", expected: "different axes", got: "\(axes)")
    }
    return try applying(
      SharedDropout(
        Dropout(rate: rate, stream: builder.makeRandomStream()), axes: resolved.sorted()))
  }
}
