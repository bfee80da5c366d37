import CrestCallbacks
import CrestLayers
import CrestGraph
import CrestData
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

struct EarlyStoppingTests {
  /// A metric that gives the values it was made of, one a pass.
  struct Script: Metric {
    let name: String
    let direction: MetricDirection
    let values: [Double]
    let pass: Pass
    var value: Double { values[pass.number - 1] }
    mutating func reset() { pass.number += 1 }
    mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {}

    /// The pass, counted by resets; used by one learner at a time.
    final class Pass: Codable, @unchecked Sendable { var number = 0 }
  }

  static let cases:
    [(values: [Double], direction: MetricDirection, patience: Int, delta: Double, epochs: Int)] = [
      ([3, 2, 1, 0], .lowerIsBetter, 1, 0, 4),
      ([3, 2, 2, 0], .lowerIsBetter, 1, 0, 3),
      ([3, 2, 2.5, 1.9, 3, 3], .lowerIsBetter, 2, 0, 6),
      ([3, 2, 2.5, 2.2, 1], .lowerIsBetter, 2, 0, 4),
      ([3, 2.95, 2.9, 1], .lowerIsBetter, 2, 0.5, 3),
      ([1, 2, 3, 2], .higherIsBetter, 1, 0, 4),
      ([1, 2, 1, 5], .higherIsBetter, 1, 0, 3),
      ([.nan, 2, .nan, 1], .lowerIsBetter, 2, 0, 4),
      ([2, .nan, .nan, 1], .lowerIsBetter, 2, 0, 3),
    ]

  @Test(arguments: cases.indices)
  func `a fit ends when nothing got better for as long as is borne`(index: Int) throws {
    let (values, direction, patience, delta, epochs) = Self.cases[index]
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(),
      metrics: [
        Script(name: "script", direction: direction, values: values, pass: .init())
      ])
    let recorder = Recorder()
    let outcome = try learner.fit(
      epochs: values.count,
      callbacks: [
        recorder, EarlyStopping(monitor: .metric("script"), patience: patience, minDelta: delta),
      ])
    #expect(recorder.epochs.count == epochs)
    if epochs < values.count {
      guard case .cancelled(let cancellation) = outcome else {
        Issue.record("not cancelled but \(outcome)")
        return
      }
      let wait = patience == 1 ? "1 epoch" : "\(patience) epochs"
      #expect(
        cancellation.description
          == "fit cancelled by EarlyStopping: script has not improved for \(wait)")
    }
  }

  @Test func `losses are watched too, and a mode overrules the direction`() throws {
    for (name, monitor) in [
      ("train_loss", Monitor.trainLoss), ("valid_loss", .validLoss),
      ("accuracy", .metric("accuracy")),
    ] {
      #expect(Monitor(name) == monitor)
      #expect(monitor.description == name)
    }
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    let recorder = Recorder()
    try learner.fit(
      epochs: 9, learningRate: 0.1,
      callbacks: [
        recorder, EarlyStopping(monitor: .trainLoss, patience: 2, mode: .higherIsBetter),
      ])
    #expect(recorder.epochs.count == 3, "the loss falls from the start")
  }

  @Test func `numbers without a meaning and unknown metrics are refused`() throws {
    let patience = #expect(throws: CallbackError.self) { try EarlyStopping(patience: 0) }
    #expect(patience?.description == "EarlyStopping: patience is 0, expected at least 1 epoch")
    let delta = #expect(throws: CallbackError.self) { try EarlyStopping(minDelta: -1) }
    #expect(
      delta?.description
        == "EarlyStopping: minDelta is -1.0, expected a finite number of at least 0")
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), metrics: [Accuracy()])
    let metric = #expect(throws: CallbackError.self) {
      try learner.fit(epochs: 1, callbacks: [EarlyStopping(monitor: .metric("f1"))])
    }
    #expect(
      metric?.description
        == "EarlyStopping: there is no metric \"f1\" to monitor; choose one of train_loss, valid_loss, "
        + "accuracy, or add the metric to the learner")
  }
}

struct TerminateOnNaNTests {
  /// The logarithm of inputs of which some are below 0.
  struct Decibels: Layer {
    func trace(_ x: Symbol) throws -> Symbol { try x.log() }
  }

