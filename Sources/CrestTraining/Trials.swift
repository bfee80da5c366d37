package import CrestData
import CrestLayers
import CrestRuntime
import CrestTensor

/// Short runs that find out how to train a model, after which the learner is as it was before.
///
/// They train on a part of the training examples and are measured on others of them, never on the learner's own
/// validation examples, unless those are a part of the training set.
package final class Trials {
  private let learner: Learner
  private let before: Learner.Snapshot
  /// What they train on, and what they are measured on.
  package let data: DataSplit
  /// The labels of what they are measured on, if each example has one.
  package private(set) lazy var heldOutLabels = data.valid.checkedLabels
  /// Whether another seed gives other initial values: before any trial has changed the parameters, they are those that
  /// the model's seed gave.
  private lazy var isFresh: Bool = {
    let model = learner.model
    return ParameterStore(model.graph, seed: model.seed).fingerprint == model.store.fingerprint
  }()

  fileprivate init(_ learner: Learner, before: Learner.Snapshot, holdsOut: Bool) throws {
    self.learner = learner
    self.before = before
    data = holdsOut ? try learner.data.forTrials : learner.data
  }

  /// The examples of a batch.
  package var batchSize: Int { learner.trainLoader.batchSize }

  /// A learner for one run: the model as it was before or, if it is untrained, with the initial values of a seed, which
  /// also is the key of the data's order, augmentation and dropout.
  ///
  /// - Parameters:
  ///   - seed: The seed; nil for the learner's own.
  ///   - isScored: Whether it is measured by the loss's own metrics too.
  ///   - exampleCount: How many of the training examples an epoch has; nil for all.
  ///   - batchSize: The examples of a batch; nil for as many as the learner's have.
  /// - Returns: The learner.
  /// - Throws: What making a learner throws.
  package func learner(
    seed: UInt64? = nil, isScored: Bool = false, exampleCount: Int? = nil, batchSize: Int? = nil
  ) throws -> Learner {
    learner.restore(before)
    let model = learner.model
    let seed = seed ?? learner.seed
    // What is restored is what it was before any trial.
    if seed != learner.seed, isFresh {
      ParameterStore.Weights(of: ParameterStore(model.graph, seed: seed)).write(to: model.store)
    }
    return try learner.copy(
      for: exampleCount.map { some($0, seed: seed) } ?? data, seed: seed,
      batchSize: batchSize ?? self.batchSize,
      metrics: isScored ? learner.loss.standardMetrics(for: model, target: data.train.target) : [])
  }

  /// The data with some of the training examples, in the order that the seed gives.
  private func some(_ count: Int, seed: UInt64) -> DataSplit {
    let train = data.train
    guard count < train.count else { return data }
    let order = Philox(seed: seed, stream: Philox.Stream.split, step: 1).permutation(train.count)
    return DataSplit(
      train: Subset(train, indices: Array(order.prefix(count)), name: train.name),
      valid: data.valid)
  }

  fileprivate func end() { learner.restore(before) }
}

extension Learner {
  /// Runs trials, and restores parameters, statistics, moments, the position in the data and the callbacks' states
  /// however they end.
  ///
  /// - Parameters:
  ///   - holdsOut: Whether some training examples are held out, for measuring; otherwise all are trained on.
  ///   - body: Runs the trials.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws, or `DataError` when there are too few examples to hold some out.
  /// - Precondition: no fit is running.
  package func tryOut<Result>(
    holdsOut: Bool = true, _ body: (Trials) throws -> Result
  ) throws -> Result {
    programmerError(unless: !model.store.isTraining, "a trial was begun during a fit")
    let trials = try Trials(self, before: snapshot(), holdsOut: holdsOut)
    defer { trials.end() }
    return try body(trials)
  }
}

extension Learner {
  /// A learner of the same model, that trains as this one does on other data, and is interrupted with it.
  fileprivate func copy(
    for data: DataSplit, seed: UInt64, batchSize: Int, metrics: [any Metric]
  ) throws -> Learner {
    let copy = try Learner(
      model, data: data, loss: classAxis.map { loss.withClasses(at: $0) } ?? loss,
      optimizer: optimizer, metrics: metrics, batchSize: batchSize, seed: seed,
      shuffle: trainLoader.shuffle, transforms: trainLoader.transforms,
      mixing: trainLoader.mixing, prefetch: trainLoader.prefetch, preprocessing: .data)
    copy.trained = trained
    copy.trained.resetRates()
    copy.interruption = interruption
    try copy.arrangeBatches()
    return copy
  }
}

extension DataSplit {
  /// The training examples, some of them held out: the validation part if it was drawn from the same set, otherwise
  /// 2,000 of the training part, at most a fifth.
  fileprivate var forTrials: DataSplit {
    get throws(DataError) {
      let wanted = 2000
      func part(of dataset: any Dataset, atMost share: Double) -> Double {
        min(share, Double(wanted) / Double(max(dataset.count, 1)))
      }
      guard origin == .drawnPart else {
        return try DataSplit(dividing: train, fraction: part(of: train, atMost: 0.2))
      }
      // Twice as many cost less than dividing them does.
      guard valid.count > 2 * wanted else { return DataSplit(train: train, valid: valid) }
      let shown = try DataSplit(dividing: valid, fraction: part(of: valid, atMost: 0.5)).valid
      return DataSplit(train: train, valid: shown)
    }
  }
}
