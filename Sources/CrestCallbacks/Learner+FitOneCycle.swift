public import CrestOptimizers
public import CrestTraining

extension Learner {
  /// Trains with a 1cycle policy: the same, bit for bit, as
  /// ``CrestTraining/Learner/fit(epochs:learningRate:callbacks:)`` with a ``OneCycleScheduler``
  /// among the callbacks.
  ///
  /// - Parameters:
  ///   - epochs: The number of passes over all training examples, at least 1.
  ///   - maxLR: The highest learning rate.
  ///   - convention: Which implementation the policy follows, with its default values.
  ///   - callbacks: Callbacks of this fit, beside the learner's own.
  /// - Returns: How it ended: finished, cancelled by a callback, or interrupted.
  /// - Throws: `ScheduleError` unless `maxLR` is finite and above 0; what
  ///   ``CrestTraining/Learner/fit(epochs:learningRate:callbacks:)`` throws.
  ///
  /// fastai's `fit_one_cycle`.
  @discardableResult
  public func fitOneCycle(
    epochs: Int, maxLR: Double, convention: OneCycle.Convention = .fastai,
    callbacks: [any Callback] = []
  ) throws -> PhaseContext.Outcome {
    try fit(
      epochs: epochs,
      callbacks: [OneCycleScheduler(maxLR: maxLR, convention: convention)] + callbacks)
  }

  /// Trains with a 1cycle policy and discriminative learning rates.
  ///
  /// - Parameters:
  ///   - epochs: The number of passes over all training examples, at least 1.
  ///   - maxLR: The highest learning rate of each of ``CrestTraining/Learner/parameterGroups``, as in
  ///     `.spread(from: 1e-5, to: 1e-3)` or `.slice(to: 1e-3)`.
  ///   - convention: Which implementation the policy follows, with its default values.
  ///   - callbacks: Callbacks of this fit, beside the learner's own.
  /// - Returns: How it ended: finished, cancelled by a callback, or interrupted.
  /// - Throws: `ParameterError` unless all rates are finite and above 0 and there is one for each group;
  ///   what ``CrestTraining/Learner/fit(epochs:learningRate:callbacks:)`` throws.
  ///
  /// fastai's `fit_one_cycle(lr_max=slice(a, b))`.
  @discardableResult
  public func fitOneCycle(
    epochs: Int, maxLR: ParameterGroup.Values, convention: OneCycle.Convention = .fastai,
    callbacks: [any Callback] = []
  ) throws -> PhaseContext.Outcome {
    let scheduler = try OneCycleScheduler(maxLR: maxLR) { rate in
      try OneCycle(maxLR: rate, convention: convention)
    }
    return try fit(epochs: epochs, callbacks: [scheduler] + callbacks)
  }

  /// Trains with a 1cycle policy and learning rates from the lower bound of `maxLR` for the first
  /// group of parameters to the upper for the last.
  ///
  /// - Returns: How it ended: finished, cancelled by a callback, or interrupted.
  /// - Throws: As the same with `maxLR: .spread(from:to:)`.
  @discardableResult
  public func fitOneCycle(
    epochs: Int, maxLR: ClosedRange<Double>, convention: OneCycle.Convention = .fastai,
    callbacks: [any Callback] = []
  ) throws -> PhaseContext.Outcome {
    try fitOneCycle(
      epochs: epochs, maxLR: .spread(from: maxLR.lowerBound, to: maxLR.upperBound),
      convention: convention, callbacks: callbacks)
  }
}
