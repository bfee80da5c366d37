public import CrestTraining

/// Ends a fit when a result has not become better for some epochs.
///
/// A value is better when it beats the best so far by more than `minDelta`; one that is not a number never
/// is. Epochs without the value don't count.
///
/// fastai's and Keras's `EarlyStopping`.
public final class EarlyStopping: StatefulCallback {
  /// What is watched.
  public enum Monitor: Sendable, Hashable, CustomStringConvertible {
    /// The mean loss of training.
    case trainLoss
    /// The mean loss of validation.
    case validLoss
    /// A metric of the learner, by name.
    case metric(String)

    /// What logs call `name`: `train_loss`, `valid_loss`, or else a metric.
    public init(_ name: String) {
      self = [.trainLoss, .validLoss].first { $0.description == name } ?? .metric(name)
    }

    /// What logs call it.
    public var description: String {
      switch self {
      case .trainLoss: "train_loss"
      case .validLoss: "valid_loss"
      case .metric(let name): name
      }
    }
  }

  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The best value so far.
    public fileprivate(set) var best: Double?
    /// The epochs since then.
    public fileprivate(set) var wait = 0
  }

  /// What is watched.
  public let monitor: Monitor
  /// The epochs without a better value that are borne.
  public let patience: Int
  /// By how much a value must beat the best.
  public let minDelta: Double
  /// Which values are better; nil for the metric's own direction, and lower for losses.
  public let mode: MetricDirection?
  /// All it remembers.
  public var state = State()
  private var isLowerBetter = true

  /// A watch over `monitor`.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` when `patience` is below
  ///   1, or `minDelta` negative or not finite.
  public init(
    monitor: Monitor = .validLoss, patience: Int = 1, minDelta: Double = 0,
    mode: MetricDirection? = nil
  ) throws(CallbackError) {
    guard patience >= 1 else {
      throw .outOfRange(
        callback: "EarlyStopping", parameter: "patience", value: "\(patience)",
        expected: "at least 1 epoch")
    }
    guard minDelta.isFinite && minDelta >= 0 else {
      throw .outOfRange(
        callback: "EarlyStopping", parameter: "minDelta", value: "\(minDelta)",
        expected: "a finite number of at least 0")
    }
    self.monitor = monitor
    self.patience = patience
    self.minDelta = minDelta
    self.mode = mode
  }

  /// Forgets the fit before, and looks after each epoch.
  public var hooks: [Hook] { [.beforeFit(reset), .afterEpoch(check)] }
  /// After what reports the epoch.
  public var order: Int { CallbackOrder.stopper }

  private func reset(_ fit: FitContext) throws {
    state = State()
    var direction = MetricDirection.lowerIsBetter
    if case .metric(let name) = monitor {
      let metrics = fit.learner.metrics
      guard let metric = metrics.first(where: { $0.name == name }) else {
        throw CallbackError.unknownMetric(
          name, callback: self.name,
          known: [Monitor.trainLoss, .validLoss].map(\.description) + metrics.map(\.name))
      }
      direction = metric.direction
    }
    isLowerBetter = (mode ?? direction) == .lowerIsBetter
  }

  private func check(_ epoch: EpochContext) throws {
    guard epoch.outcome.isInOrder, let value = value(in: epoch) else { return }
    if isBetter(value) {
      state.best = value
      state.wait = 0
      return
    }
    state.wait += 1
    guard state.wait >= patience else { return }
    let epochs = state.wait == 1 ? "1 epoch" : "\(state.wait) epochs"
    throw Cancel(.fit, reason: "\(monitor) has not become better for \(epochs)")
  }

  private func value(in epoch: EpochContext) -> Double? {
    switch monitor {
    case .trainLoss: epoch.train?.loss
    case .validLoss: epoch.validation?.loss
    case .metric(let name): epoch.validation?[name]
    }
  }

  private func isBetter(_ value: Double) -> Bool {
    guard let best = state.best else { return !value.isNaN }
    return isLowerBetter ? value < best - minDelta : value > best + minDelta
  }
}
