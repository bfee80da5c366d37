import CrestTensor

/// Normalisation of each example by its mean and variance (ONNX `LayerNormalization`, opset 17; PyTorch `LayerNorm`).
///
///     y = (x - mean) / √(variance + ε) · scale + bias, both over the axes from `axis` on
///
/// Inputs are x, scale and bias, which have the sizes of these axes. Ba, Kiros, Hinton 2016.
package struct LayerNormalization: BoundedOperation {
  /// The first axis normalised over, not negative.
  package let axis: Int
  /// Added to the variance before the root.
  package let epsilon: Double

  package init(axis: Int, epsilon: Double) {
    self.axis = axis
    self.epsilon = epsilon
  }

  /// The type of x.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 3...3)
    try check(x: inputs[0], affine: Array(inputs[1...]))
    return [inputs[0]]
  }

  fileprivate func check(x: ValueType, affine: [ValueType]) throws(OperationError) {
    try OperationError.checkFloat(x)
    try OperationError.checkSameElementType([x] + affine)
    guard (0..<x.shape.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(x.shape)", got: "\(axis)")
    }
    let sizes = Shape(Array(x.shape.dimensions[axis...]))
    guard affine.allSatisfy({ $0.shape == sizes }) else {
      throw OperationError(
        expected: "a scale and a bias \(sizes)",
        got: affine.map { "\($0.shape)" }.joined(separator: " and "))
    }
    guard epsilon >= 0, epsilon.isFinite else {
      throw OperationError(expected: "a finite epsilon of at least 0", got: "\(epsilon)")
    }
  }

  /// Each example independently, unless the axes count them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.requireShared("scales")
    return try context.flow(
      of: self, along: Array(axis..<context.inputs[0].rank), "normalises along the batch axis")
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (scale, bias) = (inputs[1].reals, inputs[2].reals)
    let y = normalized(inputs[0].reals, count: scale.count).values.enumerated().map {
      (place: Int, value: Double) -> Double in
      value * scale[place % scale.count] + bias[place % scale.count]
    }
    return [ReferenceArray(y, inputs[0].type)]
  }

  /// (x - mean) / √(variance + ε) of rows of so many elements, and the inverse root of each.
  fileprivate func normalized(
    _ x: [Double], count: Int
  ) -> (values: [Double], inverses: [Double]) {
    var (values, inverses) = (x, [Double]())
    guard count > 0 else { return (values, inverses) }
    for start in stride(from: 0, to: x.count, by: count) {
      let row = x[start..<start + count]
      let mean = row.reduce(0, +) / Double(count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
      let inverse = 1 / (variance + epsilon).squareRoot()
      for place in row.indices { values[place] = (x[place] - mean) * inverse }
      inverses.append(inverse)
    }
    return (values, inverses)
  }

  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let x = context.inputs[0]
    return try x.builder.apply(
      LayerNormalizationGradient(self), [x, context.inputs[1], context.outputGradient])
  }
}

/// The gradients of a ``LayerNormalization`` by x, its scale and its bias.
///
/// With n the normalised x and g = dy · scale: dx = (g - mean g - n · mean(g · n)) / √(variance + ε),
/// dscale = Σ dy · n and dbias = Σ dy. Inputs are x, scale and dy.
package struct LayerNormalizationGradient: BoundedOperation {
  /// The normalisation.
  package let normalization: LayerNormalization

  package init(_ normalization: LayerNormalization) { self.normalization = normalization }

  /// The types of x, scale and bias.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 3...3)
    try normalization.check(x: inputs[0], affine: [inputs[1]])
    try OperationError.check(gradient: inputs[2].shape, of: inputs[0].shape)
    return [inputs[0], inputs[1], inputs[1]]
  }

  /// Nothing is proved: the gradients of scale and bias are sums over all examples.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    throw .combined("sums over the examples")
  }

  /// The formulas as they stand.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (scale, dy) = (inputs[1].reals, inputs[2].reals)
    let count = scale.count
    let (normal, inverses) = normalization.normalized(inputs[0].reals, count: count)
    var dx = dy
    var (dscale, dbias) = (scale.map { _ in 0.0 }, scale.map { _ in 0.0 })
    for (row, inverse) in inverses.enumerated() {
      let start = row * count
      var (sum, dot) = (0.0, 0.0)
      for place in 0..<count {
        let g = dy[start + place] * scale[place]
        sum += g
        dot += g * normal[start + place]
        dscale[place] += dy[start + place] * normal[start + place]
        dbias[place] += dy[start + place]
      }
      for place in 0..<count {
        let g = dy[start + place] * scale[place]
        dx[start + place] =
          (g - sum / Double(count) - normal[start + place] * dot / Double(count)) * inverse
      }
    }
    return [
      ReferenceArray(dx, inputs[0].type), ReferenceArray(dscale, inputs[1].type),
      ReferenceArray(dbias, inputs[1].type),
    ]
  }
}
