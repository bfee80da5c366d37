import CrestOptimizers
public import CrestTraining

/// Lowers the learning rate when a result has not improved for some epochs.
///
/// It sets the factor of the learning rate, whose base is the fit's or a scheduler's:
///
///     rate = base · factorⁿ, after n reductions
///
/// Each reduction is reported in a note.
///
/// Keras's and fastai's `ReduceLROnPlateau` (whose factor divides), PyTorch's `ReduceLROnPlateau`.
public final class ReduceLROnPlateau: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The best value so far.
    public fileprivate(set) var best: Double?
    /// The epochs since then, or since the last reduction.
    public fileprivate(set) var wait = 0
    /// The epochs in which nothing is counted yet.
    public fileprivate(set) var cooldown = 0
  }

  /// What is monitored.
  public var monitor: Monitor { improvement.monitor }
  /// The factor of the learning rate.
  public let factor: Double
  /// The epochs without improvement before it acts.
  public let patience: Int
  /// By how much a value must beat the best.
  public var minDelta: Double { improvement.minDelta }
  /// Which values are better; nil for the metric's own direction, and lower for losses.
  public var mode: MetricDirection? { improvement.mode }
  /// The epochs after a reduction in which nothing is counted.
  public let cooldown: Int
  /// The lower bound of reduced learning rates.
  public let minLR: Double
  /// All it remembers.
  public var state = State()
  private var improvement: Improvement
  private let notes: ProgressBar.Output

  /// Monitors `monitor`.
  ///
  /// - Parameters:
  ///   - monitor: What is monitored.
  ///   - factor: What the learning rate is multiplied by, above 0 and below 1.
  ///   - patience: The epochs without improvement before it acts.
  ///   - minDelta: By how much a value must beat the best.
  ///   - cooldown: The epochs after a reduction in which nothing is counted.
  ///   - minLR: The lower bound of reduced learning rates.
  ///   - mode: Which values are better; nil for the metric's own direction, and lower for losses.
  ///   - notes: Where reductions are reported.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)``.
  public init(
    monitor: Monitor = .validLoss, factor: Double = 0.1, patience: Int = 10,
    minDelta: Double = 1e-4, cooldown: Int = 0, minLR: Double = 0, mode: MetricDirection? = nil,
    notes: ProgressBar.Output = .standardError
  ) throws(CallbackError) {
    let callback = "ReduceLROnPlateau"
    improvement = try Improvement(
      of: monitor, minDelta: minDelta, mode: mode, patience: patience, callback: callback)
    try CallbackError.require(
      factor > 0 && factor < 1, "factor", factor, "a number above 0 and below 1", of: callback)
    try CallbackError.require(
      cooldown >= 0, "cooldown", cooldown, "at least 0 epochs", of: callback)
    try CallbackError.require(
      minLR.isFinite && minLR >= 0, "minLR", minLR, "a finite number of at least 0", of: callback)
    self.factor = factor
    self.patience = patience
    self.cooldown = cooldown
    self.minLR = minLR
    self.notes = notes
  }

  /// Resets before the fit, and checks after each epoch.
  public var hooks: [Hook] { [.beforeFit(reset), .afterEpoch(check)] }
  /// After what reports the epoch.
  public var order: Int { CallbackOrder.reducer }
  /// The factor of the learning rate.
  public var owns: Set<Hyperparameter.Part> { [.factor(.learningRate)] }
  /// What is monitored, and how the rate is reduced.
  public var settings: [String: String] {
    improvement.settings.merging(
      [
        "patience": "\(patience)", "factor": "\(factor)", "cooldown": "\(cooldown)",
        "minLR": "\(minLR)",
      ], uniquingKeysWith: { $1 })
  }

  /// More epochs than are counted.
  public func objection(to state: State, in learner: Learner) -> String? {
    (0..<patience).contains(state.wait) && (0...cooldown).contains(state.cooldown)
      ? nil : "fewer than \(patience) epochs of patience, and at most \(cooldown) of cooldown"
  }

  private func reset(_ fit: FitContext) throws {
    state = State()
    try improvement.begin(fit.learner, for: name)
  }

  private func check(_ epoch: EpochContext) {
    guard epoch.outcome.isInOrder, let value = monitor.value(in: epoch) else { return }
    let isCooling = state.cooldown > 0
    if isCooling {
      state.cooldown -= 1
      state.wait = 0
    }
    if improvement.isBetter(value, than: state.best) {
      state.best = value
      state.wait = 0
      return
    }
    if isCooling { return }
    state.wait += 1
    guard state.wait >= patience else { return }
    state.wait = 0
    state.cooldown = cooldown
    let learner = epoch.learner
    let base = learner[.base(.learningRate)]
    let current = learner[.factor(.learningRate)]
    let lowest = base > 0 ? minLR / base : 0
    let reduced = min(current, max(current * factor, lowest))
    learner[.factor(.learningRate)] = reduced
    // After the last epoch nothing is trained with it.
    guard reduced < current, epoch.index + 1 < epoch.fit.epochCount else { return }
    let epochs = patience == 1 ? "1 epoch" : "\(patience) epochs"
    notes.note(
      "the learning rate is \(PlotNumber.scientific(base * reduced)) instead of "
        + "\(PlotNumber.scientific(base * current)) after epoch \(epoch.index + 1): \(monitor) has not "
        + "improved for \(epochs)\n")
  }
}
