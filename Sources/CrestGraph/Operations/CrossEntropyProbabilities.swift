import CrestTensor

/// Cross-entropy of logits with target probabilities, one loss for each row (ours; PyTorch
/// `cross_entropy` with probabilities and `reduction='none'`).
///
///     p = softmax(logits),   t = (1 - smoothing) · target + smoothing / C
///     loss = -Σ_c t[c] · log p[c]
///
/// Inputs are logits and targets, both [N, C, d…]; the output is [N, d…].
package struct CrossEntropyProbabilities: ClassOperation, BoundedOperation, TrainingOperation {
  /// The part of each target that is spread evenly over all classes, in 0...1.
  package let smoothing: Double

  /// A cross-entropy with label smoothing.
  package init(smoothing: Double = 0) { self.smoothing = smoothing }

  /// [N, d…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    return [try OperationError.checkProbabilities(inputs[0], inputs[1], smoothing: smoothing)]
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (logits, targets) = (inputs[0].reals, inputs[1].reals)
    let shape = inputs[0].shape
    let losses = inputs[0].lines(along: 1).map { line in
      let logarithms = logSoftmax(line.map { logits[$0] })
      return zip(line, logarithms).reduce(0) { sum, next in
        sum - smoothed(targets[next.0], smoothing, line.count) * next.1
      }
    }
    return [
      ReferenceArray(
        losses,
        ValueType(Shape([shape[0]] + shape.dimensions[2...]), inputs[0].type.elementType))
    ]
  }

  /// `CrossEntropyProbabilitiesGradient` to the logits, -(1 - smoothing) · log p · dy to the
  /// targets.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (logits, targets, dy) = (context.inputs[0], context.inputs[1], context.outputGradient)
    let operation = CrossEntropyProbabilitiesGradient(smoothing: smoothing)
    let perRow = Shape([logits.shape[0], 1] + logits.shape.dimensions[2...])
    return [
      try context.isNeeded[0] ? logits.applying(operation, targets, dy) : nil,
      try context.isNeeded[1]
        ? logits.logSoftmax(axis: 1) * (smoothing - 1) * dy.reshaped(exactlyTo: perRow) : nil,
    ]
  }
}

/// (softmax(logits) · Σ t - t) · dy: the gradient of `CrossEntropyProbabilities` with respect to
/// the logits from (logits, targets, dy) (ours).
package struct CrossEntropyProbabilitiesGradient: ClassOperation, BoundedOperation,
  TrainingOperation
{
  /// The part of each target that is spread evenly over all classes, in 0...1.
  package let smoothing: Double

  /// The gradient of a cross-entropy.
  package init(smoothing: Double) { self.smoothing = smoothing }

  /// The type of the logits.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 3...3)
    let losses = try OperationError.checkProbabilities(inputs[0], inputs[1], smoothing: smoothing)
    try OperationError.checkSameElementType(inputs)
    try OperationError.check(gradient: inputs[2].shape, of: losses.shape)
    return [inputs[0]]
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (targets, dy) = (inputs[1].reals, inputs[2].reals)
    let softmax = Softmax(axis: 1).evaluate([inputs[0]], random: random)[0].reals
    var dlogits = softmax
    for (row, line) in inputs[0].lines(along: 1).enumerated() {
      let goals = line.map { smoothed(targets[$0], smoothing, line.count) }
      let sum = goals.reduce(0, +)
      for (place, goal) in zip(line, goals) {
        dlogits[place] = (softmax[place] * sum - goal) * dy[row]
      }
    }
    return [ReferenceArray(dlogits, inputs[0].type)]
  }
}

private func smoothed(_ target: Double, _ smoothing: Double, _ classCount: Int) -> Double {
  (1 - smoothing) * target + smoothing / Double(classCount)
}

extension OperationError {
  /// Refuses targets that don't belong to logits; returns the type of the losses.
  fileprivate static func checkProbabilities(
    _ logits: ValueType, _ targets: ValueType, smoothing: Double
  ) throws(OperationError) -> ValueType {
    try checkSameElementType([logits, targets])
    let losses = try checkLogits(logits, smoothing: smoothing)
    guard targets.shape == logits.shape else {
      throw OperationError(
        expected: "target probabilities \(logits.shape), like the logits", got: "\(targets.shape)")
    }
    return losses
  }
}

extension Symbol {
  /// Returns the cross-entropy of these logits [N, C, d…] with target probabilities of the same
  /// shape, one loss [N, d…] for each row (PyTorch `cross_entropy`, `reduction='none'`).
  ///
  /// - Parameters:
  ///   - probabilities: The targets.
  ///   - smoothing: The fraction of each target that is spread evenly over all classes.
  /// - Returns: The losses [N, d…].
  /// - Throws: ``GraphError`` when the shapes don't fit or the smoothing is out of range.
  public func crossEntropy(probabilities: Symbol, smoothing: Double = 0) throws -> Symbol {
    try applying(CrossEntropyProbabilities(smoothing: smoothing), probabilities)
  }
}
