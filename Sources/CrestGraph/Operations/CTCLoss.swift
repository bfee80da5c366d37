import CrestPlatform
import CrestTensor

/// The negative log-likelihood of label sequences, however they are spread over time (ours; PyTorch `ctc_loss` with
/// `reduction='none'`; Graves et al.: *Connectionist Temporal Classification*, 2006).
///
///     loss = -log Σ Π_t p_t(path_t), over the paths that become the labels when repetitions are merged and then
///            blanks left out; ∞ where there is none; p_t = softmax(logits_t)
///
/// Inputs are logits [N, T, C] and labels, `int64` [N, S], of which those that are padding or blank don't count; the
/// output is [N].
package struct CTCLoss: TrainingOperation {
  /// How labels are read.
  package struct Form: Sendable, Hashable {
    /// The class between labels.
    package let blank: Int64
    /// What fills up the labels of shorter sequences.
    package let padding: Int64
    /// Whether the loss of a sequence without a path is 0, and so is its gradient.
    package let zeroInfinity: Bool

    package init(blank: Int = 0, padding: Int = 0, zeroInfinity: Bool = false) {
      self.blank = Int64(blank)
      self.padding = Int64(padding)
      self.zeroInfinity = zeroInfinity
    }
  }

  package let form: Form

  package init(_ form: Form) { self.form = form }

  /// [N].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    return [try form.check(inputs[0], inputs[1])]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    form.demands(inputs[0], inputs[1])
  }

  /// The forward recursion in logarithms.
  ///
  /// - Throws: ``GraphError/IndexOutOfRange`` for a label that isn't a class.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let losses = try form.alignments(inputs).map { alignment in
      let loss = alignment.loss
      return loss == .infinity && form.zeroInfinity ? 0 : loss
    }
    return [ReferenceArray(losses, ValueType([losses.count], inputs[0].type.elementType))]
  }

  /// `CTCLossGradient`; none to the labels.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [
      try context.inputs[0].applying(
        CTCLossGradient(form), context.inputs[1], context.outputGradient), nil,
    ]
  }
}

/// The gradient of `CTCLoss` from (logits, labels, dy): dy · (p_t(k) - P(path_t = k | labels)) (ours).
///
/// NaN where there is no path, or 0 if such a loss is 0.
package struct CTCLossGradient: TrainingOperation {
  package let form: CTCLoss.Form

  package init(_ form: CTCLoss.Form) { self.form = form }

  /// The type of the logits.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 3...3)
    let losses = try form.check(inputs[0], inputs[1])
    try OperationError.checkSameElementType([inputs[0], inputs[2]])
    try OperationError.check(gradient: inputs[2].shape, of: losses.shape)
    return [inputs[0]]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    form.demands(inputs[0], inputs[1])
  }

  /// The forward and the backward recursion in logarithms.
  ///
  /// - Throws: ``GraphError/IndexOutOfRange`` for a label that isn't a class.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let dy = inputs[2].reals
    let gradients = try form.alignments(inputs).enumerated().flatMap { example, alignment in
      if alignment.loss == .infinity {
        let count = alignment.logarithms.count * inputs[0].shape[2]
        return [Double](repeating: form.zeroInfinity ? 0 : .nan, count: count)
      }
      return alignment.gradient.map { $0 * dy[example] }
    }
    return [ReferenceArray(gradients, inputs[0].type)]
  }
}

extension CTCLoss.Form {
  fileprivate func check(
    _ logits: ValueType, _ labels: ValueType
  ) throws(OperationError) -> ValueType {
    try OperationError.checkFloat(logits, "input of logits")
    let shape = logits.shape
    guard shape.rank == 3, shape[1] >= 1, shape[2] >= 1,
      blank >= 0, blank < Int64(shape[2])
    else {
      throw OperationError(
        expected:
          "logits [N, T, C] of at least one step, with the blank, \(blank), among the classes",
        got: "\(shape)")
    }
    guard labels.elementType == .int64, labels.shape.rank == 2, labels.shape[0] == shape[0] else {
      throw OperationError(
        expected: "int64 labels [\(shape[0]), S] for logits \(shape)", got: "\(labels)")
    }
    return ValueType([shape[0]], logits.elementType)
  }

  /// Steps times the states of an alignment.
  fileprivate func demands(_ logits: ValueType, _ labels: ValueType) -> Demands {
    let terms = [logits.shape[1], 2 * labels.shape[1] + 1 + logits.shape[2]]
    return Demands(
      Demands.products(Shape([logits.shape[0]]), terms: terms).work,
      indices: [1: .init(count: logits.shape[2], countsFromEnd: false, ignored: padding)])
  }

