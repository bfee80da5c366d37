public import CrestData
import CrestGraph
public import CrestLayers
public import CrestOptimizers
import CrestRuntime
import CrestState
public import CrestTensor

/// A model, its data, how it is trained, and the callbacks.
///
/// ```swift
/// let data = try Digits.split()
/// let model = try BuiltInModel.make("small-cnn", input: [1, 8, 8], classes: 10)
/// let learner = try Learner(model, data: data, metrics: [Accuracy()], callbacks: .standard)
/// try learner.fitOneCycle(epochs: 8, maxLR: 0.1)
/// ```
///
/// Training is synchronous. State between fits (the optimiser's moments, the position in the data's order) continues in
/// the next fit. The same seed gives the same bits on one instruction set, for any number of threads. A learner is used by
/// one task at a time; only its ``interruption`` is shared. Learners may share a model: each has its own moments and
/// counts, they can train one after the other, and any of them can measure and predict, also in a hook of another's fit.
public final class Learner {
  /// The model to train.
  public let model: Model
  /// The training and validation data, prepared for the model.
  public private(set) var data: DataSplit
  /// The preprocessing of examples.
  public let preprocessing: Preprocessing.Choice
  /// Notes on how the data and the model were matched.
  public internal(set) var notes: [Note]
  /// The loss to minimise.
  public let loss: Loss
  /// The class axis of the predictions; nil if the loss has no classes.
  public private(set) var classAxis: Loss.ClassAxis?
  /// The optimiser.
  public let optimizer: any Optimizer
  /// The metrics of validation.
  public let metrics: [any Metric]
  /// Whether training is measured by them, too, while the parameters change.
  public let trainMetrics: Bool
  /// The callbacks of every fit, in the order they were added.
  public internal(set) var callbacks: [any Callback]
  /// The key of the data's order, augmentation and dropout.
  public let seed: UInt64
  /// The training examples in batches.
  ///
  /// The last batch of an epoch may be smaller; a single leftover example joins the previous batch
  /// if a batch norm would see only one value per channel of it, from which it learns nothing.
  public private(set) var trainLoader: DataLoader
  /// The validation examples in batches, in the set's order.
  public private(set) var validLoader: DataLoader
  /// Interrupts the learner, from any thread.
  public internal(set) var interruption = InterruptionFlag()

  /// The optimiser steps taken, in all fits.
  public internal(set) var stepsTaken = 0
  /// The batches trained on, in all fits: the key of the next one's dropout masks.
  public internal(set) var batchesTrained = 0
  /// The epochs begun, in all fits: the key of the next one's order of examples.
  public internal(set) var epochsBegun = 0
  /// Errors that hooks threw while the last fit was already ending for another error, which is the one
  /// that `fit` threw.
  public internal(set) var errorsWhileEnding: [any Error] = []
  /// The result of the last fit: the epoch whose weights the model holds, with its numbers.
  ///
  /// Nil before the first fit, and after one that saw no example, was a rehearsal, failed or was interrupted: the
  /// model then holds the weights as training left them (those of before, after a rehearsal).
  public private(set) var fitResult: FitResult?

  private(set) var programs: Program.Cache
  /// Those that measure from a hook of a batch, whose own program is at work.
  var programsBesideBatch: Program.Cache?
  /// What to look for in the numbers of the model's inputs, by the inputs of the data.
  private(set) lazy var searches = Self.searches(for: model, data.train)
  /// The sets whose numbers were looked through as they lie in memory.
  var checkedParts: Set<DataPart> = []
  var table: HyperparameterTable
  /// The passes of all fits, by which plugins tell them apart.
  var passesBegun = 0
  var trained: TrainedParameters
  /// ``moments``, once they are made.
  var madeMoments: ParameterStore.Moments?
  /// Steps since the optimiser's moments were 0, which corrections of moments count.
  var stepsSinceReset = 0
  /// Whether the model says already that it learned from these data.
  var hasDescribedModel = false
  /// The data as they were given.
  private let givenData: DataSplit
  private(set) var loop: TrainingLoop?
  /// The time, to measure passes by; tests stop it.
  package var now: () -> Duration = {
    let start = ContinuousClock.now
    return { ContinuousClock.now - start }
  }()
  /// The fingerprints of both parts of the data, which take a look at every example.
  private(set) lazy var dataFingerprints = (
    train: data.train.fingerprint, valid: data.valid.fingerprint
  )

