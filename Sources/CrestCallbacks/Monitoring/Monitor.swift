public import CrestTraining

/// A result of an epoch to monitor.
public enum Monitor: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The mean loss of training.
  case trainLoss
  /// The mean loss of validation.
  case validLoss
  /// A metric of the learner, by the name that logs have for it: `accuracy`, or `train_accuracy` where training is measured
  /// (`Learner.trainMetrics`).
  case metric(String)

  /// What logs call `name`: `train_loss`, `valid_loss`, or else a metric.
  public init(_ name: String) {
    self = [.trainLoss, .validLoss].first { $0.description == name } ?? .metric(name)
  }

  /// Its name in logs.
  public var description: String {
    switch self {
    case .trainLoss: "train_loss"
    case .validLoss: "valid_loss"
    case .metric(let name): name
    }
  }

  /// Its value in an epoch; nil when it has none.
  public func value(in epoch: EpochContext) -> Double? {
    switch self {
    case .trainLoss: epoch.train?.loss
    case .validLoss: epoch.validation?.loss
    case .metric(let name): epoch.metric(name)
    }
  }

  /// Which of its values are better.
  ///
  /// - Throws: ``CallbackError/unknownMetric(_:callback:known:)``.
  func direction(in learner: Learner, for callback: String) throws(CallbackError) -> MetricDirection
  {
    guard case .metric(let name) = self else { return .lowerIsBetter }
    guard let metric = learner.metric(named: name) else {
      throw .unknownMetric(
        name, callback: callback,
        known: [Monitor.trainLoss, .validLoss].map(\.description) + learner.metricNames)
    }
    return metric.direction
  }
}