  @Test func `the first layer that gives no number is named, and nothing has moved`() throws {
    let model = try Model(input: [4], engine: Engine(threadCount: 1)) {
      Dense(6, name: "first")
      BatchNorm()
      Decibels()
      Dropout(0.5)
      Dense(3)
    }
    let learner = try Learner(
      model, data: TinyData.split(), callbacks: [TerminateOnNaN()], batchSize: 5)
    let parameters = model.store.parameters.map(model.store.value)
    let error = #expect(throws: NonFiniteLoss.self) { try learner.fit(epochs: 1) }
    #expect(
      error?.description == "the training loss is nan in step 0 (epoch 1, batch 0): "
        + "logarithm in layer decibels gives nan; lower the learning rate")
    #expect(model.store.parameters.map(model.store.value) == parameters)
  }

  @Test func `a run that blows up names the step and the parameter or layer`() throws {
    let learner = try Learner(
      TinyModel.linear(),
      data: DataSplit(train: TinyData.values(22), valid: TinyData.values(9)),
      callbacks: [TerminateOnNaN()], batchSize: 5)
    let recorder = Recorder()
    let error = #expect(throws: NonFiniteLoss.self) {
      try learner.fit(epochs: 9, learningRate: 1e18, callbacks: [recorder])
    }
    #expect(error?.step == recorder.steps.count)
    #expect(error?.purpose == .training)
    #expect(error?.origin != nil)
  }

  @Test func `data that is no number is named`() throws {
    let set = TensorExamples(
      name: "broken", inputs: [("pixels", Tensor([1, 2, .infinity, 4 as Float], shape: [1, 4]))],
      targets: Tensor([0 as Int64]), classNames: ["a", "b", "c"])
    let learner = try Learner(
      TinyModel.linear(), data: DataSplit(train: set, valid: set), callbacks: [TerminateOnNaN()])
    let error = #expect(throws: NonFiniteLoss.self) { try learner.fit(epochs: 1) }
    #expect(
      error?.description
        == "the training loss is nan in step 0 (epoch 1, batch 0): the input \"input\" holds inf "
        + "in example 0 (from 0) of broken; clean the data")
    #expect(error?.isOfData == true)
    #expect(error?.isDivergence == false)
  }

  /// Numbers and targets, of which one isn't finite.
  private static func values(spoiling part: String, at example: Int) -> TensorExamples {
    var inputs = (0..<88).map { Float($0 % 7) / 7 }
    var targets = (0..<66).map { Float($0 % 5) / 5 }
    if part == "input" { inputs[4 * example + 2] = .nan } else { targets[3 * example] = .nan }
    return TensorExamples(
      name: "values", inputs: [("input", Tensor(inputs, shape: [22, 4]))],
      targets: Tensor(targets, shape: [22, 3]))
  }

  @Test(arguments: ["training", "validation"], ["the input \"input\" holds", "the targets hold"])
  func `the example of the data is named, in the set that its file holds`(
    purpose: String, place: String
  ) throws {
    let spoilt = Self.values(spoiling: place == "the targets hold" ? "target" : "input", at: 17)
    let part = Subset(spoilt, indices: [3, 5, 1, 0, 2, 8, 17, 4], name: "values (a part)")
    let whole = TinyData.values(22)
    let isTraining = purpose == "training"
    for shuffle in [true, false] {
      let learner = try Learner(
        TinyModel.linear(),
        data: DataSplit(train: isTraining ? part : whole, valid: isTraining ? whole : part),
        callbacks: [TerminateOnNaN()], batchSize: 5, shuffle: shuffle)
      let message = "\(place) nan in example 17 (from 0) of values; clean the data"
      let error = #expect(throws: LearnerError.self) { try learner.fit(epochs: 1) }
      #expect(error?.description == message)
      let checked = #expect(throws: LearnerError.self) {
        try learner.checkNumbers(isTraining: true)
      }
      #expect(checked?.description == message)
      // Outside of a fit.
      guard !isTraining else { continue }
      let measured = #expect(throws: LearnerError.self) {
        try learner.evaluate(requiringFinite: true)
      }
      #expect(measured?.description == message)
      #expect(try learner.evaluate().loss.isNaN)
    }
  }

  /// Replaces what isn't a number by 0, as an imputer does.
  struct Impute: Layer {
    func trace(_ x: Symbol) throws -> Symbol {
      try x.selected(where: x.equal(to: x), else: x.scalar(0))
    }
  }

  @Test func `a NaN that the network replaces is not taken for the cause`() throws {
    let data = Self.values(spoiling: "input", at: 3)
    func learner() throws -> Learner {
      let model = try Model(input: [4], engine: Engine(threadCount: 1)) {
        Impute()
        Dense(3)
      }
      return try Learner(
        model, data: DataSplit(train: data, valid: data), callbacks: [TerminateOnNaN()],
        batchSize: 22)
    }
    let trained = try learner()
    try trained.fit(epochs: 2, learningRate: 0.01)
    #expect(try trained.evaluate(requiringFinite: true).loss.isFinite)
    let diverged = #expect(throws: NonFiniteLoss.self) {
      try learner().fit(epochs: 9, learningRate: 1e25)
    }
    #expect(diverged?.isDivergence == true, "\(String(describing: diverged))")
  }

  @Test func `a prediction that is no number is found though the loss is finite`() throws {
    let model = try Model(input: [4], engine: Engine(threadCount: 1)) {
      Dense(3)
      Decibels()
    }
    let blind = Loss("blind") { prediction, target in try (target * target) }
    for isTraining in [true, false] {
      let finite = TinyData.values(5)
      let learner = try Learner(
        model, data: DataSplit(train: finite, valid: finite), loss: blind,
        callbacks: [TerminateOnNaN()], batchSize: 5)
      if isTraining {
        let error = #expect(throws: NonFiniteLoss.self) { try learner.fit(epochs: 1) }
        #expect(
          error?.description == "a prediction in training is nan in step 0 (epoch 1, batch 0): "
            + "logarithm in layer decibels gives nan; lower the learning rate")
        #expect(error?.isDivergence == true)
      } else {
        let error = #expect(throws: NonFiniteLoss.self) {
          try learner.evaluate(requiringFinite: true)
        }
        #expect(
          error?.description
            == "a prediction in validation is nan in batch 0: logarithm in layer decibels gives "
            + "nan; train it again at a lower learning rate")
        #expect(error?.isDivergence == false)
      }
    }
  }

  @Test func `a running statistic that is no number is named`() throws {
    let learner = try Learner(TinyModel.full(), data: TinyData.split())
    let entry = try #require(learner.model.store.statistics.first)
    learner.model.store.write(Tensor([Float](repeating: .nan, count: 8)), to: entry)
    let error = #expect(throws: NonFiniteLoss.self) {
      try learner.evaluate(requiringFinite: true)
    }
    #expect(
      error?.description
        == "the validation loss is nan in batch 0: the running statistic \(entry.name) is nan; "
        + "train it again at a lower learning rate")
  }

  @Test func `finite losses pass`() throws {
    try Learner(TinyModel.full(), data: TinyData.split(), callbacks: [TerminateOnNaN()])
      .fit(epochs: 1)
  }
}
