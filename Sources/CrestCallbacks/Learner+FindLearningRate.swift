import CrestData
public import CrestOptimizers
public import CrestTraining

extension Learner {
  /// Runs the learning-rate finder: trains at increasing rates, then restores everything.
  ///
  /// ```swift
  /// let findings = try learner.findLearningRate()
  /// print(findings.plot.terminal())
  /// if let rate = findings.suggestion(.valley).rate { … }
  /// ```
  ///
  /// Parameters, statistics, the optimiser's moments, the position in the data and the callbacks'
  /// states are restored however the test ends. The learner's own callbacks are inactive meanwhile.
  /// All groups of parameters are tried at one rate, as in fastai; what is frozen stays frozen.
  ///
  /// - Parameters:
  ///   - sweep: The rates to try; 100 from 10⁻⁷ to 10 unless given.
  ///   - stopsOnDivergence: Whether to end as soon as the smoothed loss exceeds four times its best.
  ///   - callbacks: Callbacks that take part, as a progress bar.
  /// - Returns: The losses at each rate, from which the four methods suggest.
  /// - Throws: ``CrestTraining/LearnerError/interrupted`` on interruption; ``CrestTraining/NonFiniteLoss`` when the
  ///   data hold a number that isn't finite, or the loss of the first batch isn't; what a callback, the data or the
  ///   compiler threw.
  public func findLearningRate(
    _ sweep: LearningRateSweep = .standard, stopsOnDivergence: Bool = true,
    callbacks: [any Callback] = []
  ) throws -> LearningRateFindings {
    let finder = LRFinder(sweep, stopsOnDivergence: stopsOnDivergence)
    let batches = trainLoader.batchCount
    let outcome = try withCallbacks([finder] + callbacks) {
      try fit(epochs: (sweep.steps + batches - 1) / batches)
    }
    if case .interrupted = outcome { throw LearnerError.interrupted }
    return finder.findings
  }

  /// ``findLearningRate(_:stopsOnDivergence:callbacks:)`` with rates from `startLR` to `endLR`.
  ///
  /// fastai's `lr_find(start_lr, end_lr, num_it)`.
  ///
  /// - Returns: The losses at each rate, from which the four methods suggest.
  /// - Throws: `ScheduleError` unless `0 < startLR < endLR` and `steps` is at least 1; otherwise the same.
  public func findLearningRate(
    startLR: Double, endLR: Double, steps: Int = LearningRateSweep.standard.steps,
    stopsOnDivergence: Bool = true, callbacks: [any Callback] = []
  ) throws -> LearningRateFindings {
    try findLearningRate(
      LearningRateSweep(start: startLR, end: endLR, steps: steps),
      stopsOnDivergence: stopsOnDivergence, callbacks: callbacks)
  }
}

extension Learner {
  /// Recommends a maximum for 1cycle: the learning-rate finder with several seeds, which shows how sure the result is.
  ///
  /// The finder's suggestion depends on the order of the examples and on the initial values; one seed can't tell by how
  /// much. The first seed gives the same findings as ``findLearningRate(_:stopsOnDivergence:callbacks:)`` if it is the
  /// learner's. Everything is restored, as there.
  ///
  /// - Parameters:
  ///   - sweep: The rates to try.
  ///   - seeds: The seeds, of the initial values too if the model is untrained; nil for three from the learner's on.
  ///   - callbacks: Callbacks that take part in every test, as a progress bar.
  /// - Returns: The findings of each seed, and what they recommend.
  /// - Throws: As `findLearningRate`; `RangeTest.Refusal` unless there are seeds, each once.
  /// - Precondition: no fit is running.
  public func recommendLearningRate(
    _ sweep: LearningRateSweep = .standard, seeds: [UInt64]? = nil, callbacks: [any Callback] = []
  ) throws -> LearningRateFindings.Recommendation {
    let seeds = seeds ?? [seed, seed &+ 1, seed &+ 2]
    try RangeTest.Refusal.check(seeds: seeds)
    return try tryOut(holdsOut: false) { trials in
      LearningRateFindings.Recommendation(
        try seeds.map { seed in
          try trials.learner(seed: seed).findLearningRate(sweep, callbacks: callbacks)
        })
    }
  }
}

extension LearningRateFindings {
  /// A plot of the losses with what each method suggests.
  public var plot: LRFinder.Plot { LRFinder.Plot(self) }
}
