import CrestCallbacks
import CrestData
import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import ProcessSupport
import Testing
import TrainingTestSupport

@Suite("A range test") struct RangeTestRunTests {
  private static func learner(
    _ data: DataSplit? = nil, loss: Loss? = nil, callbacks: [any Callback] = []
  ) throws -> Learner {
    try Learner(
      TinyModel.full(), data: data ?? TinyData.split(), loss: loss,
      optimizer: SGD(weightDecay: 1e-4), callbacks: callbacks, batchSize: 5)
  }

  private static func digits(_ model: String = "mlp", seed: UInt64 = 0) throws -> Learner {
    try Learner(
      BuiltInModel.make(model, input: [1, 8, 8], classes: 10, seed: seed),
      data: DataSource.digits.load(), seed: seed)
  }

  private static func train(_ learner: Learner) throws -> (ParameterStore.Snapshot, [Float]) {
    let recorder = Recorder()
    try learner.fitOneCycle(epochs: 2, maxLR: 0.05, callbacks: [recorder])
    return (learner.model.store.snapshot(), recorder.steps.map(\.loss))
  }

  @Test(arguments: ["returned", "given", "diverged", "thrown", "interrupted", "chosen"])
  func `leaves the learner as it was, to the bit, however it ends`(ending: String) throws {
    let recorder = Recorder()
    let plain = try Self.learner(callbacks: [recorder])
    try plain.fit(epochs: 1)
    let expected = try Self.train(plain)

    let learner = try Self.learner(callbacks: [recorder])
    try learner.fit(epochs: 1)
    let before = (learner.snapshot(), recorder.state)
    let disturber = CallbackOf(
      .afterBackward { batch in
        guard batch.step == 7 else { return }
        if ending == "thrown" { throw Mishap("broken") }
        if ending == "interrupted" { learner.interruption.raise() }
      })
    switch ending {
    case "thrown":
      #expect(throws: Mishap("broken")) { try learner.rangeTest(callbacks: [disturber]) }
    case "interrupted":
      #expect(throws: LearnerError.interrupted) { try learner.rangeTest(callbacks: [disturber]) }
    case "diverged":
      let test = try learner.rangeTest(to: 1e30, steps: 40, points: 20)
      #expect(test.verdict == nil)
      #expect(test.maxLR == nil && test.minLR == nil)
      #expect(test.doubts.contains(.startsTooHigh))
      #expect(test.curves[0].divergedRate == 1e30 / 20)
    case "given":
      let test = try learner.rangeTest(to: 0.5, steps: 60, points: 20, seeds: [3, 4])
      #expect(test.curves.count == 2)
      #expect(test.curves[0] != test.curves[1])
      #expect(test.usualRate == nil)
    case "chosen":
      let choice = try learner.chooseMaxLR(epochs: 2)
      #expect(choice.trials.count >= 3)
      #expect(choice.trials.map(\.maxLR).contains(choice.maxLR))
    default:
      let test = try learner.rangeTest(steps: 100, points: 25, trialEpochs: 1)
      #expect(test.curves[0].points.count == 25)
      let usual = try #require(test.usualRate)
      #expect(test.curves[0].points[24].learningRate == 30 * usual)
    }
    #expect(learner.snapshot().store == before.0.store)
    #expect(learner.stepsTaken == before.0.stepsTaken)
    #expect(learner.batchesTrained == before.0.batchesTrained)
    #expect(learner.epochsBegun == before.0.epochsBegun)
    #expect(recorder.state == before.1, "the learner's own callbacks rest")
    let got = try Self.train(learner)
    #expect(got.0 == expected.0)
    #expect(got.1 == expected.1)
  }

  @Test func `measures at rates that rise linearly, on examples it doesn't train on`() throws {
    var rates: [Double] = []
    var trainedOn = Set<[Float]>()
    var measuredOn = Set<[Float]>()
    let watch = CallbackOf(
      .beforeBatch { batch in
        let rows = batch.inputs[0].array(as: Float.self)
        for row in 0..<batch.count { trainedOn.insert(Array(rows[4 * row..<4 * row + 4])) }
      }, .afterStep { rates.append($0.hyperparameters.learningRate) },
      .beforeFit { fit in
        let valid = fit.learner.data.valid
        for example in 0..<valid.count {
          measuredOn.insert(try Self.input(example, of: valid))
        }
      })
    // Its own validation part may be the test set, which is never looked at.
    let all = try TinyData.split()
    let learner = try Self.learner(DataSplit(train: all.train, valid: all.valid))
    let test = try learner.rangeTest(
      to: 0.2, steps: 40, points: 20, trialEpochs: 0, callbacks: [watch])
    #expect(rates == (1...40).map { 0.2 * Double($0) / 40 })
    #expect(test.curves[0].points.map(\.learningRate) == (1...20).map { 0.2 * Double($0) / 20 })
    #expect(!measuredOn.isEmpty && measuredOn.isDisjoint(with: trainedOn))
    let own = Set(try (0..<all.valid.count).map { try Self.input($0, of: all.valid) })
    #expect(own.isDisjoint(with: measuredOn.union(trainedOn)))
  }