  /// Creates a learner: the model keeps its parameters, moments begin at 0.
  ///
  /// - Parameters:
  ///   - model: What is trained, from the values its parameters have now.
  ///   - data: The training and validation data.
  ///   - loss: The loss to minimise; nil for cross-entropy for classes and mean squared error for
  ///     values.
  ///   - optimizer: The optimiser.
  ///   - metrics: The metrics of validation.
  ///   - trainMetrics: Whether training is measured by them, too: `train_accuracy` beside `accuracy`. They are of each
  ///     batch as it was trained on, so of parameters that change, of augmented examples and with dropout.
  ///   - callbacks: The callbacks of every fit.
  ///   - batchSize: The examples of a batch; the last one of an epoch may be smaller, or larger by one
  ///     (``trainLoader``).
  ///   - seed: The key of the data's order, augmentation and dropout.
  ///   - shuffle: Whether every epoch has its own order.
  ///   - transforms: The augmentations of the training images.
  ///   - mixing: How the training examples of a batch are mixed; one of several is drawn for each batch.
  ///   - prefetch: How many batches are prepared in advance; this doesn't change the results.
  ///   - groups: How parameters are split into groups, for separate learning rates and
  ///     ``freezeTo(_:)``.
  ///   - weightDecays: The factor of the weight decay in each group.
  ///   - frozenNormalization: What freezing does to normalisations.
  ///   - preprocessing: The preprocessing of examples: the model's own if it has one
  ///     (`Model.preprocessing`), unless chosen otherwise.
  /// - Throws: ``LearnerError`` when the parts don't fit each other, `DataError` when a transform
  ///   doesn't suit the data or they can't be preprocessed that way, `ParameterError` when the
  ///   model can't be split into such groups.
  public init(
    _ model: Model, data: DataSplit, loss: Loss? = nil, optimizer: any Optimizer = SGD(),
    metrics: [any Metric] = [], trainMetrics: Bool = false, callbacks: [any Callback] = [],
    batchSize: Int = 64, seed: UInt64 = 0, shuffle: Bool = true,
    transforms: [any Transform] = [], mixing: [Mixing] = [], prefetch: Int = 2,
    groups: ParameterGroup.Split = .layers, weightDecays: ParameterGroup.Values = .same(1),
    frozenNormalization: FrozenNormalization = .inference,
    preprocessing: Preprocessing.Choice = .model
  ) throws {
    programmerError(
      unless: optimizer.momentCount >= 0 && optimizer.numberCount >= 0,
      "the optimiser \(optimizer.name) has \(optimizer.momentCount) moments and \(optimizer.numberCount) numbers"
    )
    guard batchSize >= 1 else { throw LearnerError.batchSize(batchSize) }
    guard (0...DataLoader.prefetchLimit).contains(prefetch) else {
      throw LearnerError.prefetch(prefetch)
    }
    guard transforms.count <= DataLoader.transformLimit else {
      throw LearnerError.transformCount(transforms.count)
    }
    try optimizer.check(model.store)
    let loss = loss ?? .standard(for: data.train.target.elementType)
    var names = Set<String>()
    for metric in metrics where !names.insert(metric.name).inserted {
      throw LearnerError.metricNamedTwice(metric.name)
    }
    let converted = try Self.withProbabilities(
      Self.converted(data, for: model), for: loss, of: model)
    for dataset in [converted.train, converted.valid] {
      try Self.check(dataset, suits: model, loss: loss)
    }
    classAxis = try Self.classAxis(of: loss, in: model, for: converted)
    let preparation = try DataPreparation(converted, for: model, by: preprocessing)
    givenData = converted
    let data = preparation.data
    try Self.checkRows(of: model, on: data.train)

    self.model = model
    self.data = data
    self.preprocessing = preprocessing
    notes = Self.notes(loss, classAxis, of: model) + preparation.notes
    self.loss = loss
    self.optimizer = optimizer
    self.metrics = metrics
    self.trainMetrics = trainMetrics
    self.callbacks = callbacks
    self.seed = seed
    trainLoader = try DataLoader(
      data.train, batchSize: batchSize, seed: seed, shuffle: shuffle, transforms: transforms,
      mixing: mixing,
      mixedTargets: Self.mixedTargets(
        mixing, of: loss, along: classAxis, in: model, for: data.train), prefetch: prefetch)
    validLoader = try DataLoader(
      data.valid, batchSize: batchSize, seed: seed, shuffle: false, prefetch: prefetch)
    programs = Self.programs(loss, classAxis, of: model)
    table = HyperparameterTable(optimizer.defaults, of: optimizer.name)
    trained = try TrainedParameters(
      model.graph, model.store, split: groups, weightDecays: weightDecays,
      normalization: frozenNormalization)
    try arrangeBatches()
  }

