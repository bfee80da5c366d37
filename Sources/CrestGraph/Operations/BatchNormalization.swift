import CrestTensor

/// Which variance goes into a batch norm's running statistics.
public enum BatchNormConvention: String, Sendable, Hashable, Codable, CaseIterable {
  /// The population variance, Σ(x - mean)² / n, as ONNX `BatchNormalization` and Keras.
  case onnx
  /// The unbiased variance, Σ(x - mean)² / (n - 1), as PyTorch `BatchNorm2d`.
  case torch
}

/// Normalisation of each channel (ONNX `BatchNormalization`, opset 15), before it is known whether
/// a graph is to train or to predict.
///
/// Inputs are x [N, C, …], scale, bias, running mean and running variance, [C] each; outputs are y
/// and the running statistics after the step. In training it becomes `BatchNormTraining` with
/// new = running · momentum + batch · (1 - momentum); in inference `BatchNormInference`, with the
/// statistics as they were. Its reference meaning is that of inference.
package struct BatchNormalization: BoundedOperation {
  /// Added to the variance before the root.
  package let epsilon: Double
  /// The part of the running statistics that stays (PyTorch's `momentum` is one minus this).
  package let momentum: Double
  /// Which variance updates the running one.
  package let convention: BatchNormConvention

  /// A normalisation.
  package init(
    epsilon: Double = 1e-5, momentum: Double = 0.9, convention: BatchNormConvention = .onnx
  ) {
    self.epsilon = epsilon
    self.momentum = momentum
    self.convention = convention
  }

  /// The type of x, and of both statistics.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 5...5)
    let statistics = try OperationError.checkNormalization(inputs, epsilon: epsilon)
    guard (0...1).contains(momentum) else {
      throw OperationError(expected: "a momentum in 0...1", got: "\(momentum)")
    }
    return [inputs[0], statistics, statistics]
  }

  package var keepsScale: Bool { true }

  /// Each example independently, as in inference: that training normalises by the batch is what it
  /// is for.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.requireShared("scales or statistics")
    let flow = try context.flow(
      of: self, along: [1], "has a separate scale for each index in the batch")
    return RowFlow(flow.outputs[0], .shared, .shared, of: self)
  }

  /// What `BatchNormInference` gives, and the running statistics.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    BatchNormInference(epsilon: epsilon).evaluate(inputs, random: random) + inputs[3...]
  }

  /// Refuses: only what stands in for it in a mode has a gradient.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    throw GraphError(
      path: context.path, operation: name,
      expected: "a graph replayed for training or inference", got: "one for both",
      advice: "differentiate what GraphBuilder.replay returns")
  }

  /// The normalisation of the mode, and what the running statistics become in it.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? {
    let (x, mean, variance) = (inputs[0], inputs[3], inputs[4])
    if mode == .inference {
      let y = try x.builder.apply(BatchNormInference(epsilon: epsilon), inputs)
      return y + [mean, variance]
    }
    let count = x.shape.elementCount / Swift.max(x.shape[1], 1)
    guard convention == .onnx || count != 1 else {
      throw GraphError(
        path: x.builder.path, operation: name,
        expected: "more than one value per channel when training", got: "\(x.shape)",
        advice: "use larger batches, or the convention .onnx, whose variance of one value is 0")
    }
    let batch = try x.builder.apply(BatchNormTraining(epsilon: epsilon), Array(inputs[..<3]))
    let followed =
      try convention == .onnx ? batch[2] : batch[2] * (Double(count) / Double(count - 1))
    return [
      batch[0],
      try mean * momentum + batch[1] * (1 - momentum),
      try variance * momentum + followed * (1 - momentum),
    ]
  }
}

extension OperationError {
  /// Refuses what can't be normalised by channel; returns the type of a statistic.
  static func checkNormalization(
    _ inputs: [ValueType], epsilon: Double
  ) throws(OperationError) -> ValueType {
    try checkSameElementType(inputs)
    try checkFloat(inputs[0])
    let shape = inputs[0].shape
    guard shape.rank >= 2 else {
      throw OperationError(expected: "an input [N, C, …]", got: "\(shape)")
    }
    let statistics = Shape([shape[1]])
    guard inputs.dropFirst().allSatisfy({ $0.shape == statistics }) else {
      throw OperationError(
        expected:
          "\(statistics) for each of the other inputs, as \(shape) has \(shape[1]) channels",
        got: inputs.dropFirst().map(\.shape.description).joined(separator: ", "))
    }
    guard epsilon >= 0, epsilon.isFinite else {
      throw OperationError(expected: "a finite epsilon of at least 0", got: "\(epsilon)")
    }
    return ValueType(statistics, inputs[0].elementType)
  }
}

extension Symbol {
  /// A value for each channel seen as one that broadcasts over `x`, [N, C, …].
  func perChannel(of x: Symbol) throws -> Symbol {
    try reshaped(
      exactlyTo: Shape([shape[0]] + [Int](repeating: 1, count: x.shape.rank - 2)))
  }

  /// Returns this, [N, C, …], normalised by channel, and the running statistics after the step
  /// (ONNX `BatchNormalization`).
  ///
  /// - Parameters:
  ///   - scale: [C], what each normalised channel is multiplied by.
  ///   - bias: [C], what is then added.
  ///   - runningMean: [C], the mean in inference.
  ///   - runningVariance: [C], the variance in inference.
  ///   - epsilon: What is added to the variance.
  ///   - momentum: The fraction of the running statistics that a step keeps.
  ///   - convention: Which variance updates the running one.
  /// - Returns: The normalised value and the statistics, [C] each.
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func batchNormalized(
    scale: Symbol, bias: Symbol, runningMean: Symbol, runningVariance: Symbol,
    epsilon: Double = 1e-5, momentum: Double = 0.9, convention: BatchNormConvention = .onnx
  ) throws -> (y: Symbol, mean: Symbol, variance: Symbol) {
    let outputs = try builder.apply(
      BatchNormalization(epsilon: epsilon, momentum: momentum, convention: convention),
      [self, scale, bias, runningMean, runningVariance])
    return (outputs[0], outputs[1], outputs[2])
  }
}
