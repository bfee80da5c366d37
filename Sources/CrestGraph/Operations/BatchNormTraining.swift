import CrestTensor

/// Normalisation of each channel by the statistics of the batch (ours; ONNX `BatchNormalization`
/// with `training_mode`, opset 15).
///
///     y = (x - mean) / √(variance + ε) · scale + bias
///
/// Inputs are x [N, C, …], scale and bias [C]; outputs are y, the mean and the population variance
/// of each channel over the other axes.
package struct BatchNormTraining: ChannelOperation, BoundedOperation {
  /// Added to the variance before the root.
  package let epsilon: Double

  /// A normalisation.
  package init(epsilon: Double) { self.epsilon = epsilon }

  /// The type of x, and of both statistics.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 3...3)
    let statistics = try OperationError.checkNormalization(inputs, epsilon: epsilon)
    guard inputs[0].shape.elementCount > 0 || inputs[0].shape[1] == 0 else {
      throw OperationError(
        expected: "at least one value per channel when training", got: "\(inputs[0].shape)")
    }
    return [inputs[0], statistics, statistics]
  }

  /// Not of one example: it normalises by the statistics of all.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    for input in context.rows.indices where context.axis(input) != nil {
      throw .combined("normalises with the statistics of the batch")
    }
    return RowFlow(.shared, .shared, .shared, of: self)
  }

  /// Mean, variance, and with them the normalisation.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let x = inputs[0]
    let type = ValueType(inputs[1].shape, x.type.elementType)
    let channels = ChannelValues(x)
    let means = channels.values.map { $0.reduce(0, +) / Double($0.count) }
    let variances = zip(channels.values, means).map { values, mean in
      values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    }
    let statistics = [ReferenceArray(means, type), ReferenceArray(variances, type)]
    return BatchNormInference(epsilon: epsilon).evaluate(inputs + statistics, random: random)
      + statistics
  }

  /// `BatchNormTrainingGradient`.
  ///
  /// - Throws: ``GraphError`` when the loss depends on the statistics other than through y.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    guard let dy = context.outputGradients[0], context.outputGradients[1] == nil,
      context.outputGradients[2] == nil
    else {
      throw GraphError(
        path: context.path, operation: name,
        expected: "a loss that depends on the normalised output only",
        got: "one that depends on the mean or variance of the batch",
        advice: "keep the running statistics out of the loss")
    }
    return try context.builder.apply(
      BatchNormTrainingGradient(epsilon: epsilon),
      [context.inputs[0], dy, context.inputs[1], context.outputs[1], context.outputs[2]])
  }
}

/// The gradient of `BatchNormTraining` (ours).
///
///     x̂ = (x - mean) / √(variance + ε)
///     dbias = Σ dy,   dscale = Σ dy · x̂
///     dx = scale / √(variance + ε) · (dy - dbias / n - x̂ · dscale / n)
///
/// Inputs are x, dy [N, C, …], scale, and mean and variance of the batch [C]; outputs are dx,
/// dscale and dbias. n is the number of values of a channel.
package struct BatchNormTrainingGradient: ChannelOperation, BoundedOperation, TrainingOperation {
  /// Added to the variance before the root.
  package let epsilon: Double

  /// The gradient of a normalisation.
  package init(epsilon: Double) { self.epsilon = epsilon }

  /// The types of x, scale and bias.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 5...5)
    let others = Array(inputs[2...])
    let statistics = try OperationError.checkNormalization([inputs[0]] + others, epsilon: epsilon)
    try OperationError.checkSameElementType(inputs)
    try OperationError.check(gradient: inputs[1].shape, of: inputs[0].shape)
    return [inputs[0], statistics, statistics]
  }

  /// The formulas as they stand.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (x, dy) = (inputs[0].reals, inputs[1].reals)
    let (scale, mean, variance) = (inputs[2].reals, inputs[3].reals, inputs[4].reals)
    let channels = ChannelValues(inputs[0])
    let inverses = variance.map { 1 / ($0 + epsilon).squareRoot() }
    var biasGradient = scale.map { _ in 0.0 }
    var scaleGradient = biasGradient
    let normalized = x.indices.map { element in
      let channel = channels.channel(element)
      return (x[element] - mean[channel]) * inverses[channel]
    }
    for element in x.indices {
      let channel = channels.channel(element)
      biasGradient[channel] += dy[element]
      scaleGradient[channel] += dy[element] * normalized[element]
    }
    let dx = x.indices.map { element in
      let channel = channels.channel(element)
      let count = Double(channels.values[channel].count)
      let centred = dy[element] - biasGradient[channel] / count
      return scale[channel] * inverses[channel]
        * (centred - normalized[element] * scaleGradient[channel] / count)
    }
    return [
      ReferenceArray(dx, inputs[0].type),
      ReferenceArray(scaleGradient, inputs[2].type),
      ReferenceArray(biasGradient, inputs[2].type),
    ]
  }
}

/// The elements of a value [N, C, …] by channel.
struct ChannelValues {
  /// The elements of each channel, in row-major order.
  let values: [[Double]]
  private let channelCount: Int
  private let spatial: Int

  /// The elements of `x`.
  init(_ x: ReferenceArray) {
    let (count, spatial) = (x.shape[1], x.shape.dimensions.dropFirst(2).reduce(1, *))
    channelCount = count
    self.spatial = spatial
    var values = [[Double]](repeating: [], count: count)
    for (element, value) in x.reals.enumerated() {
      values[element / spatial % count].append(value)
    }
    self.values = values
  }

  /// The channel of an element.
  func channel(_ element: Int) -> Int { element / spatial % channelCount }
}
