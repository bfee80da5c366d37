import CrestData
import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

struct LearnerErrorTests {
  static let messages: [(error: LearnerError, message: String)] = [
    (.epochs(0), "epochs: expected at least 1, got 0"),
    (
      .learningRate(-0.1), "learning rate: expected a finite number above 0, got -0.1"
    ),
    (.batchSize(-3), "batch size: expected at least 1, got -3"),
    (.prefetch(-1), "prefetch: expected 0 to 1024 batches, got -1"),
    (
      .transformCount(300),
      "transforms: expected at most 255, got 300; let one do the work of several"
    ),
    (
      .momentsTooLarge(optimizer: "adam", byteCount: 8_000_000, memory: 7_000_000),
      "the moments of adam take 8000000 bytes, expected at most the 7000000 that this process may take; choose an "
        + "optimiser with fewer moments or a smaller model, or raise its limit"
    ),
    (
      .augmentation(name: "mirror", reason: "a reason"),
      "test-time augmentation mirror: a reason; predict without it"
    ),
    (
      .mixing(name: "mixup(alpha 0.4)", reason: "a reason"),
      "mixing examples by mixup(alpha 0.4): a reason; train without it"
    ),
    (.emptyData(name: "tiny"), "tiny has no examples; expected at least one"),
    (
      .inputCount(model: 2, data: 1, name: "tiny"),
      "the model takes 2 inputs, but tiny has 1; give each input of the model"
    ),
    (
      .missingInput("left", known: ["a", "b"], name: "tiny"),
      "the model takes an input \"left\", but the inputs of tiny are a, b; "
        + "give the data's inputs the model's names"
    ),
    (
      .inputType(
        input: "input", model: ValueType([1, 28, 28]), data: ValueType([1, 8, 8]), name: "digits"),
      "input \"input\": the model takes examples of float32 [1, 28, 28], but those of digits are "
        + "float32 [1, 8, 8]; choose a model for such examples, or other data"
    ),
    (
      .classCount(model: 2, data: 3, name: "tiny"),
      "tiny has 3 classes, but the model has only 2 outputs; make the model with 3 classes"
    ),
    (
      .unsuitableMetric(name: "accuracy", reason: "a reason"),
      "the metric accuracy can't be used: a reason"
    ),
    (.metricNamedTwice("mae"), "the metric mae was added twice; remove one"),
    (
      .twoOwners(of: .base(.learningRate), first: "A", second: "B"),
      "A and B both set the learning rate; remove one of them"
    ),
    (
      .twoOwners(of: .factor(.weightDecay), first: "A", second: "B"),
      "A and B both set the factor of the weight decay; remove one of them"
    ),
    (
      .callbackAddedTwice("Trace"),
      "the callback Trace was added twice; add it once, or make a second one"
    ),
    (
      .cancelOutOfPlace(.validate, callback: "A", reason: "why"),
      "A cancelled the phase validate while it was not running (\"why\"); cancel it from a "
        + "hook that comes before its after hook"
    ),
    (
      .examples(expected: "float32 [N, 4]", got: "float32 [2, 5]"),
      "examples: expected float32 [N, 4], got float32 [2, 5]"
    ),
    (
      .classCount(model: 1, data: 2, name: "tiny"),
      "tiny has 2 classes, but the model has only 1 output; for one binary output choose the loss bce"
    ),
    (
      .loss(.noClasses(loss: "mse"), name: "tiny"),
      "tiny: class axis: expected a loss with classes, cross-entropy, got mse; omit the axis"
    ),
    (
      .binaryLabels(loss: "bce", data: 3, name: "tiny"),
      "bce takes labels 0 and 1, but tiny has 3 classes; choose the loss cross-entropy, or other data"
    ),
    (
      .targetOutOfRange(loss: "bce", value: 2, example: 3, batch: 1, name: "tiny"),
      "tiny: bce takes targets from 0 to 1, got 2.0 (batch 1, example 3); scale the targets, or choose "
        + "another loss"
    ),
    (.interrupted, "interrupted"),
    (
      .twoLenders(first: "EMA", second: "Average"),
      "EMA and Average both swap in other weights during validation; remove one of them"
    ),
    (.noParameters, "the model can't be trained: it has no parameters"),
    (
      .tooManyEpochs(.max, most: 858_993_459, batchesPerEpoch: 5),
      "epochs: expected at most 858993459, as an epoch has 5 batches and a fit can count 4294967295 batches, "
        + "got 9223372036854775807"
    ),
  ]

