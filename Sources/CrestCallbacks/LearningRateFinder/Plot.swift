public import CrestOptimizers
import CrestPlatform

extension LRFinder {
  /// A plot of a learning-rate range test: the loss over the logarithm of the learning rate, with
  /// what each method suggests.
  ///
  /// As in fastai's plot, the last five points and all from the first loss on that is not finite are
  /// left out: there the loss diverges and would flatten everything else.
  public struct Plot: Sendable {
    let findings: LearningRateFindings

    /// Creates a plot of findings.
    public init(_ findings: LearningRateFindings) {
      self.findings = findings
    }

    /// What there is to draw, nil when no loss is finite.
    var curve: Curve? {
      // Not finite, or so large that differences of losses would not be.
      let drawable = findings.points.prefix { abs($0.smoothedLoss) < 1e300 && abs($0.loss) < 1e300 }
      let points = drawable.prefix(max(findings.points.count - 5, 1))
      guard let first = points.first, let last = points.last else { return nil }
      let losses = points.map(\.smoothedLoss)
      return Curve(
        points: Array(points),
        rates: Span(log10(first.rate), log10(last.rate)),
        losses: Span(losses.min() ?? 0, losses.max() ?? 0))
    }

    /// Each method and what it suggests, in the order of the legend.
    var suggestions:
      [(method: LearningRateFindings.Suggestion.Method, outcome: LearningRateFindings.Suggestion)]
    {
      LearningRateFindings.Suggestion.Method.allCases.map { ($0, findings.suggestion($0)) }
    }

    /// A curve and the intervals it fills.
    struct Curve {
      let points: [LearningRateFindings.Point]

      /// Decimal logarithms of the rates.
      let rates: Span

      /// Smoothed losses.
      let losses: Span

      /// The smoothed loss at a rate, on straight lines between the points over the logarithm of the
      /// rate; beyond the ends, that of the end.
      func smoothedLoss(at rate: Double) -> Double {
        guard let after = points.firstIndex(where: { $0.rate >= rate }), after > 0 else {
          let end = points[0].rate >= rate ? points[0] : points[points.count - 1]
          return end.smoothedLoss
        }
        let left = points[after - 1]
        let right = points[after]
        // The ratio of the largest to the smallest numbers is infinite.
        let ratio = right.rate / left.rate
        let share =
          ratio.isFinite
          ? log(rate / left.rate) / log(ratio)
          : (log(rate) - log(left.rate)) / (log(right.rate) - log(left.rate))
        return left.smoothedLoss + (right.smoothedLoss - left.smoothedLoss) * share
      }
    }

    /// An interval of an axis, never empty: one value (or what differs from it by rounding only) is
    /// drawn in the middle of an interval around it.
    struct Span {
      let lower: Double
      let upper: Double

      init(_ lower: Double, _ upper: Double) {
        let size = max(abs(lower), abs(upper))
        let margin = upper - lower > 1e-9 * size ? 0 : max(size * 0.1, 0.1)
        self.lower = lower - margin
        self.upper = upper + margin
      }

      /// Where a value is, 0 at the lower end and 1 at the upper.
      func position(_ value: Double) -> Double { (value - lower) / (upper - lower) }
    }
  }
}