  private static func input(_ example: Int, of dataset: any Dataset) throws -> [Float] {
    try dataset.batch(of: [example]).inputs[0].array(as: Float.self)
  }

  @Test func `tells a plateau from a peak`() throws {
    let peak = try Self.digits().rangeTest(steps: 400, points: 20)
    #expect(peak.verdict == .peak, "\(peak.reasons)")
    let plateau = try Self.digits("small-cnn").rangeTest(
      to: 3, steps: 400, points: 20, trialEpochs: 1)
    #expect(plateau.verdict == .plateau, "\(plateau.reasons)")
    #expect(plateau.trials.count == 3)
    let best = try #require(plateau.trials.min { ($0.loss ?? .infinity) < ($1.loss ?? .infinity) })
    #expect(plateau.maxLR == best.maxLR)
    for test in [peak, plateau] {
      let terminal = test.plot.terminal()
      #expect(terminal.hasPrefix("accuracy\n") && terminal.contains("max LR"))
      #expect(test.plot.svg().hasPrefix("<?xml"))
    }
  }

  @Test func `is judged by the loss of values`() throws {
    let inputs = (0..<120).map { Float($0 % 12) / 12 }
    let data = try DataSplit(
      dividing: TensorExamples(
        name: "values", inputs: [("input", Tensor(inputs, shape: [30, 4]))],
        targets: Tensor((0..<30).map { inputs[4 * $0] * 2 - 1 }, shape: [30, 1])))
    let learner = try Learner(Model(input: [4]) { Dense(1) }, data: data, batchSize: 4)
    let test = try learner.rangeTest(to: 0.5, steps: 200, points: 20)
    #expect(test.measure == .explained)
    #expect(test.curves[0].chance == 0)
    #expect(test.readings[0].peak > 0.9)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let message: String
    let body: @Sendable (Learner) throws -> Void
  }

  @Test(arguments: [
    Refusal(
      testDescription: "maximum",
      message: "range test: maximum is -1.0, expected a number above 0 that float32 holds"
    ) {
      _ = try $0.rangeTest(to: -1)
    },
    Refusal(
      testDescription: "not a number",
      message: "range test: maximum is nan, expected a number above 0 that float32 holds"
    ) {
      _ = try $0.rangeTest(to: .nan)
    },
    Refusal(
      testDescription: "one step",
      message: "range test: steps is 1, expected a step for each of the 40 points or more"
    ) {
      _ = try $0.rangeTest(steps: 1)
    },
    Refusal(testDescription: "points", message: "range test: points is 19, expected 20 to 1000") {
      _ = try $0.rangeTest(points: 19)
    },
    Refusal(
      testDescription: "no seeds",
      message: "range test: seeds is [], expected different seeds, one or more"
    ) {
      _ = try $0.rangeTest(seeds: [])
    },
    Refusal(
      testDescription: "a seed twice",
      message: "range test: seeds is [1, 1], expected different seeds, one or more"
    ) {
      _ = try $0.recommendLearningRate(seeds: [1, 1])
    },
    Refusal(testDescription: "trials", message: "range test: trialEpochs is -1, expected 0 to 1000")
    {
      _ = try $0.rangeTest(trialEpochs: -1)
    },
  ])
  func `refuses numbers out of range`(refusal: Refusal) throws {
    let learner = try Self.learner()
    let before = learner.snapshot().store
    let error = #expect(throws: RangeTest.Refusal.self) { try refusal.body(learner) }
    #expect(error?.description == refusal.message)
    #expect(learner.snapshot().store == before)
  }

