extension Learner {
  /// What logs call an epoch's metrics: those of validation, then those of training, as in `train_accuracy`.
  package var metricNames: [String] {
    let names = metrics.map(\.name)
    // Each epoch has the mean loss of training anyway.
    let ofTraining = names.filter { $0 != MeanLoss().name }.map { Self.trainPrefix + $0 }
    return trainMetrics ? names + ofTraining : names
  }

  /// The metric with a name that logs know; nil when there is none.
  package func metric(named name: String) -> (any Metric)? {
    metrics.first { $0.name == name }
      ?? (trainMetrics ? metrics.first { Self.trainPrefix + $0.name == name } : nil)
  }

  /// What a pass is measured by.
  func metrics(of purpose: PassContext.Purpose) -> [any Metric] {
    purpose == .validation || trainMetrics ? metrics : []
  }

  fileprivate static var trainPrefix: String { "train_" }
}

/// What an epoch gave.
package protocol EpochResults {
  /// The results of training.
  var train: FitResult.Pass? { get }
  /// The results of validation.
  var validation: FitResult.Pass? { get }
}

extension EpochResults {
  /// The value of a metric by the name that logs know it by; nil when there is none.
  package func metric(_ name: String) -> Double? {
    if let value = validation?[name] { return value }
    let prefix = Learner.trainPrefix
    return name.hasPrefix(prefix) ? train?[String(name.dropFirst(prefix.count))] : nil
  }
}

extension EpochContext: EpochResults {}
extension FitResult.Epoch: EpochResults {}