  /// Lets an example that an epoch has left over join the batch before, where it alone would teach nothing.
  func arrangeBatches() throws(DataError) {
    let loader = trainLoader
    let isLeftOver =
      loader.batchSize > 1 && loader.exampleCount > 1
      && loader.exampleCount % loader.batchSize == 1
    let smallest = isLeftOver && !normalizationsOfOneValue.isEmpty ? 2 : 1
    guard smallest != loader.smallestBatch else { return }
    trainLoader = try loader.replacing(smallestBatch: smallest)
  }

  /// The axis by which metrics find classes.
  var metricAxis: Int { classAxis?.axis ?? 1 }

  /// The axis to be remembered with what is learned; nil where predictions have but one that may be it.
  var learnedClassAxis: Int? { model.outputShape.rank > 1 ? classAxis?.axis : nil }

  /// Prepares the data again for the model's present preprocessing.
  func prepareData() throws {
    let preparation = try DataPreparation(givenData, for: model, by: preprocessing)
    let classAxis = try Self.classAxis(of: loss, in: model, for: givenData)
    let trainLoader = try trainLoader.replacing(dataset: preparation.data.train)
    validLoader = try validLoader.replacing(dataset: preparation.data.valid)
    self.trainLoader = trainLoader
    data = preparation.data
    if classAxis?.axis != self.classAxis?.axis {
      programs = Self.programs(loss, classAxis, of: model)
      programsBesideBatch = nil
    }
    self.classAxis = classAxis
    // What was found of the numbers stays found.
    let found = notes.filter { if case .unusualNumbers = $0 { true } else { false } }
    notes = Self.notes(loss, classAxis, of: model) + preparation.notes + found
    hasDescribedModel = false
  }

  /// Checks the numbers of the data in memory before training or evaluation; numbers that a network
  /// may swallow are an error or among the ``notes``, with the first example.
  ///
  /// NaN in an input is refused, unless the network itself looks for NaN, and so are targets that
  /// aren't finite; infinite inputs, as masks have them, are noted. Indices below 0, which ONNX
  /// counts from the end of a table, are refused in training, where they are labels for padding
  /// most often, and noted otherwise; those that are in no table are refused. Sets that read or
  /// make examples on demand are checked batch by batch.
  ///
  /// - Parameter isTraining: Whether to check both parts, for training, or only the validation
  ///   part, for evaluation.
  /// - Throws: ``LearnerError/unusualNumbers(_:)``.
  public func checkNumbers(isTraining: Bool) throws(LearnerError) {
    let parts: [(Set<DataPart>, any Dataset)] =
      if !isTraining {
        [([.valid], data.valid)]
      } else if let whole = data.whole {
        // Counted together, as they lie in one file.
        [([.train, .valid], whole)]
      } else {
        [([.train], data.train), ([.valid], data.valid)]
      }
    for (parts, dataset) in parts where !checkedParts.isSuperset(of: parts) {
      guard try checkNumbers(of: dataset, isTraining: isTraining) else { continue }
      checkedParts.formUnion(parts)
    }
  }

  /// Lets the model say what it has learned from.
  func describeModel() {
    guard !hasDescribedModel else { return }
    hasDescribedModel = true
    model.preprocessing = data.train.preprocessing
    model.classNames = ClassNames(model, data.train).afterTraining
    if let learnedClassAxis { model.classAxis = learnedClassAxis }
  }