  @Test(arguments: messages.indices)
  func `a message says what, expected, got and what to do`(index: Int) {
    let (error, message) = Self.messages[index]
    #expect(error.description == message)
  }

  private static func learner() throws -> Learner {
    try Learner(TinyModel.linear(), data: TinyData.split())
  }

  @Test(arguments: [Float.nan, -0.01, 1.01, .infinity])
  func `a target outside of what the loss takes ends the pass and is named`(value: Float) throws {
    var targets = [Float](repeating: 0.5, count: 30)
    targets[3 * 7 + 2] = value
    let data = TensorExamples(
      name: "tiny", inputs: [("input", Tensor([Float](repeating: 1, count: 40), shape: [10, 4]))],
      targets: Tensor(targets, shape: [10, 3]))
    for loss in [Loss.crossEntropy(), .binaryCrossEntropy] {
      let learner = try Learner(
        TinyModel.linear(), data: DataSplit(train: data, valid: data), loss: loss, batchSize: 4,
        shuffle: false)
      for attempt in [{ _ = try learner.fit(epochs: 1) }, { _ = try learner.evaluate() }] {
        let error = #expect(throws: LearnerError.self) { try attempt() }
        #expect(error?.description.contains("(batch 1, example 3)") == true, "\(error as Any)")
      }
    }
  }

  @Test(arguments: [0, -1]) func `a fit needs an epoch`(epochs: Int) throws {
    let learner = try Self.learner()
    #expect(throws: LearnerError.epochs(epochs)) { try learner.fit(epochs: epochs) }
  }

