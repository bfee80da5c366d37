public import CrestOptimizers
import CrestRuntime
public import CrestTraining

/// Trains the last group of parameters alone for some epochs, then all: fastai's `fine_tune` in one fit.
///
/// | | the last group alone | all |
/// |---|---|---|
/// | highest rate of the last group | `baseLR` | `baseLR / 2` |
/// | of the first group | | that divided by `rateRatio`, at a constant ratio between groups |
/// | 1cycle | 99 % up from 1/25 | 30 % up from 1/5 |
///
/// The momentum goes 0.95, 0.85, 0.95 in each part. In the first, normalisations of the frozen groups follow the learner's
/// `Learner.FrozenNormalization`; fastai's go on learning. The optimiser's moments go on from the first part to the second.
public final class FineTuneScheduler: Callback {
  /// The highest rate of the last group in the first part.
  public let baseLR: Double
  /// The epochs of the first part.
  public let frozenEpochs: Int
  /// The rate of the last group divided by that of the first.
  public let rateRatio: Double
  private let cycles: Cycles
  private let others: ParameterChoice

  /// A scheduler for a learner whose last group is the head.
  ///
  /// - Parameters:
  ///   - learner: The learner, whose groups decide what is frozen.
  ///   - baseLR: The highest rate of the last group in the first part.
  ///   - frozenEpochs: The epochs of the first part.
  ///   - rateRatio: The rate of the last group divided by that of the first.
  /// - Throws: `ScheduleError` unless `baseLR` is finite and above 0; ``CallbackError/outOfRange(callback:parameter:value:expected:)``
  ///   unless there are at least two groups, `frozenEpochs` is at least 1, and `rateRatio` finite and at least 1.
  public init(
    for learner: Learner, baseLR: Double = 2e-3, frozenEpochs: Int = 1, rateRatio: Double = 100
  ) throws {
    let name = "FineTuneScheduler"
    try CallbackError.require(
      frozenEpochs >= 1, "frozenEpochs", frozenEpochs, "at least 1", of: name)
    try CallbackError.require(
      rateRatio.isFinite && rateRatio >= 1, "rateRatio", rateRatio, "a finite number from 1 on",
      of: name)
    let groups = learner.parameterGroups
    try CallbackError.require(
      groups.count >= 2, "groups", groups.count, "at least 2: one for the head, and others",
      of: name)
    (self.baseLR, self.frozenEpochs, self.rateRatio) = (baseLR, frozenEpochs, rateRatio)
    cycles = Cycles(
      head: try OneCycle(maxLR: baseLR, riseFraction: 0.99),
      all: try OneCycle(maxLR: baseLR / 2, riseFraction: 0.3, div: 5), frozenEpochs: frozenEpochs)
    others = .matching(groups.dropLast().joined().map { NamePattern($0) })
  }

  /// Spreads the rates at the start, sets rate and momentum before each training batch.
  public var hooks: [Hook] { [.beforeFit(begin), .beforeBatch(set)] }
  /// After what changes a batch.
  public var order: Int { CallbackOrder.scheduler }
  /// The bases of learning rate and momentum.
  public var owns: Set<Hyperparameter.Part> { [.base(.learningRate), .base(.momentum)] }
  /// The rate and the epochs.
  public var settings: [String: String] {
    ["baseLR": "\(baseLR)", "frozenEpochs": "\(frozenEpochs)", "rateRatio": "\(rateRatio)"]
  }

  /// All groups but the last, in the first epochs.
  public func frozenParameters(inEpoch epoch: Int) -> ParameterChoice? {
    epoch < frozenEpochs ? others : nil
  }

  /// The rates of the last group in a fit of so many epochs in all.
  package func learningRates(epochCount: Int) -> Schedule {
    Schedule(
      "fine-tune", settings: ["baseLR": baseLR, "frozenEpochs": Double(frozenEpochs)]
    ) { [cycles] step, total in
      let (policy, step, total) = cycles.part(step, of: total, epochCount: epochCount)
      return policy.learningRate(step: step, total: total)
    }
  }

  private func begin(_ fit: FitContext) throws {
    try fit.learner.spreadLearningRate(over: .spread(from: 1 / rateRatio, to: 1))
    let rates = learningRates(epochCount: fit.epochCount)
    fit.declareLearningRates { rates.value(step: $0, total: $1) }
  }

  private func set(_ batch: BatchContext) {
    guard batch.isTraining else { return }
    let (policy, step, total) = cycles.part(
      batch.step, of: batch.fit.stepCount, epochCount: batch.fit.epochCount)
    batch.learner[.base(.learningRate)] = policy.learningRate(step: step, total: total)
    batch.learner[.base(.momentum)] = policy.momentum(step: step, total: total)
  }
}

/// The policies of both parts.
private struct Cycles: Sendable {
  let head: OneCycle
  let all: OneCycle
  let frozenEpochs: Int

  /// The policy of a step, its number in that part, and the steps of the part.
  func part(
    _ step: Int, of total: Int, epochCount: Int
  ) -> (policy: OneCycle, step: Int, total: Int) {
    let frozen = total / max(epochCount, 1) * min(frozenEpochs, epochCount)
    return step < frozen ? (head, step, frozen) : (all, step - frozen, total - frozen)
  }
}

extension Learner {
  /// Trains the last group of parameters alone, then all of them, with 1cycle schedules and lower rates in front.
  ///
  /// ```swift
  /// let model = try Model(onnx: "resnet18.onnx", headClasses: 3)
  /// let learner = try Learner(model, data: photos, metrics: [Accuracy()])
  /// try learner.fineTune(epochs: 4)
  /// ```
  ///
  /// - Parameters:
  ///   - epochs: The epochs in which all parameters train, at least 1.
  ///   - baseLR: The highest rate of the last group while it trains alone; twice that of the epochs afterwards.
  ///   - frozenEpochs: The epochs in which the last group trains alone, before the others.
  ///   - callbacks: Callbacks of this fit, beside the learner's own.
  /// - Returns: How it ended: finished, cancelled by a callback, or interrupted.
  /// - Throws: What ``FineTuneScheduler/init(for:baseLR:frozenEpochs:rateRatio:)`` and
  ///   ``CrestTraining/Learner/fit(epochs:learningRate:callbacks:)`` throw.
  ///
  /// fastai's `fine_tune`.
  @discardableResult
  public func fineTune(
    epochs: Int, baseLR: Double = 2e-3, frozenEpochs: Int = 1, callbacks: [any Callback] = []
  ) throws -> PhaseContext.Outcome {
    guard epochs >= 1 else { throw LearnerError.epochs(epochs) }
    let scheduler = try FineTuneScheduler(for: self, baseLR: baseLR, frozenEpochs: frozenEpochs)
    return try fit(epochs: frozenEpochs + epochs, callbacks: [scheduler] + callbacks)
  }
}
