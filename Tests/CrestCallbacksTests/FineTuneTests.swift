import CrestCallbacks
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct `Fine-tuning` {
  private static func learner() throws -> Learner {
    try Learner(
      TinyModel.full(), data: TinyData.split(train: 20), optimizer: SGD(), batchSize: 5)
  }

  /// fastai's fit_one_cycle: cosines from M / div to M in the first part, and to M / 1e5 in the rest.
  private static func rate(_ step: Int, of total: Int, _ top: Double, rise: Double, div: Double)
    -> Double
  {
    func cosine(_ from: Double, _ to: Double, _ position: Double) -> Double {
      from + (1 - cos(position)) / 2 * (to - from)
    }
    let place = Double(step) / Double(total)
    return place < rise
      ? cosine(top / div, top, .pi * place / rise)
      : cosine(top, top / 1e5, .pi * (place - rise) / (1 - rise))
  }

  private static func cos(_ x: Double) -> Double {
    // A series is enough for the numbers of this test.
    var (term, sum) = (1.0, 1.0)
    for place in stride(from: 2, to: 40, by: 2) {
      term *= -x * x / Double(place * (place - 1))
      sum += term
    }
    return sum
  }

  @Test func `trains the head alone, then all, at fastai's rates`() throws {
    let learner = try Self.learner()
    let recorder = Recorder()
    let before = learner.model.store.parameters.map(\.name)
    var frozen: [Set<String>] = []
    let watch = CallbackOf(.afterTrain { frozen.append($0.learner.frozen) })
    try learner.fineTune(
      epochs: 2, baseLR: 0.02, frozenEpochs: 1, callbacks: [recorder, watch])
    #expect(before.count == 6)
    #expect(learner.parameterGroups.last.map { frozen[0].isDisjoint(with: $0) } == true)
    #expect(frozen[0].isSuperset(of: learner.parameterGroups.dropLast().joined()))
    #expect(frozen[1].isEmpty && frozen[2].isEmpty)
    let expected =
      (0..<4).map { Self.rate($0, of: 4, 0.02, rise: 0.99, div: 25) }
      + (0..<8).map { Self.rate($0, of: 8, 0.01, rise: 0.3, div: 5) }
    #expect(recorder.steps.count == 12)
    for (step, rate) in zip(recorder.steps, expected) {
      #expect(abs(step.learningRate - rate) < 1e-9 * rate + 1e-12, "\(step.learningRate) \(rate)")
    }
  }

  @Test func `resumes bit for bit, in either part`() throws {
    func callbacks(_ learner: Learner) throws -> [any Callback] {
      [try FineTuneScheduler(for: learner, baseLR: 0.05, frozenEpochs: 2), Recorder()]
    }
    func learner() throws -> Learner {
      let plain = try Self.learner()
      let learner = try Learner(
        TinyModel.full(), data: TinyData.split(train: 20), optimizer: SGD(),
        callbacks: callbacks(plain), batchSize: 5, prefetch: 0)
      learner.now = { .zero }
      return learner
    }
    let (states, end) = try learner().fitSavingStates(epochs: 5)
    for (place, state) in states.enumerated() {
      let got = try learner().fitResuming(from: state, path: "state", epochs: 5)
      #expect(got == end, "state \(place)")
    }
  }

  @Test func `wants a head and others, and sensible numbers`() throws {
    func message(_ body: () throws -> Void) -> String? {
      #expect(throws: CallbackError.self) { try body() }?.description
    }
    let learner = try Self.learner()
    #expect(
      message { _ = try FineTuneScheduler(for: learner, frozenEpochs: 0) }
        == "FineTuneScheduler: frozenEpochs is 0, expected at least 1")
    #expect(
      message { _ = try FineTuneScheduler(for: learner, rateRatio: 0.5) }
        == "FineTuneScheduler: rateRatio is 0.5, expected a finite number from 1 on")
    let linear = try Learner(TinyModel.linear(), data: TinyData.split())
    #expect(
      message { try linear.fineTune(epochs: 1) }
        == "FineTuneScheduler: groups is 1, expected at least 2: one for the head, and others")
    #expect(throws: LearnerError.epochs(0)) { try learner.fineTune(epochs: 0) }
    #expect(throws: ScheduleError.self) { try learner.fineTune(epochs: 1, baseLR: 0) }
  }
}
