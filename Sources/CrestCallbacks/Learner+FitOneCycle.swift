public import CrestOptimizers
public import CrestTraining

extension Learner {
  /// Trains under a 1cycle policy: the same, bit for bit, as ``CrestTraining/Learner/fit(epochs:learningRate:callbacks:)``
  /// with a ``OneCycleScheduler`` among the callbacks.
  ///
  /// - Parameters:
  ///   - epochs: How many times all training examples are seen, at least 1.
  ///   - maxLR: The highest learning rate.
  ///   - convention: Whose code the policy follows, with that code's own values.
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
  ) throws -> Outcome {
    try fit(
      epochs: epochs,
      callbacks: [OneCycleScheduler(maxLR: maxLR, convention: convention)] + callbacks)
  }

  /// Trains under a 1cycle policy with discriminative learning rates.
  ///
  /// - Parameters:
  ///   - epochs: How many times all training examples are seen, at least 1.
  ///   - maxLR: The highest learning rates of the first and of the last layer; the layers between them
  ///     step by a constant ratio.
  ///   - convention: Whose code the policy follows, with that code's own values.
  ///   - callbacks: Callbacks of this fit, beside the learner's own.
  /// - Returns: How it ended: finished, cancelled by a callback, or interrupted.
  /// - Throws: `ScheduleError` or ``CallbackError`` unless both rates are finite and above 0; what
  ///   ``CrestTraining/Learner/fit(epochs:learningRate:callbacks:)`` throws.
  ///
  /// fastai's `fit_one_cycle(lr_max=slice(a, b))`.
  @discardableResult
  public func fitOneCycle(
    epochs: Int, maxLR: ClosedRange<Double>, convention: OneCycle.Convention = .fastai,
    callbacks: [any Callback] = []
  ) throws -> Outcome {
    let policy = try OneCycle(maxLR: maxLR.upperBound, convention: convention)
    let scheduler = try OneCycleScheduler(
      policy, spread: maxLR.lowerBound / maxLR.upperBound)
    return try fit(epochs: epochs, callbacks: [scheduler] + callbacks)
  }
}