  /// The alignments of all examples.
  fileprivate func alignments(
    _ inputs: [ReferenceArray]
  ) throws(GraphError.IndexOutOfRange) -> [CTCAlignment] {
    let (logits, labels) = (inputs[0].reals, inputs[1].integers)
    let (steps, classCount, width) = (inputs[0].shape[1], inputs[0].shape[2], inputs[1].shape[1])
    var alignments: [CTCAlignment] = []
    for example in 0..<inputs[0].shape[0] {
      var own: [Int] = []
      for place in example * width..<(example + 1) * width {
        let label = labels[place]
        if label == padding || label == blank { continue }
        guard (0..<Int64(classCount)).contains(label) else {
          throw GraphError.IndexOutOfRange(
            index: label, place: place, size: classCount, countsFromEnd: false)
        }
        own.append(Int(label))
      }
      let lines = (0..<steps).map { step in
        let start = (example * steps + step) * classCount
        return logSoftmax(Array(logits[start..<start + classCount]))
      }
      alignments.append(CTCAlignment(lines, labels: own, blank: Int(blank)))
    }
    return alignments
  }
}

/// All paths of one example that become its labels.
private struct CTCAlignment {
  /// log p_t, by step.
  let logarithms: [[Double]]
  /// The labels with blanks before, between and after them.
  let states: [Int]
  /// The logarithm of the probability of all beginnings of paths that are in a state at a step.
  private let beginnings: [[Double]]
  /// -log P(labels).
  let loss: Double

  init(_ logarithms: [[Double]], labels: [Int], blank: Int) {
    self.logarithms = logarithms
    let states = [blank] + labels.flatMap { [$0, blank] }
    self.states = states
    beginnings = Self.sums(logarithms, states)
    loss = -logOfSum(beginnings[logarithms.count - 1].suffix(2))
  }

  /// p_t(k) less the probability that a path which becomes the labels has k at t, by step and class.
  var gradient: [Double] {
    // Ends of paths are beginnings of time reversed.
    let reversed = Self.sums(logarithms.reversed(), states.reversed())
    return logarithms.indices.flatMap { step -> [Double] in
      let line = logarithms[step]
      let ends = reversed[logarithms.count - 1 - step]
      var through = line.map { _ in [Double]() }
      for (state, label) in states.enumerated() {
        through[label].append(beginnings[step][state] + ends[states.count - 1 - state])
      }
      return line.indices.map { label in
        let sum = logOfSum(through[label][...])
        return exp(line[label]) - (sum == -.infinity ? 0 : exp(sum - line[label] + loss))
      }
    }
  }

  private static func sums(_ logarithms: [[Double]], _ states: [Int]) -> [[Double]] {
    var rows: [[Double]] = []
    for (step, line) in logarithms.enumerated() {
      rows.append(
        states.indices.map { state in
          let own = line[states[state]]
          guard step > 0 else { return state < 2 ? own : -.infinity }
          let last = rows[step - 1]
          // A blank may be left out between two different labels.
          let skips = state > 1 && states[state] != states[state - 2]
          let from = state - (skips ? 2 : min(state, 1))
          return own + logOfSum(last[from...state])
        })
    }
    return rows
  }
}

/// log Σ eˣ; NaN if an x is.
private func logOfSum(_ values: ArraySlice<Double>) -> Double {
  if values.contains(where: \.isNaN) { return .nan }
  guard let largest = values.max(), largest > -.infinity else { return -.infinity }
  return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
}

extension Symbol {
  /// Returns the negative log-likelihood of label sequences under these logits [N, T, C] (PyTorch `ctc_loss`,
  /// `reduction='none'`).
  ///
  /// - Parameters:
  ///   - labels: `int64` [N, S], each in 0 ..< C or the padding; padding and blanks don't count.
  ///   - blank: The class between labels.
  ///   - padding: What fills up the labels of shorter sequences.
  ///   - zeroInfinity: Whether the loss of a sequence for which T is too short is 0 rather than ∞.
  /// - Returns: The losses [N].
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func ctcLoss(
    labels: Symbol, blank: Int = 0, padding: Int = 0, zeroInfinity: Bool = false
  ) throws -> Symbol {
    try applying(
      CTCLoss(CTCLoss.Form(blank: blank, padding: padding, zeroInfinity: zeroInfinity)), labels)
  }
}
