import CrestCallbacks
import CrestData
import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct `Batch-norm statistics` {
  /// A model with batch norms, whose statistics a case is about.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let layers: @Sendable () throws -> Model
  }

  /// A batch norm that is used twice, with a statistic of another kind beside it.
  struct Twice: Layer {
    let norm: BatchNorm
    var name: String? { "twice" }

    func trace(_ x: Symbol) throws -> Symbol {
      let channels = x.shape[1]
      let scale = try x.parameter("weight", [channels], role: .normalizationScale, .ones)
      let shift = try x.parameter("bias", [channels], role: .normalizationShift, .zeros)
      let mean = try x.statistic("running_mean", [channels], .zeros)
      let variance = try x.statistic("running_var", [channels], .ones)
      let count = try x.statistic("count", [1], .zeros)
      x.builder.update(count, to: try count + 1)
      var now = (y: x, mean: mean, variance: variance)
      for _ in 0..<2 {
        now = try (now.y * 2 + 1).batchNormalized(
          scale: scale, bias: shift, runningMean: now.mean, runningVariance: now.variance,
          epsilon: norm.epsilon, momentum: norm.momentum, convention: norm.convention)
      }
      x.builder.update(mean, to: now.mean)
      x.builder.update(variance, to: now.variance)
      return now.y
    }
  }

  static func model(@Sequential.Builder _ layers: () -> Sequential) throws -> Model {
    try Model(input: [4], seed: 5, engine: Engine(threadCount: 1), layers)
  }

  static let cases = [
    Case(testDescription: "one") {
      try model {
        Dense(6); BatchNorm(); ReLU(); Dense(3)
      }
    },
    Case(testDescription: "slow, of PyTorch's variance") {
      try model {
        Dense(6); BatchNorm(momentum: 0.95, convention: .torch); ReLU(); Dense(3)
      }
    },
    Case(testDescription: "of no memory") {
      try model {
        Dense(6); BatchNorm(momentum: 0); ReLU(); Dense(3)
      }
    },
    Case(testDescription: "one after the other") {
      try model {
        BatchNorm(); Dense(6); BatchNorm(momentum: 0.5); ReLU(); Dense(3)
      }
    },
    Case(testDescription: "one that is used twice") {
      try model {
        Dense(6); Twice(norm: BatchNorm(momentum: 0.9)); Dense(3)
      }
    },
  ]

  /// All running statistics by name.
  static func statistics(_ learner: Learner) -> [String: [Float]] {
    let store = learner.model.store
    return Dictionary(
      uniqueKeysWithValues: store.statistics.map {
        ($0.name, store.value(of: $0).doubles.map { Float($0) })
      })
  }

  @Test(arguments: cases)
  func `are those that training comes to in the limit of many equal batches`(row: Case) throws {
    let learner = try Learner(
      row.layers(), data: TinyData.split(), optimizer: SGD(learningRate: 1e-30, momentum: 0),
      batchSize: 22, prefetch: 0)
    let parameters = learner.model.store.withBuffer(.parameters) { Array($0) }
    try learner.fit(epochs: 500)
    // From 0, a step of 1e-30 is not nothing.
    #expect(
      learner.model.store.withBuffer(.parameters) {
        zip($0, parameters).allSatisfy { abs($0 - $1) < 1e-20 }
      })
    let limit = Self.statistics(learner)
    for entry in learner.model.store.statistics where !entry.name.hasSuffix("count") {
      learner.model.store.write(
        Tensor([Float](repeating: 7, count: entry.range.count), shape: entry.shape), to: entry)
    }
    #expect(
      try learner.recomputeBatchNormStatistics() == limit.count { !$0.key.hasSuffix("count") })
    for (name, values) in Self.statistics(learner) {
      for (got, expected) in zip(values, limit[name] ?? []) {
        #expect(abs(got - expected) <= 2e-6 * max(1, abs(expected)), "\(name)")
      }
    }
  }

  @Test func `are means over batches, each by its number of examples`() throws {
    let learner = try Learner(
      Self.model {
        BatchNorm(); Dense(3)
      }, data: TinyData.split(), batchSize: 5, seed: 3,
      prefetch: 0)
    let order = try DataLoader(learner.data.train, batchSize: 5, seed: 3).order(epoch: 0)
    let rows = learner.data.train
    for (batches, taken) in [(1, 5), (3, 15), (5, 22), (100, 22)] {
      #expect(try learner.recomputeBatchNormStatistics(batches: batches) == 2)
      let examples = try rows.batch(of: order[..<taken]).inputs[0].doubles
      var means = [0.0, 0, 0, 0]
      var variances = means
      for start in stride(from: 0, to: taken, by: 5) {
        let count = min(5, taken - start)
        for feature in 0..<4 {
          let values = (start..<start + count).map { examples[$0 * 4 + feature] }
          let mean = values.reduce(0, +) / Double(count)
          means[feature] += mean * Double(count) / Double(taken)
          variances[feature] +=
            values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(taken)
        }
      }
      let got = Self.statistics(learner)
      for (name, expected) in [("running_mean", means), ("running_var", variances)] {
        let values = try #require(got["batch_norm." + name])
        for (value, expected) in zip(values, expected) {
          #expect(abs(Double(value) - expected) < 1e-6, "\(batches) batches: \(name)")
        }
      }
    }
  }

  @Test func `are all that changes, and those that are frozen or of another kind don't`() throws {
    let learner = try Learner(
      Self.model {
        BatchNorm(name: "first")
        Dense(6)
        Twice(norm: BatchNorm())
        Dropout(0.5)
        Dense(3)
      }, data: TinyData.split(), batchSize: 5, seed: 3, prefetch: 0)
    try learner.fit(epochs: 3)
    try learner.freeze(.matching("first.*"))
    let before = (learner.snapshot(), Self.statistics(learner))
    #expect(try learner.recomputeBatchNormStatistics() == 2)
    let after = Self.statistics(learner)
    let changed = after.keys.filter { after[$0] != before.1[$0] }.sorted()
    #expect(changed == ["twice.running_mean", "twice.running_var"])
    // Again, the same bits; and with what was there before, all is as it was.
    #expect(try learner.recomputeBatchNormStatistics() == 2)
    #expect(Self.statistics(learner) == after)
    for (name, values) in before.1 {
      let entry = try #require(learner.model.store.entry(named: name))
      learner.model.store.write(Tensor(values, shape: entry.shape), to: entry)
    }
    let restored = learner.snapshot()
    #expect(restored.store == before.0.store)
    #expect(restored.stepsTaken == before.0.stepsTaken)
    #expect(restored.batchesTrained == before.0.batchesTrained)
    #expect(restored.epochsBegun == before.0.epochsBegun)
  }

  @Test func `of a model without batch norm are none`() throws {
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    #expect(try learner.recomputeBatchNormStatistics() == 0)
    #expect(!learner.hasTrainedBatchNorm)
    let error = #expect(throws: CallbackError.self) {
      try learner.fit(epochs: 1, callbacks: [try RecomputeBatchNormStatistics()])
    }
    #expect(
      error?.description
        == "RecomputeBatchNormStatistics: the model has no batch norm whose statistics train; leave it out"
    )
  }

  @Test func `are as they were when the data fail`() throws {
    struct Failure: Error {}
    struct Failing: Dataset {
      let base: TensorExamples
      var name: String { base.name }
      var count: Int { base.count }
      var inputs: [Field] { base.inputs }
      var target: Target { base.target }
      func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws {
        if batch.index == 2 { throw Failure() }
        try base.write(examples, into: &batch)
      }
    }
    let learner = try Learner(
      TinyModel.full(),
      data: DataSplit(train: Failing(base: TinyData.classes(22)), valid: TinyData.classes(9)),
      batchSize: 5, prefetch: 0)
    let before = learner.snapshot()
    #expect(throws: Failure.self) { try learner.recomputeBatchNormStatistics() }
    #expect(learner.snapshot().store == before.store)
    #expect(try learner.recomputeBatchNormStatistics(batches: 2) == 2)
  }

  @Test func `before validation change no step, and are measured`() throws {
    func run(_ callbacks: [any Callback]) throws -> (parameters: [Float], valid: [Double]) {
      let recorder = Recorder()
      let learner = try Learner(
        TinyModel.full(), data: TinyData.split(), optimizer: SGD(learningRate: 0.5),
        callbacks: callbacks + [recorder], batchSize: 5, prefetch: 0)
      try learner.fit(epochs: 6)
      return (
        learner.model.store.withBuffer(.parameters) { Array($0) },
        recorder.epochs.compactMap { $0.validation?.loss }
      )
    }
    let plain = try run([])
    for moment in RecomputeBatchNormStatistics.Moment.allCases {
      let got = try run([try RecomputeBatchNormStatistics(at: moment)])
      #expect(got.parameters == plain.parameters)
      switch moment {
      case .validation: #expect(zip(got.valid, plain.valid).allSatisfy { $0 != $1 })
      case .end: #expect(got.valid == plain.valid)
      }
    }
  }

  @Test func `at the end are those of the network that the result tells of`() throws {
    let average = try EMA(decay: 0.6)
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(), callbacks: [average], batchSize: 5, prefetch: 0)
    try learner.fit(epochs: 4, callbacks: [try RecomputeBatchNormStatistics(batches: 3)])
    #expect(learner.fitResult?.origin == .measuredAfterwards)
    let result = try #require(learner.fitResult?.validation)
    let statistics = Self.statistics(learner)
    #expect(try learner.recomputeBatchNormStatistics(batches: 3) == 2)
    #expect(Self.statistics(learner) == statistics)
    #expect(try learner.evaluate().loss == result.loss)
  }

  @Test func `before validation are those that are kept, averages and restored weights included`()
    throws
  {
    for restores in [false, true] {
      let callbacks: [any Callback] = [
        try EMA(decay: 0.6), try EarlyStopping(patience: 9, minDelta: 1e6, restoresBest: restores),
        try RecomputeBatchNormStatistics(at: .validation, batches: 3),
      ]
      let learner = try Learner(
        TinyModel.full(), data: TinyData.split(), callbacks: callbacks, batchSize: 5, prefetch: 0)
      try learner.fit(epochs: 4)
      #expect(learner.fitResult?.origin == (restores ? .restored : .lastEpoch))
      #expect(try learner.evaluate().loss == learner.fitResult?.validation?.loss)
    }
  }

  @Test func `of no batch are refused`() throws {
    let error = #expect(throws: CallbackError.self) {
      try RecomputeBatchNormStatistics(at: .validation, batches: 0)
    }
    #expect(
      error?.description == "RecomputeBatchNormStatistics: batches is 0, expected at least 1")
  }

  /// A momentum and the steps of a half cycle, by Smith's values: 1 - 280 / steps at most.
  static let momenta: [(Double, Int, isSlow: Bool)] = [
    (0.9, 2_900, false), (0.9, 2_700, true), (0.95, 5_700, false), (0.95, 5_500, true),
    (0.6, 710, false), (0.6, 690, true), (0.9, 250, false), (0.99, 200, true), (0.3, 401, false),
    (0, 20, false), (0.9, 21, true), (0.9, 22, false),
  ]

  @Test(arguments: momenta)
  func `that can't follow a cycle are noted`(_ momentum: Double, _ steps: Int, isSlow: Bool) throws
  {
    let learner = try Learner(
      Self.model {
        BatchNorm(momentum: momentum); Dense(3)
      }, data: TinyData.split(train: 5),
      optimizer: SGD(learningRate: 0), batchSize: 5, prefetch: 0)
    for moment in [nil] + RecomputeBatchNormStatistics.Moment.allCases {
      let declare = CallbackOf(.beforeFit { $0.declareCycle(halfCycle: steps) })
      try learner.fit(
        epochs: 1,
        callbacks: [declare]
          + [try moment.map { try RecomputeBatchNormStatistics(at: $0) }].compactMap(\.self))
      let isNoted = learner.notes.contains(.slowBatchNorm(kept: momentum, halfCycle: steps))
      #expect(
        isNoted == (isSlow && moment != .validation),
        "\(momentum) \(steps) \(moment?.rawValue ?? "plain")")
      if isNoted { break }
    }
  }

  @Test func `in words`() {
    #expect(
      Learner.Note.slowBatchNorm(kept: 0.9, halfCycle: 800).description
        == "the running statistics of batch norm keep 0.9 of themselves in each step, too much to follow a half cycle "
        + "of 800 steps: while the learning rate is high, validation measures a worse network than there is; estimate "
        + "them anew before validation (RecomputeBatchNormStatistics), or use a momentum of at most 0.65"
    )
    #expect(
      Learner.Note.slowBatchNorm(kept: 0.99, halfCycle: 100).description
        == "the running statistics of batch norm keep 0.99 of themselves in each step, so that after 200 steps they are "
        + "still 13 % what they began with; estimate them anew before validation (RecomputeBatchNormStatistics), or use "
        + "a smaller momentum")
  }
}
