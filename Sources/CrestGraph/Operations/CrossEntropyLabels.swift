import CrestTensor

/// Cross-entropy of logits with class labels, one loss for each label (ours; PyTorch
/// `cross_entropy` with class indices and `reduction='none'`; ONNX `SoftmaxCrossEntropyLoss`, opset
/// 13).
///
///     loss = -(1 - smoothing) · log p[label] - smoothing / C · Σ_c log p[c],   p = softmax(logits)
///
/// Inputs are logits [N, C, d…] and labels, `int64` [N, d…] in 0 ..< C; the output is [N, d…].
package struct CrossEntropyLabels: ClassOperation, TrainingOperation {
  /// The part of each target that is spread evenly over all classes, in 0...1.
  package let smoothing: Double

  /// A cross-entropy with label smoothing.
  package init(smoothing: Double = 0) { self.smoothing = smoothing }

  /// [N, d…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    return [try OperationError.checkLabels(inputs[0], inputs[1], smoothing: smoothing)]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.elements, indices: [1: .init(count: inputs[0].shape[1], countsFromEnd: false)])
  }

  /// The formula as it stands.
  ///
  /// - Throws: ``GraphError/IndexOutOfRange`` for a label that isn't a class.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let logits = inputs[0].reals
    let labels = inputs[1].integers
    let losses = try inputs[0].lines(along: 1).enumerated().map {
      (row, line) throws(GraphError.IndexOutOfRange) -> Double in
      let logarithms = logSoftmax(line.map { logits[$0] })
      let own = -logarithms[try checkedClass(labels[row], of: line.count, at: row)]
      guard smoothing > 0 else { return own }
      return (1 - smoothing) * own - smoothing / Double(line.count) * logarithms.reduce(0, +)
    }
    return [ReferenceArray(losses, ValueType(inputs[1].shape, inputs[0].type.elementType))]
  }

  /// `CrossEntropyLabelsGradient`; none to the labels.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let operation = CrossEntropyLabelsGradient(smoothing: smoothing)
    let dlogits = try context.inputs[0].applying(
      operation, context.inputs[1], context.outputGradient)
    return [dlogits, nil]
  }
}

/// (softmax(logits) - target) · dy: the gradient of `CrossEntropyLabels` from (logits, labels,
/// dy) (ours).
///
/// The target is smoothing / C, and 1 - smoothing more at the label.
package struct CrossEntropyLabelsGradient: ClassOperation, TrainingOperation {
  /// The part of each target that is spread evenly over all classes, in 0...1.
  package let smoothing: Double

  /// The gradient of a cross-entropy.
  package init(smoothing: Double) { self.smoothing = smoothing }

  /// The type of the logits.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 3...3)
    let losses = try OperationError.checkLabels(inputs[0], inputs[1], smoothing: smoothing)
    try OperationError.checkSameElementType([inputs[0], inputs[2]])
    try OperationError.check(gradient: inputs[2].shape, of: losses.shape)
    return [inputs[0]]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.elements, indices: [1: .init(count: inputs[0].shape[1], countsFromEnd: false)])
  }

  /// The formula as it stands.
  ///
  /// - Throws: ``GraphError/IndexOutOfRange`` for a label that isn't a class.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let (labels, dy) = (inputs[1].integers, inputs[2].reals)
    let softmax = Softmax(axis: 1).evaluate([inputs[0]], random: random)[0].reals
    var dlogits = softmax
    for (row, line) in inputs[0].lines(along: 1).enumerated() {
      let label = try checkedClass(labels[row], of: line.count, at: row)
      for (number, place) in line.enumerated() {
        let target = smoothing / Double(line.count) + (number == label ? 1 - smoothing : 0)
        dlogits[place] = (softmax[place] - target) * dy[row]
      }
    }
    return [ReferenceArray(dlogits, inputs[0].type)]
  }
}

private func checkedClass(
  _ label: Int64, of count: Int, at row: Int
) throws(GraphError.IndexOutOfRange) -> Int {
  guard (0..<Int64(count)).contains(label) else {
    throw GraphError.IndexOutOfRange(index: label, place: row, size: count, countsFromEnd: false)
  }
  return Int(label)
}

extension OperationError {
  /// Refuses labels that don't belong to logits; returns the type of the losses.
  fileprivate static func checkLabels(
    _ logits: ValueType, _ labels: ValueType, smoothing: Double
  ) throws(OperationError) -> ValueType {
    let losses = try checkLogits(logits, smoothing: smoothing)
    guard labels.elementType == .int64, labels.shape == losses.shape else {
      throw OperationError(
        expected: "int64 labels \(losses.shape) for logits \(logits.shape)", got: "\(labels)")
    }
    return losses
  }

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
  ///   - labels: `int64`, each in 0 ..< C.
  ///   - smoothing: The fraction of each target that is spread evenly over all classes.
  /// - Returns: The losses [N, d…].
  /// - Throws: ``GraphError`` when the shapes don't fit or the smoothing is out of range.
  public func crossEntropy(labels: Symbol, smoothing: Double = 0) throws -> Symbol {
    try applying(CrossEntropyLabels(smoothing: smoothing), labels)
  }
}
