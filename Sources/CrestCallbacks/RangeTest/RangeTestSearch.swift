import CrestData
import CrestOptimizers
import CrestTraining

/// The runs of a range test.
struct RangeTestSearch {
  private let trials: Trials
  private let stepCount: Int
  private let pointCount: Int
  private let batchesPerEpoch: Int
  private let measure: HeldOutMeasure
  private let callbacks: [any Callback]

  /// Smith's range reaches 30 times a usual rate; with less any network looks flat.
  private static let reach = 30.0
  /// The constant rates of which the best is a usual one, below that of the finder's least loss.
  private static let usualDivisors = [100.0, 30, 10, 3]
  private static let leastSteps = 1500
  private static let leastEpochs = 4

  init(
    _ trials: Trials, stepCount: Int?, pointCount: Int, callbacks: [any Callback]
  ) throws {
    self.trials = trials
    self.pointCount = pointCount
    self.callbacks = callbacks
    batchesPerEpoch = try trials.learner().trainLoader.batchCount
    self.stepCount =
      stepCount ?? max(Self.leastSteps, Self.leastEpochs * batchesPerEpoch, pointCount)
    measure = try HeldOutMeasure(trials)
  }

  func result(
    to maximum: Double?, seeds: [UInt64], trialEpochs: Int
  ) throws -> RangeTest {
    let usualRate = try maximum == nil ? findUsualRate() : nil
    let top = maximum ?? Self.reach * (usualRate ?? 0)
    let curves = try seeds.map { try curve(to: top, seed: $0) }
    let test = RangeTest(
      curves, measure: measure.measure, stepCount: stepCount, usualRate: usualRate)
    guard trialEpochs > 0, !test.candidates.isEmpty else { return test }
    return test.with(
      trials: try test.candidates.map { rate in
        try trials.oneCycle(
          to: rate, steps: trialEpochs * batchesPerEpoch, callbacks: callbacks)
      })
  }

  private func curve(to maximum: Double, seed: UInt64) throws -> RangeTest.Curve {
    let learner = try trials.learner(seed: seed, isScored: true)
    let run = RangeTestRun(
      .init(
        maximum: maximum, stepCount: stepCount, pointCount: pointCount, chance: measure.chance,
        accuracy: measure.accuracy))
    try learner.runTrial([run] + callbacks, epochs: epochs(of: stepCount))
    return run.curve
  }

  /// The best of four constant rates, each a quarter as long as a curve.
  private func findUsualRate() throws -> Double {
    let sweep = LearningRateSweep.standard
    let findings = try trials.learner().findLearningRate(sweep)
    guard let least = findings.leastLossRate else {
      throw RangeTest.Refusal.neverLearns(rates: sweep.start...sweep.end)
    }
    let steps = max(1, stepCount / 4)
    let rates = Self.usualDivisors.map { least / $0 }
    let losses = try rates.map { rate in
      let learner = try trials.learner()
      let run = TrialRun(stepCount: steps)
      try learner.runTrial(
        [run, ParameterScheduler(.constant(rate))] + callbacks, epochs: epochs(of: steps))
      return run.hasDiverged ? .nan : try HeldOutMeasure.loss(of: learner)
    }
    let best = zip(rates, losses).filter { $0.1.isFinite }.min { $0.1 < $1.1 }
    guard let best else { throw RangeTest.Refusal.allDiverged(rates: rates) }
    return best.0
  }

  /// The epochs that hold so many steps.
  private func epochs(of steps: Int) -> Int {
    (steps + batchesPerEpoch - 1) / batchesPerEpoch
  }
}

extension Trials {
  /// A short 1cycle run to a rate: of so many steps or, from an epoch on, of the nearest number of epochs.
  func oneCycle(
    to maxLR: Double, steps: Int, callbacks: [any Callback]
  ) throws -> RangeTest.Trial {
    let isPart = steps <= (data.train.count - 1) / batchSize
    let learner = try learner(exampleCount: isPart ? steps * batchSize : nil)
    let batchCount = learner.trainLoader.batchCount
    let run = TrialRun(stepCount: .max)
    let scheduler = try OneCycleScheduler(maxLR: maxLR)
    try learner.runTrial(
      [run, scheduler] + callbacks, epochs: max(1, (steps + batchCount / 2) / batchCount))
    return RangeTest.Trial(
      maxLR: maxLR, loss: run.hasDiverged ? .nan : try HeldOutMeasure.loss(of: learner))
  }
}

extension Learner {
  /// A fit whose outcome is read from its callbacks.
  fileprivate func runTrial(_ callbacks: [any Callback], epochs: Int) throws {
    if case .interrupted = try fit(epochs: epochs, callbacks: callbacks) {
      throw LearnerError.interrupted
    }
  }
}