  @Test func `refuses data and losses from which nothing can be told`() throws {
    let inputs = Tensor((0..<120).map { Float($0 % 7) / 7 }, shape: [30, 4])
    let oneClass = try DataSplit(
      dividing: TensorExamples(
        name: "same", inputs: [("input", inputs)],
        targets: Tensor(Array(repeating: Int64(1), count: 30)), classNames: ["a", "b", "c"]))
    let refused = #expect(throws: RangeTest.Refusal.self) {
      try Self.learner(oneClass).rangeTest()
    }
    #expect(
      refused?.description
        == "same (train): all held-out examples are of class 1, so nothing can be learned; add examples of others"
    )

    let values = try DataSplit(
      dividing: TensorExamples(
        name: "values", inputs: [("input", inputs)], targets: Tensor(zeros: [30, 1])))
    let negative = Loss("negative") { prediction, target in
      try prediction.squaredError(target) * 0 + (-2)
    }
    let learner = try Learner(
      Model(input: [4]) { Dense(1) }, data: values, loss: negative, batchSize: 4)
    let error = #expect(throws: RangeTest.Refusal.self) { try learner.rangeTest() }
    #expect(
      error?.description
        == "the loss negative of the untrained network is -2.0, expected a number above 0, from which progress can be "
        + "told; use a loss that is never below 0")

    // Its loss doesn't depend on its parameters.
    let constant = Loss("constant") { prediction, target in
      try prediction.squaredError(target) * 0 + 1
    }
    let still = try Learner(
      Model(input: [4]) { Dense(1) }, data: values, loss: constant, batchSize: 4)
    let never = #expect(throws: RangeTest.Refusal.self) { try still.rangeTest() }
    #expect(
      never?.description
        == "the loss falls at no learning rate from 1e-07 to 10: check the data, the loss and what is frozen"
    )
    #expect(throws: RangeTest.Refusal.self) { try still.chooseMaxLR(epochs: 1) }
  }

  @Test func `reports numbers that aren't finite before training as errors`() throws {
    let broken = try Self.learner()
    let entry = try #require(broken.model.store.parameters.first)
    broken.model.store.withBuffer(.parameters) { $0[entry.range.lowerBound] = .infinity }
    for given in [nil, 0.5] {
      let error = #expect(throws: NonFiniteLoss.self) {
        try broken.rangeTest(to: given, steps: 40, points: 20)
      }
      #expect(error?.origin?.source == .parameter(entry.name))
    }
  }

  @Test func `chooses a rate for 1cycle, which trains as if it had been given`() throws {
    let automatic = try Self.digits()
    let outcome = try automatic.fitOneCycle(epochs: 4, maxLR: .auto)
    #expect(outcome.isFinished)
    let note = try #require(automatic.notes.last)
    guard case .chosenMaxLR(let choice) = note else {
      Issue.record("\(note)")
      return
    }
    #expect(
      "\(note)".hasPrefix("a maximum learning rate of ")
        && "\(note)".hasSuffix(" in short 1cycle runs"))
    let given = try Self.digits()
    try given.fitOneCycle(epochs: 4, maxLR: choice.maxLR, callbacks: [DivergenceGuard()])
    #expect(automatic.model.store.snapshot() == given.model.store.snapshot())
    let accuracy = try #require(
      try Learner(given.model, data: given.data, metrics: [Accuracy()]).evaluate()["accuracy"])
    #expect(accuracy > 0.9)
  }

  @Test func `resumes with the rate that was found, bit for bit`() throws {
    let whole = try Self.learner()
    try whole.fitOneCycle(epochs: 4, maxLR: .auto)

    let folder = try TemporaryFolder()
    let first = try Self.learner()
    let stop = CallbackOf(
      .afterBatch { batch in if batch.step == 6 { batch.learner.interruption.raise() } })
    let backup = try BackupAndRestore(folder: folder.path)
    let outcome = try first.fitOneCycle(epochs: 4, maxLR: .auto, callbacks: [stop, backup])
    guard case .interrupted = outcome else {
      Issue.record("\(outcome)")
      return
    }
    let second = try Self.learner()
    try second.fitOneCycle(
      epochs: 4, maxLR: .auto, callbacks: [try BackupAndRestore(folder: folder.path)])
    #expect(
      second.notes.allSatisfy { if case .chosenMaxLR = $0 { false } else { true } }, "no new search"
    )
    #expect(second.model.store.snapshot() == whole.model.store.snapshot())
  }

  @Test func `draws initial values anew for other seeds of an untrained model alone`() throws {
    let untrained = try Self.digits()
    let sweep = try LearningRateSweep(steps: 60)
    let found = try untrained.recommendLearningRate(sweep, seeds: [0, 1])
    // The same as a learner of that seed would find.
    #expect(try found.findings[0] == untrained.findLearningRate(sweep))
    #expect(try found.findings[1] == Self.digits(seed: 1).findLearningRate(sweep))
    let trained = try Self.digits()
    try trained.fitOneCycle(epochs: 1, maxLR: 0.1)
    let first = try trained.recommendLearningRate(sweep, seeds: [7]).findings[0].points[0].loss
    #expect(first < 1, "the trained values stay")
  }
}
