import CrestTensor

extension Symbol {
  /// How losses become one (ONNX `reduction`).
  public enum LossReduction: String, Sendable, Hashable, CaseIterable {
    /// Each stays.
    case none
    /// Their sum.
    case sum
    /// Their sum over the sum of their weights.
    case mean
  }
}

extension Symbol {
  /// Returns the negative log-likelihood of labels [N, d…] under these log-probabilities [N, C, d…]
  /// (ONNX `NegativeLogLikelihoodLoss`, opset 13; PyTorch `nll_loss`).
  ///
  ///     loss = -weight[label] · x[label], 0 where the label is ignored
  ///
  /// - Parameters:
  ///   - labels: `int32` or `int64`, each in -C ..< C or the ignored one.
  ///   - weights: [C], the weight of each class; 1 when nil.
  ///   - ignoredLabel: The label that doesn't count; none when nil.
  ///   - reduction: How losses become one.
  /// - Returns: The losses [N, d…], or one, [].
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func negativeLogLikelihood(
    of labels: Symbol, weights: Symbol? = nil, ignoredLabel: Int? = nil,
    reduction: LossReduction = .mean
  ) throws -> Symbol {
    func refused(_ expected: String, _ got: String) -> GraphError {
      GraphError(
        path: builder.path, operation: "NegativeLogLikelihoodLoss", expected: expected, got: got)
    }
    guard elementType.isFloat, shape.rank >= 2 else {
      throw refused("float log-probabilities [N, C, …]", "\(type)")
    }
    let rows = Shape([shape[0]] + shape.dimensions[2...])
    guard labels.shape == rows, labels.elementType == .int64 || labels.elementType == .int32
    else {
      throw refused("int32 or int64 labels \(rows) for \(shape)", "\(labels.type)")
    }
    if let weights, weights.type != ValueType([shape[1]], elementType) {
      throw refused("weights \(ValueType([shape[1]], elementType))", "\(weights.type)")
    }
    // A graph of a file stays as its operator is defined, by operations whose rows are followed and which are exported.
    guard builder.stage != .loss else {
      return try lossOfLabels(labels, weights, ignoredLabel, reduction)
    }
    let isIgnored = try ignoredLabel.map { try labels.equal(to: labels.scalar(Double($0))) }
    // What is ignored may be no class, so class 0 stands in for it.
    let classes =
      try isIgnored.map { try labels.scalar(0).selected(where: $0, else: labels) }
      ?? labels
    let own = try gatheredElements(classes.unsqueezed(axes: [1]), axis: 1).squeezed(axes: [1])
    var weight = try weights?.gathered(classes) ?? scalar(1).expanded(to: rows)
    var losses = try -(weights == nil ? own : own * weight)
    if let isIgnored {
      weight = try scalar(0).selected(where: isIgnored, else: weight)
      losses = try scalar(0).selected(where: isIgnored, else: losses)
    }
    return switch reduction {
    case .none: losses
    case .sum: try losses.sum()
    case .mean: try losses.sum() / weight.sum()
    }
  }

  /// The negative log-likelihood by the operation that kernels run.
  private func lossOfLabels(
    _ labels: Symbol, _ weights: Symbol?, _ ignoredLabel: Int?, _ reduction: LossReduction
  ) throws -> Symbol {
    var form = CrossEntropyLabels.Form(ignoredLabel: ignoredLabel)
    (form.isOfLogarithms, form.countsFromEnd) = (true, true)
    let labels = try labels.cast(to: .int64)
    let losses = try labelLosses(of: labels, weights, form)
    switch reduction {
    case .none: return losses
    case .sum: return try losses.sum()
    case .mean:
      guard weights != nil || ignoredLabel != nil else { return try losses.mean() }
      // The loss of -1 everywhere is the label's weight.
      let ones = try scalar(-1).expanded(to: shape)
      return try losses.sum() / ones.labelLosses(of: labels, weights, form).sum()
    }
  }

  /// Returns the cross-entropy of these scores [N, C, d…] with labels [N, d…], and the
  /// log-probabilities (ONNX `SoftmaxCrossEntropyLoss`, opset 13; PyTorch `cross_entropy`).
  ///
  /// - Parameters:
  ///   - labels: `int32` or `int64`, each in -C ..< C or the ignored one.
  ///   - weights: [C], the weight of each class; 1 when nil.
  ///   - ignoredLabel: The label that doesn't count; none when nil.
  ///   - reduction: How losses become one.
  /// - Returns: The losses [N, d…], or one, [], and log softmax of the scores along axis 1.
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func softmaxCrossEntropy(
    of labels: Symbol, weights: Symbol? = nil, ignoredLabel: Int? = nil,
    reduction: LossReduction = .mean
  ) throws -> (loss: Symbol, logProbabilities: Symbol) {
    let logProbabilities = try logSoftmax(axis: 1)
    let loss = try logProbabilities.negativeLogLikelihood(
      of: labels, weights: weights, ignoredLabel: ignoredLabel, reduction: reduction)
    return (loss, logProbabilities)
  }
}
