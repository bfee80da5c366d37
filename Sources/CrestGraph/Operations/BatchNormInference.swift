import CrestTensor

/// Normalisation of each channel by given statistics (ours; ONNX `BatchNormalization` in
/// inference).
///
///     y = (x - mean) / √(variance + ε) · scale + bias
///
/// Inputs are x [N, C, …], and scale, bias, mean and variance, [C] each.
package struct BatchNormInference: ChannelOperation, BoundedOperation {
  /// Added to the variance before the root.
  package let epsilon: Double

  /// A normalisation.
  package init(epsilon: Double) { self.epsilon = epsilon }

  /// The type of x.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 5...5)
    _ = try OperationError.checkNormalization(inputs, epsilon: epsilon)
    return [inputs[0]]
  }

  /// Each example independently, unless they lie along the channels.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.requireShared("scales or statistics")
    return try context.flow(
      of: self, along: [1], "has a separate scale for each index in the batch")
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (scale, bias) = (inputs[1].reals, inputs[2].reals)
    let (mean, variance) = (inputs[3].reals, inputs[4].reals)
    let channels = ChannelValues(inputs[0])
    let y = inputs[0].reals.enumerated().map { element, x in
      let channel = channels.channel(element)
      return (x - mean[channel]) / (variance[channel] + epsilon).squareRoot() * scale[channel]
        + bias[channel]
    }
    return [ReferenceArray(y, inputs[0].type)]
  }

  /// With f = 1 / √(variance + ε) and sums over all but the channels:
  /// dx = dy · scale · f, dscale = Σ dy · (x - mean) · f, dbias = Σ dy, dmean = -Σ dx,
  /// dvariance = -½ f² · scale · dscale.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (x, dy) = (context.inputs[0], context.outputGradient)
    let (scale, mean, variance) = (context.inputs[1], context.inputs[3], context.inputs[4])
    let others = [0] + (2..<x.shape.rank)
    let factor = try (variance + epsilon).squareRoot().reciprocal()
    func dx() throws -> Symbol { try dy * (scale * factor).perChannel(of: x) }
    func dscale() throws -> Symbol {
      try (dy * (x - mean.perChannel(of: x))).sum(axes: others) * factor
    }
    let parts: [() throws -> Symbol] = [
      dx, dscale, { try dy.sum(axes: others) }, { try -dx().sum(axes: others) },
      { try dscale() * scale * factor * factor * -0.5 },
    ]
    return try zip(parts, context.isNeeded).map { part, isNeeded in isNeeded ? try part() : nil }
  }
}