  @Test(arguments: [1 << 31, 1 << 62, .max])
  func `a fit has no more batches than can be counted`(epochs: Int) throws {
    let learner = try Learner(TinyModel.linear(), data: TinyData.split(), batchSize: 2)
    let batches = learner.trainLoader.batchCount
    #expect(
      throws: LearnerError.tooManyEpochs(
        epochs, most: Int(UInt32.max) / batches, batchesPerEpoch: batches)
    ) { try learner.fit(epochs: epochs) }
  }

  @Test(arguments: [0, -0.1, .infinity]) func `a learning rate has a meaning`(rate: Double) throws {
    let learner = try Self.learner()
    #expect(throws: LearnerError.learningRate(rate)) {
      try learner.fit(epochs: 1, learningRate: rate)
    }
  }

  @Test func `a learning rate that is not a number is refused`() throws {
    let error = #expect(throws: LearnerError.self) {
      try Self.learner().fit(epochs: 1, learningRate: .nan)
    }
    #expect(error?.description == "learning rate: expected a finite number above 0, got nan")
  }

  @Test func `a batch has an example, and prefetch and transforms have their limits`() throws {
    #expect(throws: LearnerError.batchSize(0)) {
      try Learner(TinyModel.linear(), data: TinyData.split(), batchSize: 0)
    }
    for prefetch in [-1, 1025, 2000, .max] {
      #expect(throws: LearnerError.prefetch(prefetch)) {
        try Learner(TinyModel.linear(), data: TinyData.split(), prefetch: prefetch)
      }
    }
    #expect(throws: LearnerError.transformCount(300)) {
      try Learner(
        TinyModel.linear(), data: TinyData.split(),
        transforms: Array(repeating: HorizontalFlip(), count: 300))
    }
  }

  @Test func `a learner's parts fit each other`() throws {
    #expect(throws: LearnerError.emptyData(name: "tiny (validation)")) {
      try Learner(TinyModel.linear(), data: TinyData.split(valid: 0))
    }
    let wide = try Model(input: [5], engine: Engine(threadCount: 1)) { Dense(3) }
    #expect(
      throws: LearnerError.inputType(
        input: "input", model: ValueType([5]), data: ValueType([4]), name: "tiny")
    ) { try Learner(wide, data: TinyData.split()) }
    let narrow = try Model(input: [4], engine: Engine(threadCount: 1)) { Dense(2) }
    #expect(throws: LearnerError.classCount(model: 2, data: 3, name: "tiny")) {
      try Learner(narrow, data: TinyData.split())
    }
    #expect(throws: LearnerError.metricNamedTwice("accuracy")) {
      try Learner(
        TinyModel.linear(), data: TinyData.split(), metrics: [Accuracy(), Accuracy()])
    }
  }

  @Test func `inputs are matched by name`() throws {
    func model(_ names: [String]) throws -> Model {
      try Model(
        inputs: [.init(name: names[0], shape: [4]), .init(name: names[1], shape: [2])],
        engine: Engine(threadCount: 1)
      ) { inputs in try Dense(3)(inputs[0]) + Dense(3)(inputs[1]) }
    }
    let set = TensorExamples(
      name: "pairs",
      inputs: [("narrow", Tensor(zeros: [6, 2])), ("wide", Tensor(zeros: [6, 4]))],
      targets: Tensor(zeros: [6, 3]))
    let data = DataSplit(train: set, valid: set)
    #expect(
      throws: LearnerError.missingInput("left", known: ["narrow", "wide"], name: "pairs")
    ) { try Learner(model(["left", "narrow"]), data: data) }
    #expect(throws: LearnerError.inputCount(model: 1, data: 2, name: "pairs")) {
      try Learner(TinyModel.linear(), data: data)
    }
    let learner = try Learner(model(["wide", "narrow"]), data: data)
    var shapes: [Shape] = []
    try learner.fit(
      epochs: 1, callbacks: [CallbackOf(.beforeBatch { shapes = $0.inputs.map(\.shape) })])
    #expect(shapes == [[6, 4], [6, 2]])
    #expect(try learner.evaluate().exampleCount == 6)
    #expect(try learner.predict(on: set).shape == [6, 3])
  }

  @Test func `a metric that can't judge the data is refused before training`() throws {
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), metrics: [MeanSquaredError()])
    let error = LearnerError.unsuitableMetric(
      name: "mse",
      reason: "it needs targets of the predictions' type float32 [9, 3], got int64 [9]")
    #expect(throws: error) { try learner.evaluate() }
    let before = learner.model.store.snapshot()
    #expect(throws: LearnerError.self) { try learner.fit(epochs: 1) }
    #expect(learner.model.store.snapshot() == before)
  }

  @Test func `a callback is there once`() throws {
    let trace = Trace()
    let learner = try Self.learner()
    learner.add(trace)
    #expect(throws: LearnerError.callbackAddedTwice("Trace")) {
      try learner.fit(epochs: 1, callbacks: [trace])
    }
    #expect(throws: LearnerError.callbackAddedTwice("Trace")) {
      try learner.describe(callbacks: [trace])
    }
  }

  @Test func `an error of the data ends the fit in order`() throws {
    struct Broken: Dataset {
      let base = TinyData.classes(8)
      var name: String { "broken" }
      var count: Int { base.count }
      var inputs: [Field] { base.inputs }
      var target: Target { base.target }
      var preprocessing: Preprocessing { base.preprocessing }
      var labels: [Int64]? { base.labels }
      var fingerprint: String { base.fingerprint }
      func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws {
        if batch.index == 1 { throw Mishap("disk on fire") }
        base.write(examples, into: &batch)
      }
    }
    for prefetch in [0, 3] {
      let trace = Trace()
      let learner = try Learner(
        TinyModel.linear(), data: DataSplit(train: Broken(), valid: TinyData.classes(4)),
        batchSize: 4, prefetch: prefetch)
      #expect(throws: Mishap("disk on fire")) { try learner.fit(epochs: 1, callbacks: [trace]) }
      #expect(
        trace.entries.suffix(3) == [
          "afterTrain (failed: disk on fire)", "afterEpoch (failed: disk on fire)",
          "afterFit (failed: disk on fire)",
        ])
    }
  }
}
