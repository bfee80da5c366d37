import CrestLayers
import CrestRuntime
public import CrestTraining

/// Ends a fit when a result has not improved for some epochs.
///
/// A value is better when it beats the best so far by more than `minDelta`; one that is not a number never
/// is. Epochs without the value don't count.
///
/// fastai's, Keras's and Lightning's `EarlyStopping`.
public final class EarlyStopping: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The best value so far.
    public fileprivate(set) var best: Double?
    /// The epochs since then.
    public fileprivate(set) var wait = 0
    /// The parameters and running statistics of the best epoch, with its results, when they are to be restored.
    fileprivate var bestWeights: FitResult.MeasuredWeights?
  }

  /// What is monitored.
  public var monitor: Monitor { improvement.monitor }
  /// The epochs without improvement before stopping.
  public let patience: Int
  /// The smallest change that counts as an improvement.
  public var minDelta: Double { improvement.minDelta }
  /// Which values are better; nil for the metric's own direction, and lower for losses.
  public var mode: MetricDirection? { improvement.mode }
  /// Whether to restore the parameters and running statistics of the best epoch when the fit ends.
  public let restoresBest: Bool
  /// What a value must also beat to count as an improvement; nil for nothing.
  public let baseline: Double?
  /// The first epoch that counts, from 0.
  public let startEpoch: Int
  /// The value that is good enough to stop; nil for none.
  public let threshold: Double?
  /// All it remembers.
  public var state = State()
  private var improvement: Improvement

  /// Monitors `monitor`.
  ///
  /// - Parameters:
  ///   - monitor: What is monitored.
  ///   - patience: The epochs without improvement before stopping.
  ///   - minDelta: The smallest change that counts as an improvement.
  ///   - mode: Which values are better; nil for the metric's own direction, and lower for losses.
  ///   - restoresBest: Whether the model gets back the parameters and running statistics of the
  ///     best epoch when the fit ends normally, stopped early or not (Keras's
  ///     `restore_best_weights`): those that were validated, which are averages with an ``EMA``
  ///     that validates. The fit's result is then that epoch's.
  ///   - baseline: What a value must also beat, by `minDelta`, to end the waiting (Keras's `baseline`); nil for nothing.
  ///   - startEpoch: The first epoch that counts, from 0 (Keras's `start_from_epoch`).
  ///   - threshold: The fit ends as soon as a value is as good or better (Lightning's `stopping_threshold`); nil for
  ///     never.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` when `patience` is below
  ///   1, `minDelta` negative or not finite, `startEpoch` negative, or `baseline` or `threshold` not finite.
  public init(
    monitor: Monitor = .validLoss, patience: Int = 1, minDelta: Double = 0,
    mode: MetricDirection? = nil, restoresBest: Bool = false, baseline: Double? = nil,
    startEpoch: Int = 0, threshold: Double? = nil
  ) throws(CallbackError) {
    for (value, parameter) in [(baseline, "baseline"), (threshold, "threshold")] {
      guard let value else { continue }
      try CallbackError.require(
        value.isFinite, parameter, value, "a finite number", of: "EarlyStopping")
    }
    try CallbackError.require(
      startEpoch >= 0, "startEpoch", startEpoch, "an epoch from 0 on", of: "EarlyStopping")
    improvement = try Improvement(
      of: monitor, minDelta: minDelta, mode: mode, patience: patience, callback: "EarlyStopping")
    self.patience = patience
    self.restoresBest = restoresBest
    self.baseline = baseline
    self.startEpoch = startEpoch
    self.threshold = threshold
  }

  /// Resets before the fit, checks after each epoch, and restores at the end.
  public var hooks: [Hook] {
    [.beforeFit(reset), .afterEpoch(check), .afterFit(restore)]
  }
  /// After what reports the epoch.
  public var order: Int { CallbackOrder.stopper }
  /// What is monitored, and how.
  public var settings: [String: String] {
    var settings = improvement.settings
    settings["patience"] = "\(patience)"
    settings["restoresBest"] = "\(restoresBest)"
    // Those that aren't used are not in checkpoints of before.
    settings["baseline"] = baseline.map { "\($0)" }
    settings["startEpoch"] = startEpoch == 0 ? nil : "\(startEpoch)"
    settings["threshold"] = threshold.map { "\($0)" }
    return settings
  }

  /// More epochs than the patience, or weights of another model.
  public func objection(to state: State, in learner: Learner) -> String? {
    if !(0...patience).contains(state.wait) {
      return "at most \(patience) epochs without improvement"
    }
    guard let best = state.bestWeights else { return nil }
    return best.weights.fits(learner.model.store) ? nil : "weights of this model"
  }

  private func reset(_ fit: FitContext) throws {
    state = State()
    try improvement.begin(fit.learner, for: name)
  }

  private func check(_ epoch: EpochContext) throws {
    guard epoch.outcome.isInOrder, epoch.index >= startEpoch, let value = monitor.value(in: epoch)
    else { return }
    state.wait += 1
    if improvement.isBetter(value, than: state.best) {
      state.best = value
      if restoresBest { state.bestWeights = try FitResult.MeasuredWeights(of: epoch) }
      if baseline == nil || improvement.isBetter(value, than: baseline) { state.wait = 0 }
    }
    if let threshold, improvement.isAsGood(value, as: threshold) {
      throw Cancel(.fit, reason: "\(monitor) is \(value), as good as \(threshold)")
    }
    guard state.wait >= patience else { return }
    let epochs = state.wait == 1 ? "1 epoch" : "\(state.wait) epochs"
    let beaten = baseline.map { ", or not beaten \($0)," } ?? ""
    throw Cancel(.fit, reason: "\(monitor) has not improved\(beaten) for \(epochs)")
  }

  private func restore(_ fit: FitContext) {
    guard fit.outcome.isInOrder, let best = state.bestWeights else { return }
    fit.restore(best)
    state.bestWeights = nil
  }
}
