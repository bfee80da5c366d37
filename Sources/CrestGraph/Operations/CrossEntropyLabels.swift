import CrestTensor

/// Cross-entropy of logits, or of logarithms of probabilities, with class labels, one loss for each label
/// (ours; PyTorch `cross_entropy` and `nll_loss` with class indices and `reduction='none'`; ONNX
/// `SoftmaxCrossEntropyLoss`, opset 13).
///
///     loss = -(1 - smoothing) · w[label] · log p[label] - smoothing / C · Σ_c w[c] · log p[c]
///     p = softmax(logits); the loss of an ignored label is 0
///
/// Inputs are logits or logarithms [N, C, d…], labels, `int64` [N, d…] in 0 ..< C, and perhaps weights w [C], which
/// are 1 otherwise; the output is [N, d…].
package struct CrossEntropyLabels: ClassOperation, TrainingOperation {
  /// What the labels are compared with, and how.
  package struct Form: Sendable, Hashable {
    /// The part of each target that is spread evenly over all classes, in 0...1.
    package var smoothing = 0.0
    /// The label that doesn't count; none when nil.
    package var ignoredLabel: Int64?
    /// Whether the first input holds log p rather than logits.
    package var isOfLogarithms = false
    /// Whether a label in -C ..< 0 counts from the end.
    package var countsFromEnd = false

    package init(smoothing: Double = 0, ignoredLabel: Int? = nil) {
      self.smoothing = smoothing
      self.ignoredLabel = ignoredLabel.map(Int64.init)
    }
  }

  package let form: Form

  /// A cross-entropy of a form.
  package init(_ form: Form) { self.form = form }

  /// A cross-entropy with label smoothing.
  package init(smoothing: Double = 0) { self.init(Form(smoothing: smoothing)) }

  package var classInputs: Set<Int> { [2] }

  /// [N, d…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...3)
    return [try form.check(inputs[0], inputs[1], weights: inputs.dropFirst(2).first)]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    form.demands(inputs[0])
  }

  /// The formula as it stands.
  ///
  /// - Throws: ``GraphError/IndexOutOfRange`` for a label that isn't a class.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let (values, labels) = (inputs[0].reals, inputs[1].integers)
    let weights = inputs.dropFirst(2).first?.reals
    let losses = try inputs[0].lines(along: 1).enumerated().map {
      (row, line) throws(GraphError.IndexOutOfRange) -> Double in
      guard let label = try form.checkedClass(labels[row], of: line.count, at: row) else {
        return 0
      }
      let line = line.map { values[$0] }
      let logarithms = form.isOfLogarithms ? line : logSoftmax(line)
      func term(_ place: Int) -> Double {
        let weight = weights?[place] ?? 1
        // A class that doesn't count may be ruled out by a logit of -∞.
        return weight == 0 ? 0 : -weight * logarithms[place]
      }
      guard form.smoothing > 0 else { return term(label) }
      return (1 - form.smoothing) * term(label)
        + form.smoothing / Double(line.count) * line.indices.reduce(0) { $0 + term($1) }
    }
    return [ReferenceArray(losses, ValueType(inputs[1].shape, inputs[0].type.elementType))]
  }

  /// `CrossEntropyLabelsGradient` and, to weights, the terms that they are factors of; none to the labels.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (x, labels, dy) = (context.inputs[0], context.inputs[1], context.outputGradient)
    let operation = CrossEntropyLabelsGradient(form)
    let isWeighted = context.inputs.count > 2
    let gradient = try x.builder.apply(
      operation, [x, labels, dy] + (isWeighted ? [context.inputs[2]] : []))[0]
    guard isWeighted else { return [gradient, nil] }
    guard context.isNeeded[2] else { return [gradient, nil, nil] }
    let classCount = x.shape[1]
    let own = try labels.oneHotLabels(
      classCount: classCount, ignoredLabel: form.ignoredLabel.map(Int.init), like: x)
    let counts = try own.sum(axes: [1], keepingDimensions: true)
    let target = try own * (1 - form.smoothing) + counts * (form.smoothing / Double(classCount))
    let logarithms = form.isOfLogarithms ? x : try x.logSoftmax(axis: 1)
    let terms = try -logarithms * target * dy.unsqueezed(axes: [1])
    let others = terms.shape.indices.filter { $0 != 1 }
    return [gradient, nil, try terms.sum(axes: Array(others), keepingDimensions: false)]
  }
}

