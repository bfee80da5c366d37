import CrestTensor

/// Normalisation of each example by its root mean square (ONNX `RMSNormalization`, opset 23; PyTorch `RMSNorm`).
///
///     y = x / √(mean(x²) + ε) · scale, the mean over the axes from `axis` on
///
/// Inputs are x and scale, which has the sizes of these axes. Zhang & Sennrich 2019.
package struct RMSNormalization: BoundedOperation {
  /// The first axis normalised over, not negative.
  package let axis: Int
  /// Added to the mean square before the root.
  package let epsilon: Double

  package init(axis: Int, epsilon: Double) {
    self.axis = axis
    self.epsilon = epsilon
  }

  /// The type of x.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkFloat(inputs[0])
    try OperationError.checkSameElementType(inputs)
    guard (0..<inputs[0].shape.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(inputs[0].shape)", got: "\(axis)")
    }
    let sizes = Shape(Array(inputs[0].shape.dimensions[axis...]))
    guard inputs[1].shape == sizes else {
      throw OperationError(expected: "a scale \(sizes)", got: "\(inputs[1].shape)")
    }
    guard epsilon >= 0, epsilon.isFinite else {
      throw OperationError(expected: "a finite epsilon of at least 0", got: "\(epsilon)")
    }
    return [inputs[0]]
  }

  /// Each example independently, unless the axes count them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.requireShared("scales")
    return try context.flow(
      of: self, along: Array(axis..<context.inputs[0].rank), "normalises along the batch axis")
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (x, scale) = (inputs[0].reals, inputs[1].reals)
    var y = x
    for start in stride(from: 0, to: x.count, by: max(scale.count, 1)) {
      let line = start..<start + scale.count
      let meanSquare = line.reduce(0) { $0 + x[$1] * x[$1] } / Double(scale.count)
      let root = (meanSquare + epsilon).squareRoot()
      for place in line { y[place] = x[place] / root * scale[place - start] }
    }
    return [ReferenceArray(y, inputs[0].type)]
  }

  /// With r = 1 / √(mean(x²) + ε) and g = dy · scale: dx = r · (g - x · r² · mean(g · x)), dscale = Σ dy · x · r.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (x, scale, dy) = (context.inputs[0], context.inputs[1], context.outputGradient)
    let axes = Array(axis..<x.shape.rank)
    let inverse = try x.inverseRootMeanSquare(axes: axes, epsilon: epsilon)
    let dx =
      try context.isNeeded[0]
      ? {
        let gradient = try dy * scale
        let mean = try (gradient * x).mean(axes: axes, keepingDimensions: true)
        return try inverse * (gradient - x * (inverse * inverse * mean))
      }() : nil
    let dscale =
      try context.isNeeded[1] ? (dy * x * inverse).sum(axes: Array(0..<axis)) : nil
    return [dx, dscale]
  }

  package func decomposed(_ inputs: [Symbol]) throws -> [Symbol]? {
    let x = inputs[0]
    let inverse = try x.inverseRootMeanSquare(
      axes: Array(axis..<x.shape.rank), epsilon: epsilon)
    return [try x * inverse * inputs[1]]
  }
}

extension Symbol {
  /// Returns this divided by its root mean square over the axes from `axis` on (ONNX `RMSNormalization`, opset 23).
  ///
  ///     y = x / √(mean(x²) + ε) · scale
  ///
  /// - Parameters:
  ///   - scale: What broadcasts to the sizes of these axes.
  ///   - axis: The first axis normalised over; a negative one counts from the end.
  ///   - epsilon: Added to the mean square before the root.
  /// - Returns: A value of this one's type.
  /// - Throws: ``GraphError`` when the axis is out of range, the scale doesn't broadcast, or the elements aren't floats.
  public func rmsNormalized(
    scale: Symbol, axis: Int = -1, epsilon: Double = 1e-5
  ) throws -> Symbol {
    let axis = try resolvedAxis(axis, "RMSNormalization")
    let sizes = Shape(Array(shape.dimensions[axis...]))
    guard scale.shape.broadcast(with: sizes) == sizes else {
      throw GraphError(
        path: builder.path, operation: "RMSNormalization",
        expected: "a scale that broadcasts to \(sizes)", got: "\(scale.shape)")
    }
    let whole = scale.shape == sizes ? scale : try scale.expanded(to: sizes)
    return try applying(RMSNormalization(axis: axis, epsilon: epsilon), whole)
  }

  /// 1 / √(mean(x²) + ε) over axes, which stay with size 1.
  fileprivate func inverseRootMeanSquare(axes: [Int], epsilon: Double) throws -> Symbol {
    let meanSquare = try (self * self).mean(axes: axes, keepingDimensions: true)
    return try (meanSquare + epsilon).squareRoot().reciprocal()
  }
}
