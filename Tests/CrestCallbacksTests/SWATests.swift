import CrestCallbacks
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct SWATests {
  /// The weights after each step and each epoch of a fit of four epochs of five steps, and those it ends with.
  private func run(_ swa: SWA, _ more: [any Callback] = []) throws -> (
    steps: [[Float]], epochs: [[Float]], end: [Float], learner: Learner
  ) {
    var (steps, epochs): ([[Float]], [[Float]]) = ([], [])
    func weights(_ learner: Learner) -> [Float] {
      learner.model.store.withBuffer(.parameters) { Array($0) }
    }
    let watch = CallbackOf(
      .afterStep { steps.append(weights($0.learner)) },
      .afterTrain { epochs.append(weights($0.learner)) }, name: "Watch")
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(), callbacks: [swa, watch] + more, batchSize: 5)
    try learner.fit(epochs: 4, learningRate: 0.1)
    return (steps, epochs, weights(learner), learner)
  }

  private func mean(_ all: some Collection<[Float]>) -> [Double] {
    let first = all.first ?? []
    return first.indices.map { index in
      all.reduce(0) { $0 + Double($1[index]) } / Double(all.count)
    }
  }

  @Test(arguments: [
    (SWA.Start.fraction(0), SWA.Frequency.epoch, 4), (.fraction(0.5), .epoch, 2),
    (.fraction(0.75), .epoch, 1), (.epoch(1), .epoch, 3), (.epoch(3), .step, 5),
    (.fraction(0.5), .step, 10),
  ])
  func `ends with the mean of the last weights`(
    start: SWA.Start, every: SWA.Frequency, count: Int
  ) throws {
    let (steps, epochs, end, learner) = try run(SWA(from: start, every: every))
    #expect(steps.count == 20 && epochs.count == 4)
    let expected = mean((every == .step ? steps : epochs).suffix(count))
    for (value, mean) in zip(end, expected) { #expect(abs(Double(value) - mean) <= 1e-6) }
    // Batch norm measures the mean's own activations, and the fit the mean.
    let statistics = learner.model.store.withBuffer(.statistics) { Array($0) }
    try learner.recomputeBatchNormStatistics()
    #expect(learner.model.store.withBuffer(.statistics) { Array($0) } == statistics)
    #expect(learner.fitResult?.origin == .measuredAfterwards)
    #expect(learner.fitResult?.validation?.loss == (try learner.evaluate().loss))
  }

  @Test func `is the plain mean of three weights`() throws {
    // 1, 2, 4 → 7/3, of a parameter that a callback sets.
    let values: [Float] = [1, 2, 4]
    let learner = try Learner(TinyModel.linear(), data: TinyData.split(), batchSize: 22)
    let set = CallbackOf(
      .afterStep { batch in
        batch.learner.model.store.withBuffer(.parameters) {
          $0.update(repeating: values[batch.step])
        }
      }, name: "Set")
    try learner.fit(epochs: 3, learningRate: 0.1, callbacks: [set, SWA(from: .epoch(0))])
    let end = learner.model.store.withBuffer(.parameters) { $0[0] }
    #expect(abs(end - 2.333_333_3) < 1e-6)
  }

  @Test func `keeps the trained weights when nothing was averaged, or the fit fails`() throws {
    let stop = CallbackOf(
      .afterEpoch { if $0.index == 1 { throw Cancel(.fit, reason: "enough") } }, name: "Stop")
    let (_, epochs, end, _) = try run(SWA(from: .epoch(2)), [stop])
    #expect(end == epochs[1])
    struct Broken: Error {}
    let fail = CallbackOf(.afterEpoch { if $0.index == 2 { throw Broken() } }, name: "Fail")
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), callbacks: [try SWA(from: .epoch(0)), fail])
    var last: [Float] = []
    learner.add(
      CallbackOf(
        .afterTrain { last = $0.learner.model.store.withBuffer(.parameters) { Array($0) } },
        name: "Watch"))
    #expect(throws: Broken.self) { try learner.fit(epochs: 4, learningRate: 0.1) }
    #expect(learner.model.store.withBuffer(.parameters) { Array($0) } == last)
  }

  @Test func `doesn't share the end of a fit with another average`() throws {
    let error = #expect(throws: LearnerError.self) { try run(SWA(), [EMA()]) }
    #expect(error == .twoLenders(first: "EMA", second: "SWA"))
  }

  @Test func `needs numbers that mean something`() {
    let rows: [(String, () throws(CallbackError) -> Void)] = [
      (
        "SWA: from is 1.0, expected a fraction from 0 to below 1",
        { () throws(CallbackError) in _ = try SWA(from: .fraction(1)) }
      ),
      (
        "SWA: from is -1, expected an epoch from 0 on",
        { () throws(CallbackError) in _ = try SWA(from: .epoch(-1)) }
      ),
      (
        "SWA: batches is 0, expected at least 1",
        { () throws(CallbackError) in _ = try SWA(batches: 0) }
      ),
    ]
    for (message, make) in rows {
      #expect(#expect(throws: CallbackError.self) { try make() }?.description == message)
    }
    for (text, start) in [
      ("0.5", SWA.Start.fraction(0.5)), ("epoch3", .epoch(3)), ("epoch 3", .epoch(3)),
    ] {
      #expect(SWA.Start(text) == start)
      #expect(SWA.Start("\(start)") == start)
    }
    for text in ["", "epoch", "3epochs", "epoch x"] { #expect(SWA.Start(text) == nil) }
  }
}
