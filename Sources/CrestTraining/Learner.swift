public import CrestData
import CrestGraph
public import CrestLayers
public import CrestOptimizers
public import CrestRuntime
import CrestTensor

/// A model, the data it learns from, how it learns, and who watches.
///
/// ```swift
/// let data = try Digits.split()
/// let model = try BuiltInModel.make("small-cnn", input: [1, 8, 8], classes: 10)
/// let learner = try Learner(model, data: data, metrics: [Accuracy()], callbacks: .standard)
/// try learner.fitOneCycle(epochs: 8, maxLR: 0.1)
/// ```
///
/// Training is synchronous. What it remembers between fits (the optimiser's moments, how far the data's
/// order has come) goes on in the next one. The same seed gives the same bits on one instruction set, for
/// any number of threads. A learner is used by one task at a time; only its ``interruption`` is shared.
public final class Learner {
  /// What is trained.
  public let model: Model
  /// What it learns from and is measured by.
  public let data: DataSplit
  /// What training makes small.
  public let loss: Loss
  /// What changes the parameters.
  public let optimizer: any Optimizer
  /// What predictions are judged by in validation.
  public let metrics: [any Metric]
  /// The callbacks of every fit, in the order they were added.
  public private(set) var callbacks: [any Callback]
  /// The key of the data's order, augmentation and dropout.
  public let seed: UInt64
  /// The training examples in batches.
  public let trainLoader: DataLoader
  /// The validation examples in batches, in the set's order.
  public let validLoader: DataLoader
  /// Ends what the learner is doing, from any thread.
  public let interruption = InterruptionFlag()

  /// The optimiser steps taken, in all fits.
  public private(set) var stepsTaken = 0
  /// The batches trained on, in all fits: the key of the next one's dropout masks.
  public private(set) var batchesTrained = 0
  /// The epochs begun, in all fits: the key of the next one's order of examples.
  public private(set) var epochsBegun = 0
  /// Errors that hooks threw while the last fit was already ending for another error, which is the one
  /// that `fit` threw.
  public internal(set) var errorsWhileEnding: [any Error] = []

  let programs: ProgramCache
  @exclusivity(unchecked) private var table: HyperparameterTable
  private var groups: [ParameterGroup]
  private var loop: TrainingLoop?

  /// A learner that has learned nothing yet: the model keeps its parameters, moments begin at 0.
  ///
  /// - Parameters:
  ///   - model: What is trained, from the values its parameters have now.
  ///   - data: What it learns from and is measured by.
  ///   - loss: What training makes small; when nil, cross-entropy for classes, mean squared error for
  ///     values.
  ///   - optimizer: What changes the parameters.
  ///   - metrics: What predictions are judged by in validation.
  ///   - callbacks: The callbacks of every fit.
  ///   - batchSize: The examples of a batch; the last one of an epoch may be smaller.
  ///   - seed: The key of the data's order, augmentation and dropout.
  ///   - shuffle: Whether every epoch has an order of its own.
  ///   - transforms: What is done to the training images.
  ///   - prefetch: How many batches are made ahead; it makes no difference to what is learned.
  /// - Throws: ``LearnerError`` when the parts don't fit each other, `DataError` when a transform doesn't
  ///   suit the data.
  public init(
    _ model: Model, data: DataSplit, loss: Loss? = nil, optimizer: any Optimizer = SGD(),
    metrics: [any Metric] = [], callbacks: [any Callback] = [], batchSize: Int = 64,
    seed: UInt64 = 0, shuffle: Bool = true, transforms: [any Transform] = [], prefetch: Int = 2
  ) throws {
    guard batchSize >= 1 else { throw LearnerError.batchSize(batchSize) }
    guard prefetch >= 0 else { throw LearnerError.prefetch(prefetch) }
    let loss = loss ?? .standard(for: data.train.target.elementType)
    var names = Set<String>()
    for metric in metrics where !names.insert(metric.name).inserted {
      throw LearnerError.metricNamedTwice(metric.name)
    }
    for dataset in [data.train, data.valid] {
      try Self.check(dataset, suits: model, loss: loss)
    }

    self.model = model
    self.data = data
    self.loss = loss
    self.optimizer = optimizer
    self.metrics = metrics
    self.callbacks = callbacks
    self.seed = seed
    trainLoader = try DataLoader(
      data.train, batchSize: batchSize, seed: seed, shuffle: shuffle, transforms: transforms,
      prefetch: prefetch)
    validLoader = try DataLoader(
      data.valid, batchSize: batchSize, seed: seed, shuffle: false, prefetch: prefetch)
    programs = model.cache(loss: loss)
    table = HyperparameterTable(optimizer.defaults)
    groups = [ParameterGroup(model.store, hyperparameters: optimizer.defaults)]
    model.store.resetMoments(count: optimizer.momentCount)
  }

