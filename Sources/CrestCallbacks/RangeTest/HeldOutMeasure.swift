import CrestData
import CrestLayers
import CrestOptimizers
import CrestTraining

/// How far training has come, by examples that were held out.
struct HeldOutMeasure {
  let measure: RangeTest.Measure
  /// The value of a network that has learned nothing.
  let chance: Double
  private let untrained: Double
  private let accuracyName: String?

  /// Training batches from which running statistics are estimated anew before measuring: those of the run lag behind
  /// at rates that rise, and would make a plateau look like a peak.
  private static let statisticsBatches = 10

  /// The measure that suits the loss and the classes of the held-out examples.
  ///
  /// - Throws: ``RangeTest/Refusal``; what `evaluate` throws.
  init(_ trials: Trials) throws {
    let learner = try trials.learner(isScored: true)
    let loss = try Self.result(of: learner).loss
    untrained = loss
    let labels = trials.heldOutLabels.map { labels in
      Dictionary(labels.map { ($0, 1) }, uniquingKeysWith: +)
    }
    if let labels, labels.count == 1, let only = labels.first {
      throw RangeTest.Refusal.oneClass(data: trials.data.train.name, label: only.key)
    }
    let hasClasses = if case .classes = trials.data.train.target { true } else { false }
    let frequent = labels.map { Double($0.values.max() ?? 0) / Double($0.values.reduce(0, +)) }
    accuracyName = hasClasses ? learner.metrics.first?.name : nil
    // A class twice as frequent as the others on average leaves accuracy little to gain.
    if accuracyName != nil, let labels, let frequent, frequent <= min(0.6, 2 / Double(labels.count))
    {
      (measure, chance) = (.accuracy, frequent)
    } else {
      guard loss.isFinite, loss > 0 else {
        throw RangeTest.Refusal.untrainedLoss(loss, loss: learner.loss.name)
      }
      measure = hasClasses ? .likelihood : .explained
      chance = measure.value(accuracy: nil, loss: loss, untrained: loss)
    }
  }

  /// What a network does on the held-out examples, with running statistics estimated anew.
  func accuracy(of learner: Learner) throws -> Double {
    let result = try Self.result(of: learner)
    return measure.value(
      accuracy: accuracyName.flatMap { result[$0] }, loss: result.loss,
      untrained: untrained)
  }

  /// Its held-out loss.
  static func loss(of learner: Learner) throws -> Double { try result(of: learner).loss }

  private static func result(of learner: Learner) throws -> FitResult.Pass {
    try learner.recomputeBatchNormStatistics(batches: statisticsBatches)
    return try learner.evaluate()
  }
}