/// The gradient of `CrossEntropyLabels` from (logits or logarithms, labels, dy, perhaps weights) (ours).
///
///     t = smoothing / C · w[c], and (1 - smoothing) · w[label] more at the label; 0 where it is ignored
///     of logits (softmax(logits) · Σ t - t) · dy, of logarithms -t · dy
package struct CrossEntropyLabelsGradient: ClassOperation, TrainingOperation {
  package let form: CrossEntropyLabels.Form

  /// The gradient of a cross-entropy.
  package init(_ form: CrossEntropyLabels.Form) { self.form = form }

  /// The gradient of a cross-entropy with label smoothing.
  package init(smoothing: Double) { self.init(CrossEntropyLabels.Form(smoothing: smoothing)) }

  package var classInputs: Set<Int> { [3] }

  /// The type of the logits.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 3...4)
    let losses = try form.check(inputs[0], inputs[1], weights: inputs.dropFirst(3).first)
    try OperationError.checkSameElementType([inputs[0], inputs[2]])
    try OperationError.check(gradient: inputs[2].shape, of: losses.shape)
    return [inputs[0]]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    form.demands(inputs[0])
  }

  /// The formula as it stands.
  ///
  /// - Throws: ``GraphError/IndexOutOfRange`` for a label that isn't a class.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let (labels, dy) = (inputs[1].integers, inputs[2].reals)
    let weights = inputs.dropFirst(3).first?.reals
    let softmax =
      form.isOfLogarithms ? nil : Softmax(axis: 1).evaluate([inputs[0]], random: random)[0].reals
    var gradient = [Double](repeating: 0, count: inputs[0].reals.count)
    for (row, line) in inputs[0].lines(along: 1).enumerated() {
      guard let label = try form.checkedClass(labels[row], of: line.count, at: row) else {
        continue
      }
      let targets = line.indices.map { place in
        (weights?[place] ?? 1)
          * (form.smoothing / Double(line.count) + (place == label ? 1 - form.smoothing : 0))
      }
      let sum = targets.reduce(0, +)
      for (target, place) in zip(targets, line) {
        gradient[place] = ((softmax?[place] ?? 0) * sum - target) * dy[row]
      }
    }
    return [ReferenceArray(gradient, inputs[0].type)]
  }
}

extension CrossEntropyLabels.Form {
  /// What labels of these logits may be.
  fileprivate func demands(_ logits: ValueType) -> Demands {
    Demands(
      .elements,
      indices: [
        1: .init(count: logits.shape[1], countsFromEnd: countsFromEnd, ignored: ignoredLabel)
      ])
  }

  /// The class of a label; nil for the ignored one.
  fileprivate func checkedClass(
    _ label: Int64, of count: Int, at row: Int
  ) throws(GraphError.IndexOutOfRange) -> Int? {
    if label == ignoredLabel { return nil }
    let least = countsFromEnd ? -Int64(count) : 0
    guard (least..<Int64(count)).contains(label) else {
      throw GraphError.IndexOutOfRange(
        index: label, place: row, size: count, countsFromEnd: countsFromEnd)
    }
    return Int(label < 0 ? label + Int64(count) : label)
  }

  /// Refuses labels and weights that don't belong to logits; returns the type of the losses.
  fileprivate func check(
    _ logits: ValueType, _ labels: ValueType, weights: ValueType?
  ) throws(OperationError) -> ValueType {
    let losses = try OperationError.checkLogits(logits, smoothing: smoothing)
    guard labels.elementType == .int64, labels.shape == losses.shape else {
      throw OperationError(
        expected: "int64 labels \(losses.shape) for logits \(logits.shape)", got: "\(labels)")
    }
    let expected = ValueType([logits.shape[1]], logits.elementType)
    guard weights == nil || weights == expected else {
      throw OperationError(
        expected: "weights \(expected) for logits \(logits.shape)",
        got: weights.map { "\($0)" } ?? "none")
    }
    return losses
  }
}

extension OperationError {
  /// Refuses logits without classes and a smoothing out of range; returns the type of the losses.
  static func checkLogits(
    _ logits: ValueType, smoothing: Double
  ) throws(OperationError) -> ValueType {
    try checkFloat(logits, "input of logits")
    let shape = logits.shape
    guard shape.rank >= 2, shape[1] >= 1 else {
      throw OperationError(
        expected: "logits [N, C, …] of at least one class", got: "\(shape)")
    }
    guard (0...1).contains(smoothing) else {
      throw OperationError(expected: "a label smoothing in 0...1", got: "\(smoothing)")
    }
    return ValueType(
      Shape([shape[0]] + shape.dimensions[2...]), logits.elementType)
  }
}

extension Symbol {
  /// Returns the cross-entropy of these logits [N, C, d…] with class labels [N, d…], one loss each
  /// (PyTorch `cross_entropy`, `reduction='none'`).
  ///
  /// - Parameters:
  ///   - labels: `int64`, each in 0 ..< C, or the ignored one.
  ///   - smoothing: The fraction of each target that is spread evenly over all classes.
  ///   - weights: [C], the weight of each class; 1 when nil.
  ///   - ignoredLabel: The label whose loss and gradient are 0; none when nil.
  /// - Returns: The losses [N, d…].
  /// - Throws: ``GraphError`` when the shapes don't fit or the smoothing is out of range.
  public func crossEntropy(
    labels: Symbol, smoothing: Double = 0, weights: Symbol? = nil, ignoredLabel: Int? = nil
  ) throws -> Symbol {
    try labelLosses(
      of: labels, weights,
      CrossEntropyLabels.Form(smoothing: smoothing, ignoredLabel: ignoredLabel))
  }

  /// The losses of labels in a form.
  package func labelLosses(
    of labels: Symbol, _ weights: Symbol?, _ form: CrossEntropyLabels.Form
  ) throws -> Symbol {
    try builder.apply(CrossEntropyLabels(form), [self, labels] + (weights.map { [$0] } ?? []))[0]
  }
}
