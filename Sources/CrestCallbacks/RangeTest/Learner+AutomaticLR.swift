import CrestData
public import CrestOptimizers
public import CrestTraining

extension Learner {
  /// Chooses the highest learning rate of a 1cycle run by short ones.
  ///
  /// `.auto` tries rates around that of the finder's least loss, the geometric mean of three seeds: 1cycle runs of a
  /// tenth of the run's steps, at least 200, on training examples, judged by the loss on others that are held out, as in
  /// ``rangeTest(to:steps:points:seeds:trialEpochs:callbacks:)``. It tries lower and higher ones until the best is
  /// between two that are worse: 3 to 6 short runs, so it costs up to half of the run's steps. Everything is restored
  /// afterwards.
  ///
  /// - Parameters:
  ///   - method: The method.
  ///   - epochs: The epochs of the run to come.
  ///   - callbacks: Callbacks that take part in the short runs, as a progress bar.
  /// - Returns: The rate and what decided it.
  /// - Throws: `RangeTest.Refusal` when no rate works;
  ///   ``CrestTraining/LearnerError/interrupted`` on interruption; what the data or the compiler threw.
  /// - Precondition: no fit is running.
  public func chooseMaxLR(
    by method: AutomaticLR = .auto, epochs: Int, callbacks: [any Callback] = []
  ) throws -> AutomaticLR.Choice {
    guard epochs >= 1 else { throw LearnerError.epochs(epochs) }
    switch method {
    case .auto:
      let found = try recommendLearningRate(callbacks: callbacks)
      guard let maxLR = found.maxLR else {
        let sweep = LearningRateSweep.standard
        throw RangeTest.Refusal.neverLearns(rates: sweep.start...sweep.end)
      }
      let stepCount = trainLoader.batchCount.multipliedReportingOverflow(by: epochs)
      let total = stepCount.overflow ? Int.max : stepCount.partialValue
      let trialSteps = min(max(total / 10, 200), total)
      // A tenth of the rate at the lowest loss was recommended.
      return try tryOut { trials in
        var climb = AutomaticLR.Climb(leastLossRate: 10 * maxLR)
        while let rate = climb.nextRate {
          climb.add(try trials.oneCycle(to: rate, steps: trialSteps, callbacks: callbacks))
        }
        guard let best = climb.bestRate else {
          throw RangeTest.Refusal.allDiverged(rates: climb.trials.map(\.maxLR))
        }
        return AutomaticLR.Choice(method, maxLR: best, trials: climb.trials)
      }
    case .rangeTest:
      let test = try rangeTest(trialEpochs: min(max(2, epochs / 10), 1000), callbacks: callbacks)
      guard let maxLR = test.maxLR else {
        throw RangeTest.Refusal.noVerdict(test.doubts.filter(\.isRefusal))
      }
      return AutomaticLR.Choice(
        method, maxLR: maxLR, trials: test.trials, rangeTest: test)
    }
  }

  /// Trains with a 1cycle policy whose highest learning rate is found first.
  ///
  /// The same, bit for bit, as ``chooseMaxLR(by:epochs:callbacks:)`` and then `fitOneCycle` with its rate, which is
  /// `OneCycle.maxLR` of the scheduler and among the learner's notes, and with a ``DivergenceGuard``, which goes back and
  /// lowers the rate should training diverge nevertheless. The rate is saved with the run: one that ``BackupAndRestore``
  /// resumes needs no new search.
  ///
  /// - Parameters:
  ///   - epochs: The number of passes over all training examples, at least 1.
  ///   - method: How the rate is chosen.
  ///   - convention: Which implementation the policy follows, with its default values.
  ///   - callbacks: Callbacks of this fit, beside the learner's own.
  /// - Returns: How it ended: finished, cancelled by a callback, or interrupted.
  /// - Throws: What choosing and training throw.
  @discardableResult
  public func fitOneCycle(
    epochs: Int, maxLR method: AutomaticLR, convention: OneCycle.Convention = .fastai,
    callbacks: [any Callback] = []
  ) throws -> PhaseContext.Outcome {
    guard epochs >= 1 else { throw LearnerError.epochs(epochs) }
    let saved = try FoundRate.saved(among: self.callbacks + callbacks)
    let maxLR = try saved ?? found(by: method, epochs: epochs)
    let isGuarded = (self.callbacks + callbacks).contains { $0 is DivergenceGuard }
    return try fitOneCycle(
      epochs: epochs, maxLR: maxLR, convention: convention,
      callbacks: [FoundRate(maxLR)] + (isGuarded ? [] : [try DivergenceGuard()]) + callbacks)
  }

  /// The rate, with a note of it.
  private func found(by method: AutomaticLR, epochs: Int) throws -> Double {
    let choice = try chooseMaxLR(by: method, epochs: epochs)
    add(.chosenMaxLR(choice))
    return choice.maxLR
  }
}
