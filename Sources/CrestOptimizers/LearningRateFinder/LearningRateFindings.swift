import CrestTensor

/// What a learning-rate range test found.
public struct LearningRateFindings: Equatable, Sendable {
  /// One batch of the test.
  public struct Point: Equatable, Sendable {
    /// The learning rate with which it was trained.
    public let rate: Double

    /// Its loss.
    public let loss: Double

    /// The exponentially weighted mean of the losses up to here, corrected for its initial bias towards 0.
    ///
    /// fastai's `AvgSmoothLoss`.
    public let smoothedLoss: Double

    /// Creates a point.
    public init(rate: Double, loss: Double, smoothedLoss: Double) {
      self.rate = rate
      self.loss = loss
      self.smoothedLoss = smoothedLoss
    }
  }

  /// Why the test ended.
  public enum Ending: Equatable, Sendable {
    /// It has not ended: there are rates left to try.
    case unfinished

    /// All rates were tried.
    case completed

    /// The smoothed loss of this step diverged.
    case diverged(step: Int)

    /// The loss of this step was infinite or not a number.
    case lossNotFinite(step: Int)
  }

  /// The learning rates to try.
  public let sweep: LearningRateSweep

  /// The batches, in order.
  public internal(set) var points: [Point]

  /// Why the test ended.
  public internal(set) var ending: Ending

  /// Creates findings.
  public init(sweep: LearningRateSweep, points: [Point], ending: Ending) {
    if let point = points.first(where: { !($0.rate.isFinite && $0.rate > 0) }) {
      programmerError(
        "a learning rate of \(point.rate) among the points; they are finite and above 0")
    }
    self.sweep = sweep
    self.points = points
    self.ending = ending
  }

  /// The indices of the points that suggestions look at.
  ///
  /// Excludes the first tenth of the sweep, where the smoothed loss still follows single batches,
  /// the last five points, where it is usually diverging, and everything from the first non-finite
  /// loss on. As in fastai (which continues after such a loss and then keeps the last five).
  public var candidates: Range<Int> {
    let finite = points.firstIndex { !$0.smoothedLoss.isFinite } ?? points.count
    let upper = max(0, min(finite, points.count - 5))
    return min(sweep.steps / 10, upper)..<upper
  }
}