  // MARK: Callbacks

  /// Adds a callback to every fit from now on.
  ///
  /// - Precondition: no fit is running.
  public func add(_ callback: any Callback) {
    precondition(loop == nil, "\(callback.name) was added during a fit")
    callbacks.append(callback)
  }

  /// Removes a callback from every fit from now on, if it is there.
  ///
  /// - Precondition: no fit is running.
  public func remove(_ callback: any Callback) {
    precondition(loop == nil, "\(callback.name) was removed during a fit")
    callbacks.removeAll { $0 === callback }
  }

  /// Runs `body` with `callbacks` in place of the learner's own.
  ///
  /// - Precondition: no fit is running.
  public func withCallbacks<Result, Failure: Error>(
    _ callbacks: [any Callback], _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(loop == nil, "callbacks were exchanged during a fit")
    let own = self.callbacks
    self.callbacks = callbacks
    defer { self.callbacks = own }
    return try body()
  }

  // MARK: Training

  /// Trains.
  ///
  /// - Parameters:
  ///   - epochs: How many times all training examples are seen, at least 1.
  ///   - learningRate: A constant learning rate; the optimiser's own when nil. With a scheduler of the
  ///     learning rate among the callbacks, leave it out.
  ///   - callbacks: Callbacks of this fit, beside the learner's own.
  /// - Returns: How it ended: finished, cancelled by a callback, or interrupted.
  /// - Throws: ``LearnerError`` when it can't begin; what a callback, the data or the compiler threw.
  ///   The learner is consistent afterwards and can train on.
  @discardableResult
  public func fit(
    epochs: Int, learningRate: Double? = nil, callbacks: [any Callback] = []
  ) throws -> Outcome {
    precondition(loop == nil, "fit was called from a hook of a running fit")
    guard epochs >= 1 else { throw LearnerError.epochs(epochs) }
    if let learningRate, !(learningRate.isFinite && learningRate > 0) {
      throw LearnerError.learningRate(learningRate)
    }
    errorsWhileEnding = []
    table = HyperparameterTable(optimizer.defaults)
    groups = [ParameterGroup(model.store, hyperparameters: table.values)]
    let loop = try TrainingLoop(self, epochs: epochs, callbacks: self.callbacks + callbacks)
    if let learningRate {
      if let owner = loop.owner(of: .base(.learningRate)) {
        throw LearnerError.twoOwners(
          of: .base(.learningRate), first: "the argument learningRate", second: owner)
      }
      table[.base(.learningRate)] = learningRate
    }
    self.loop = loop
    defer { self.loop = nil }
    return try loop.run()
  }

  /// The number of the epoch that begins.
  func takeEpoch() -> Int {
    defer { epochsBegun += 1 }
    return epochsBegun
  }

  /// The key of the training batch that begins; keys repeat after 2³² batches.
  func takeRandomKey() -> RandomKey {
    defer { batchesTrained += 1 }
    return RandomKey(seed: seed, step: UInt32(truncatingIfNeeded: batchesTrained))
  }

  /// The key of batches that are only predicted for, where nothing is drawn.
  var fixedRandomKey: RandomKey { RandomKey(seed: seed, step: 0) }

  /// Changes the parameters by the gradients in the store.
  func takeStep() {
    let last = Double(max(groups.count - 1, 1))
    for place in groups.indices {
      groups[place].hyperparameters = table.values
      if groups.count > 1 {
        groups[place].hyperparameters.learningRate *=
          table.learningRateSpread.power(1 - Double(place) / last)
      }
    }
    stepsTaken += 1
    optimizer.step(model.store, groups, stepNumber: stepsTaken, engine: model.engine)
  }

  /// The program for a batch of `count` examples.
  func request(
    isTraining: Bool, count: Int, reads: Set<Read>, isDiagnosing: Bool = false
  ) -> ProgramRequest {
    let target = data.train.target
    return ProgramRequest(
      inputTypes: model.inputs.map { $0.batchType(count) },
      targetType: ValueType(Shape([count] + target.shape.dimensions), target.elementType),
      mode: isTraining ? .training : .inference, reads: reads, isDiagnosing: isDiagnosing)
  }
}

