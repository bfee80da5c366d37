import CrestTensor

/// A learning-rate range test in progress: which rate comes next, and when to stop.
///
/// ```swift
/// var search = LearningRateSearch()
/// while let rate = search.nextRate {
///   search.record(loss: trainOneBatch(at: rate))
/// }
/// let suggestion = search.findings.suggestion(.valley)
/// ```
///
/// Sources: L. N. Smith, "Cyclical learning rates" (arXiv:1506.01186), section 3.3; fastai's
/// `LRFinder`.
package struct LearningRateSearch: Sendable {
  /// Whether a diverging loss ends the search.
  package let stopsOnDivergence: Bool

  /// What has been found so far.
  package private(set) var findings: LearningRateFindings

  private var smoothed = SmoothedLoss()
  private var best = Double.infinity

  /// Creates a search that has tried nothing yet.
  ///
  /// - Parameters:
  ///   - sweep: The rates to try.
  ///   - stopsOnDivergence: Whether to stop as soon as the smoothed loss exceeds four times its
  ///     best. A loss that is not finite always stops the search.
  package init(sweep: LearningRateSweep = .standard, stopsOnDivergence: Bool = true) {
    self.stopsOnDivergence = stopsOnDivergence
    findings = LearningRateFindings(sweep: sweep, points: [], ending: .unfinished)
  }

  /// The learning rate for the next batch; nil if the search has ended.
  package var nextRate: Double? {
    guard findings.ending == .unfinished else { return nil }
    return findings.sweep.rate(step: findings.points.count)
  }

  /// Records the loss of a batch trained with ``nextRate``.
  ///
  /// The search ends when the rates are used up, when the loss is not finite, and when the smoothed
  /// loss exceeds its best by three times the best's magnitude: for losses above 0 that is fastai's
  /// "more than four times the best", and it still makes sense for losses below 0.
  ///
  /// - Precondition: The search has not ended.
  package mutating func record(loss: Double) {
    guard let rate = nextRate else {
      programmerError("a loss was recorded after the search had ended: \(findings.ending)")
    }
    let mean = smoothed.add(loss)
    let step = findings.points.count
    findings.points.append(.init(rate: rate, loss: loss, smoothedLoss: mean))
    best = min(best, mean)
    if !mean.isFinite {
      findings.ending = .lossNotFinite(step: step)
    } else if stopsOnDivergence && mean > best + 3 * abs(best) {
      findings.ending = .diverged(step: step)
    } else if step + 1 == findings.sweep.steps {
      findings.ending = .completed
    }
  }
}
