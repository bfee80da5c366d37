import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import TrainingTestSupport

/// A run of 200 training batches, and the same run gone on with from where it was saved.
struct ResumeRig {
  /// What takes part.
  struct Parts: Sendable, CustomStringConvertible {
    var optimizer = "sgd"
    var oneCycle = true
    var accumulates = 1
    var isComplete = false
    /// Whether the best weights come back at the end.
    var restoresBest = true
    /// Whether what measures takes part, and another average.
    var isMeasured = false
    /// Whether batch-norm statistics are estimated anew, so that none of those before matters.
    var recomputes = false
    /// Whether classes have weights, and one is ignored.
    var isWeighted = false
    /// Whether examples are mixed.
    var isMixed = false

    var description: String {
      "\(optimizer)\(oneCycle ? ", 1cycle" : ""), \(accumulates) batches a step"
        + (isComplete ? ", everything" : "") + (isMeasured ? ", measured" : "")
        + (restoresBest ? "" : " but the best weights")
        + (recomputes ? ", batch norm anew" : "") + (isWeighted ? ", weights of classes" : "")
        + (isMixed ? ", mixed" : "")
    }
  }

  static let epochs = 40
  static let batchSize = 5
  let parts: Parts

  /// Images of 1 × 4 × 4 in three classes.
  static func images(_ count: Int, seed: UInt64) -> TensorExamples {
    let generator = Philox(seed: seed, stream: Philox.Stream.split)
    let pixels = (0..<UInt64(count * 16)).map { 2 * generator.uniform($0) - 1 }
    let labels = (0..<count).map { Int64($0 % 3) }
    return TensorExamples(
      name: "tiny images", inputs: [("input", Tensor(pixels, shape: [count, 1, 4, 4]))],
      targets: Tensor(labels), classNames: ["a", "b", "c"])
  }

  /// A model with everything that has state or draws numbers.
  static func model() throws -> Model {
    try Model(input: [1, 4, 4], seed: 5, engine: Engine(threadCount: 1)) {
      Flatten()
      Dense(4)
      BatchNorm()
      ReLU()
      Dropout(0.25)
      Dense(3)
    }
  }

  /// A learner and the callbacks of its fit, new in all.
  func learner() throws -> (Learner, callbacks: [any Callback]) {
    let optimizer: any Optimizer =
      switch parts.optimizer {
      case "sgd": try SGD(learningRate: 0.05, weightDecay: 0.01)
      case "adam": try Adam(learningRate: 0.01)
      case "adamw": try AdamW(learningRate: 0.01)
      case "several":
        try MultiOptimizer(
          SGD(weightDecay: 0.01), .init(Adam(), for: .matching("dense.*"), rate: 0.02))
      default: try BuiltInOptimizer.named(parts.optimizer).make()
      }
    var callbacks: [any Callback] = [Recorder()]
    if parts.oneCycle { callbacks.append(try OneCycleScheduler(maxLR: 0.1)) }
    if parts.accumulates > 1 {
      callbacks.append(try GradientAccumulation(batches: parts.accumulates))
    }
    if parts.isComplete {
      callbacks += [
        try Lookahead.cubic(every: 3),
        try FreezeParameters(.matching("dense.*", "batch_norm.*"), from: 7, until: 19),
        try FreezeParameters(.matching("dense_1.bias"), from: 11),
        try EMA(decay: 0.9), try GradientClip(maximum: 0.5), try SAM(radius: 0.02),
        GradientCentralization(), try AdaptiveGradientClip(factor: 0.5),
        try ReduceLROnPlateau(monitor: .trainLoss, factor: 0.5, patience: 3, cooldown: 2),
        // No epoch is better by so much than the first, so that its weights come back at the end.
        try EarlyStopping(
          monitor: .validLoss, patience: 100, minDelta: 1e6,
          restoresBest: parts.restoresBest),
        try EarlyStopping(monitor: .metric("accuracy"), patience: 100),
      ]
    }
    if parts.isMeasured {
      callbacks += [
        try SWA(from: .fraction(0.2)), try GatherPredictions(), PassTimer(),
        try ValidateEvery(.steps(60)), try GradientStatistics(every: 50),
        try ActivationStats(["dense", "relu"], every: 70), try GradientNoiseScale(decay: 0.5),
        try LimitBatches(training: 5, validation: 2),
      ]
    }
    if parts.recomputes {
      callbacks.append(try RecomputeBatchNormStatistics(at: .validation, batches: 2))
    }
    let learner = try Learner(
      Self.model(),
      data: DataSplit(train: Self.images(22, seed: 3), valid: Self.images(9, seed: 4)),
      loss: parts.isWeighted ? .crossEntropy(classWeights: [1, 3, 0.5], ignoredLabel: 2) : nil,
      optimizer: optimizer, metrics: [Accuracy(), MeanLoss()], trainMetrics: parts.isMeasured,
      callbacks: callbacks,
      batchSize: Self.batchSize, seed: 11,
      transforms: parts.isComplete
        ? [PadAndCrop(padding: 1), HorizontalFlip(alternating: true)] : [],
      mixing: parts.isMixed ? [.mixUp(), .cutMix()] : [], prefetch: 0)
    // Time would make two runs differ.
    learner.now = { .zero }
    return (learner, callbacks)
  }

  /// A whole run: the state after each batch and each epoch, and at the end.
  func uninterrupted() throws -> (states: [RunState], end: RunState) {
    try learner().0.fitSavingStates(epochs: Self.epochs)
  }

  /// The end of a new run that goes on from `state`.
  func resumed(from state: RunState) throws -> RunState {
    try learner().0.fitResuming(from: state, path: "state", epochs: Self.epochs)
  }
}