  /// Trains.
  ///
  /// - Parameters:
  ///   - epochs: The number of passes over all training examples, at least 1.
  ///   - learningRate: A constant learning rate; nil for the optimiser's default. Leave it out with
  ///     a learning-rate scheduler among the callbacks.
  ///   - callbacks: Callbacks of this fit, beside the learner's own.
  /// - Returns: How it ended: finished, cancelled by a callback, or interrupted; ``fitResult`` then says what
  ///   network the model holds.
  /// - Throws: ``LearnerError`` when it can't begin; what a callback, the data or the compiler threw.
  ///   The learner is consistent afterwards and can train on.
  @discardableResult
  public func fit(
    epochs: Int, learningRate: Double? = nil, callbacks: [any Callback] = []
  ) throws -> PhaseContext.Outcome {
    try fit(epochs: epochs, learningRate: learningRate, callbacks: callbacks, resumption: nil)
  }

  /// Trains, from the beginning or from where a checkpoint was saved.
  func fit(
    epochs: Int, learningRate: Double?, callbacks: [any Callback], resumption: Resumption?
  ) throws -> PhaseContext.Outcome {
    programmerError(unless: loop == nil, "fit was called from a hook of a running fit")
    guard epochs >= 1 else { throw LearnerError.epochs(epochs) }
    if let learningRate, !(learningRate.isFinite && learningRate > 0) {
      throw LearnerError.learningRate(learningRate)
    }
    guard !trained.groups.isEmpty || trained.frozen.isEmpty else {
      throw ParameterError.nothingToTrain
    }
    guard !model.store.parameters.isEmpty else { throw LearnerError.noParameters }
    try checkMomentMemory()
    // The model itself refuses batches of another size; what validation leaves over is measured in a batch that is
    // filled up.
    if let size = model.template.fixedBatchSize, trainLoader.batchSize == size,
      data.train.count % size != 0
    {
      throw LearnerError.leftover(batchSize: size, name: data.train.name, count: data.train.count)
    }
    if min(trainLoader.batchSize, trainLoader.exampleCount) == 1 {
      let layers = normalizationsOfOneValue
      guard layers.isEmpty else {
        throw LearnerError.oneValuePerChannel(
          layers: layers, batchSize: trainLoader.batchSize, examples: trainLoader.exampleCount)
      }
    }
    errorsWhileEnding = []
    fitResult = nil
    table = HyperparameterTable(optimizer.defaults, of: optimizer.name)
    trained.resetRates()
    defer { endFreezingByCallbacks() }
    let averaging = (optimizer as? any AveragingOptimizer).map { AveragedWeights(by: $0) }
    let loop = try TrainingLoop(
      self, epochs: epochs, callbacks: self.callbacks + callbacks + [averaging].compactMap(\.self),
      resumption: resumption)
    if let learningRate {
      if let owner = loop.roles.owner(of: .base(.learningRate)) {
        throw LearnerError.twoOwners(
          of: .base(.learningRate), first: "the argument learningRate", second: owner)
      }
      table[.base(.learningRate)] = learningRate
    }
    self.loop = loop
    defer { self.loop = nil }
    let (outcome, result) = try RunningCallbacks.run(loop.callbacks) {
      try model.store.train(with: moments) {
        do {
          defer { if loop.hasSeenInterruption { interruption.clear() } }
          return try loop.run()
        } catch {
          // The run that it was for has ended: by the interruption itself, or by an error of those who save it.
          interruption.clear()
          throw error
        }
      }
    }
    fitResult = result
    return outcome
  }

  /// The number of the epoch that begins, or is resumed, in all fits.
  func takeEpoch(isResumed: Bool) -> Int {
    if !isResumed { epochsBegun += 1 }
    return epochsBegun - 1
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
    describeModel()
    trained.set(table.values)
    stepsTaken += 1
    stepsSinceReset += 1
    model.store.beginStep()
    optimizer.step(
      model.store, trained.groups, stepNumber: stepsSinceReset, engine: model.engine)
  }
}
