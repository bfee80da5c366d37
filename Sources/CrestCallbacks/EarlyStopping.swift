import CrestLayers
import CrestRuntime
public import CrestTraining

/// Ends a fit when a result has not improved for some epochs.
///
/// A value is better when it beats the best so far by more than `minDelta`; one that is not a number never
/// is. Epochs without the value don't count.
///
/// fastai's and Keras's `EarlyStopping`.
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
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` when `patience` is below
  ///   1, or `minDelta` negative or not finite.
  public init(
    monitor: Monitor = .validLoss, patience: Int = 1, minDelta: Double = 0,
    mode: MetricDirection? = nil, restoresBest: Bool = false
  ) throws(CallbackError) {
    improvement = try Improvement(
      of: monitor, minDelta: minDelta, mode: mode, patience: patience, callback: "EarlyStopping")
    self.patience = patience
    self.restoresBest = restoresBest
  }

  /// Resets before the fit, checks after each epoch, and restores at the end.
  public var hooks: [Hook] {
    [.beforeFit(reset), .afterEpoch(check), .afterFit(restore)]
  }
  /// After what reports the epoch.
  public var order: Int { CallbackOrder.stopper }
  /// What is monitored, and how.
  public var settings: [String: String] {
    improvement.settings.merging(
      ["patience": "\(patience)", "restoresBest": "\(restoresBest)"], uniquingKeysWith: { $1 })
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
    guard epoch.outcome.isInOrder, let value = monitor.value(in: epoch) else { return }
    if improvement.isBetter(value, than: state.best) {
      state.best = value
      state.wait = 0
      if restoresBest { state.bestWeights = try FitResult.MeasuredWeights(of: epoch) }
      return
    }
    state.wait += 1
    guard state.wait >= patience else { return }
    let epochs = state.wait == 1 ? "1 epoch" : "\(state.wait) epochs"
    throw Cancel(.fit, reason: "\(monitor) has not improved for \(epochs)")
  }

  private func restore(_ fit: FitContext) {
    guard fit.outcome.isInOrder, let best = state.bestWeights else { return }
    fit.restore(best)
    state.bestWeights = nil
  }
}
