import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

struct LRFinderTests {
  private static func learner(callbacks: [any Callback] = []) throws -> Learner {
    try Learner(
      TinyModel.full(), data: TinyData.split(), optimizer: AdamW(), callbacks: callbacks,
      batchSize: 5)
  }

  private static func train(_ learner: Learner) throws -> (ParameterStore.Snapshot, [Float]) {
    let recorder = Recorder()
    try learner.fitOneCycle(epochs: 2, maxLR: 0.05, callbacks: [recorder])
    return (learner.model.store.snapshot(), recorder.steps.map(\.loss))
  }

  @Test(arguments: ["returned", "diverged", "thrown", "interrupted"])
  func `training after a range test is training without it, however the test ended`(ending: String)
    throws
  {
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
        if ending == "interrupted" { batch.learner.interruption.raise() }
      })
    switch ending {
    case "thrown":
      #expect(throws: Mishap("broken")) {
        try learner.findLearningRate(callbacks: [disturber, recorder])
      }
    case "interrupted":
      #expect(throws: LearnerError.interrupted) {
        try learner.findLearningRate(callbacks: [disturber, recorder])
      }
    default:
      let findings = try learner.findLearningRate(
        startLR: 1e-4, endLR: ending == "diverged" ? 1e6 : 1e-1, steps: 40,
        stopsOnDivergence: ending == "diverged", callbacks: [disturber, recorder])
      if ending == "returned" {
        #expect(findings.ending == .completed)
        #expect(findings.points.count == 40)
      } else {
        #expect(findings.points.count < 40)
      }
    }
    #expect(learner.model.store.snapshot() == before.0.store)
    #expect(learner.stepsTaken == before.0.stepsTaken)
    #expect(learner.batchesTrained == before.0.batchesTrained)
    #expect(learner.epochsBegun == before.0.epochsBegun)
    #expect(recorder.state == before.1)
    #expect(learner.callbacks.count == 1)
    let got = try Self.train(learner)
    #expect(got.0 == expected.0)
    #expect(got.1 == expected.1)
  }

  @Test func `each batch is trained at its rate of the sweep`() throws {
    let recorder = Recorder()
    var rates: [Double] = []
    let watch = CallbackOf(.afterStep { rates.append($0.hyperparameters.learningRate) })
    let learner = try Self.learner(callbacks: [recorder])
    let sweep = try LearningRateSweep(start: 1e-5, end: 1e-2, steps: 12)
    let findings = try learner.findLearningRate(sweep, callbacks: [watch])
    #expect(rates == (0..<12).map { sweep.rate(step: $0) })
    #expect(findings.points.map(\.rate) == rates)
    #expect(recorder.steps.isEmpty, "the learner's own callbacks rest")
    #expect(findings.suggestion(.slide) == .notEnoughPoints(needed: 16, got: 6))
  }

  @Test func `the findings suggest in four ways and can be drawn`() throws {
    let findings = try Self.learner().findLearningRate(startLR: 1e-5, endLR: 10, steps: 60)
    for method in LearningRateFindings.Suggestion.Method.allCases {
      let suggestion = findings.suggestion(method)
      if let rate = suggestion.rate { #expect(rate > 1e-7 && rate < 10) }
    }
    #expect(findings.suggestion(.minimum).rate != nil)
    #expect(findings.plot.terminal().contains("valley"))
    #expect(findings.plot.svg().hasPrefix("<?xml"))
  }

  @Test func `a sweep without a meaning is refused`() throws {
    let learner = try Self.learner()
    #expect(throws: ScheduleError.self) {
      try learner.findLearningRate(startLR: 1, endLR: 0.1)
    }
    #expect(throws: ScheduleError.self) {
      try learner.findLearningRate(startLR: 0.1, endLR: 1, steps: 0)
    }
  }

  @Test func `a loss that isn't finite for another reason than the rate is an error`() throws {
    var inputs = (0..<88).map { Float($0 % 7) / 7 }
    inputs[4 * 17 + 1] = .nan
    let spoilt = TensorExamples(
      name: "spoilt", inputs: [("input", Tensor(inputs, shape: [22, 4]))],
      targets: Tensor((0..<22).map { Int64($0 % 3) }), classNames: ["a", "b", "c"])
    let data = try Learner(
      TinyModel.full(), data: DataSplit(train: spoilt, valid: spoilt), batchSize: 5, shuffle: false)
    let before = data.snapshot().store
    let ofData = #expect(throws: LearnerError.self) { try data.findLearningRate() }
    #expect(
      ofData?.description
        == "the input \"input\" holds nan in example 17 (from 0) of spoilt; clean the data")
    #expect(data.snapshot().store == before)

    let broken = try Self.learner()
    let entry = try #require(broken.model.store.parameters.first)
    broken.model.store.withBuffer(.parameters) { $0[entry.range.lowerBound] = .infinity }
    let ofNetwork = #expect(throws: NonFiniteLoss.self) { try broken.findLearningRate() }
    #expect(ofNetwork?.step == 0)
    #expect(ofNetwork?.origin?.source == .parameter(entry.name))
    // Once rates have moved something, a loss that isn't finite is what a range test looks for.
    let findings = try Self.learner().findLearningRate(
      startLR: 1, endLR: 1e38, steps: 40, stopsOnDivergence: false)
    #expect(findings.points.count < 40)
  }
}
