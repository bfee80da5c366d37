import CrestTraining

/// Counts the epochs since a watched value was better than all before.
///
/// A value is better when it beats the best so far by more than `minDelta`; one that is not a number never is.
struct Improvement {
  let monitor: Monitor
  let minDelta: Double
  /// Which values are better; nil for the metric's own direction, and lower for losses.
  let mode: MetricDirection?
  private var isLowerBetter = true

  init(
    of monitor: Monitor, minDelta: Double, mode: MetricDirection?, patience: Int, callback: String
  ) throws(CallbackError) {
    try CallbackError.require(
      patience >= 1, "patience", patience, "at least 1 epoch", of: callback)
    try CallbackError.require(
      minDelta.isFinite && minDelta >= 0, "minDelta", minDelta, "a finite number of at least 0",
      of: callback)
    self.monitor = monitor
    self.minDelta = minDelta
    self.mode = mode
  }

  /// Finds out which values are better.
  mutating func begin(_ learner: Learner, for callback: String) throws(CallbackError) {
    let direction = try monitor.direction(in: learner, for: callback)
    isLowerBetter = (mode ?? direction) == .lowerIsBetter
  }

  /// Whether `value` is better than `best`.
  func isBetter(_ value: Double, than best: Double?) -> Bool {
    guard let best else { return !value.isNaN }
    return isLowerBetter ? value < best - minDelta : value > best + minDelta
  }

  /// Whether `value` is as good as `threshold`, or better.
  func isAsGood(_ value: Double, as threshold: Double) -> Bool {
    isLowerBetter ? value <= threshold : value >= threshold
  }

  /// What of it decides results.
  var settings: [String: String] {
    ["monitor": "\(monitor)", "minDelta": "\(minDelta)", "mode": mode?.rawValue ?? "its own"]
  }
}