// MARK: Hyperparameters

extension Learner {
  /// The hyperparameters in effect: of the running fit, or the last one.
  public var hyperparameters: Hyperparameters { table.values }

  /// A part of a hyperparameter of the running fit, or the last one.
  ///
  /// In a fit, a callback that has the part among its ``Callback/owns`` may set it in its hooks; each
  /// fit begins with the optimiser's own values.
  ///
  /// - Precondition: to set it, the hook of a callback that owns it is running, and the value is finite
  ///   and not negative.
  public subscript(part: Ownership) -> Double {
    get { table[part] }
    set {
      preconditionOwnership(of: part)
      table[part] = newValue
    }
  }

  /// The learning rate of the first layer over that of the last, which trains at the learning rate in
  /// effect; layers between them step by a constant ratio (discriminative rates, Howard & Ruder 2018).
  ///
  /// 1 at the start of each fit. fastai's `slice(a, b)` is a spread of `a / b`.
  ///
  /// - Precondition: to set it, the hook of a callback that owns the learning rate is running, and it is
  ///   finite and above 0.
  public var learningRateSpread: Double {
    get { table.learningRateSpread }
    set {
      preconditionOwnership(of: .base(.learningRate))
      precondition(newValue.isFinite && newValue > 0, "a learning rate spread of \(newValue)")
      table.learningRateSpread = newValue
      groups =
        newValue == 1
        ? [ParameterGroup(model.store, hyperparameters: table.values)] : layerGroups()
    }
  }

  /// Reports a number of the running epoch, which logs and progress show beside the metrics; of several
  /// in an epoch the last one counts.
  ///
  /// - Precondition: the hook of a callback that has `name` among its ``Callback/reports`` is running,
  ///   and so is an epoch, its after hooks included.
  public func report(_ value: Double, as name: String) {
    guard let loop else { preconditionFailure("\(name) was reported while no fit is running") }
    loop.report(value, as: name)
  }

  private func preconditionOwnership(of part: Ownership) {
    guard let loop else { preconditionFailure("\(part) was set while no fit is running") }
    loop.preconditionOwnership(of: part)
  }

  /// A group for each layer with parameters, in the graph's order.
  private func layerGroups() -> [ParameterGroup] {
    var layers: [Substring] = []
    for entry in model.store.parameters where !layers.contains(entry.layer) {
      layers.append(entry.layer)
    }
    return layers.map { layer in
      ParameterGroup(model.store, hyperparameters: table.values) { $0.layer == layer }
    }
  }
}

extension ParameterStore.Entry {
  /// The path of the layer it belongs to.
  fileprivate var layer: Substring {
    name.lastIndex(of: ".").map { name[..<$0] } ?? name[...]
  }
}

// MARK: Snapshots

/// All that training changes in a learner, copied bit for bit.
public struct LearnerSnapshot {
  /// The optimiser steps taken.
  public let stepsTaken: Int
  /// The batches trained on.
  public let batchesTrained: Int
  /// The epochs begun.
  public let epochsBegun: Int
  /// Parameters, running statistics and moments.
  public let store: ParameterStore.Snapshot
  fileprivate let restoreCallbacks: [() -> Void]
}

extension Learner {
  /// Copies parameters, running statistics, moments, the position in the data and the random numbers,
  /// and what every ``StatefulCallback`` of the learner (in a fit, of the fit) remembers.
  public func snapshot() -> LearnerSnapshot {
    LearnerSnapshot(
      stepsTaken: stepsTaken, batchesTrained: batchesTrained, epochsBegun: epochsBegun,
      store: model.store.snapshot(),
      restoreCallbacks: (loop?.callbacks ?? callbacks)
        .compactMap { $0 as? any StatefulCallback }
        .map { Self.restoration(of: $0) })
  }

  /// Puts back what a snapshot of this learner holds.
  public func restore(_ snapshot: LearnerSnapshot) {
    stepsTaken = snapshot.stepsTaken
    batchesTrained = snapshot.batchesTrained
    epochsBegun = snapshot.epochsBegun
    model.store.restore(snapshot.store)
    for restore in snapshot.restoreCallbacks { restore() }
  }

  private static func restoration(of callback: some StatefulCallback) -> () -> Void {
    let state = callback.state
    return { callback.state = state }
  }
}
