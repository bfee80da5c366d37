import CrestPlatform

extension RangeTest {
  /// Whether accuracy holds over a wide range of learning rates.
  public enum Verdict: String, Sendable, Hashable, CaseIterable, Codable {
    /// It does: super-convergence is likely.
    case plateau
    /// It rises to a peak and falls: super-convergence is unlikely.
    case peak
    /// In between.
    case undecided
  }

  /// What the curve of one seed says.
  ///
  /// A network for which super-convergence is possible keeps its accuracy over a wide range of rates; others reach a
  /// peak and fall. Three numbers tell the two apart (g is accuracy, 0 at chance and 1 at the peak of the smoothed
  /// curve): ``end``, ``fromPeak`` and ``upperHalf``. Their limits were read off 16 logs of Smith's and 8 curves made
  /// with this package, which they all get right, and so are no proof for others.
  ///
  ///     S = mean of clip((e − 0.20) / 0.65), clip((τ − 0.40) / 0.50), clip((u − 0.25) / 0.65), each to 0 … 1
  ///
  /// Source: Smith & Topin 2018 (arXiv:1708.07120), figures 1 to 4, and the authors' logs.
  public struct Reading: Sendable, Hashable {
    /// The accuracy at the peak of the smoothed curve.
    public let peak: Double
    /// The rate there.
    public let peakRate: Double
    /// e: g of the mean of the last tenth.
    public let end: Double
    /// τ: the mean g from the peak on.
    public let fromPeak: Double
    /// u: the mean g above half of the largest rate.
    public let upperHalf: Double
    /// ρ: the last rate with g of at least 0.8 over the first.
    public let width: Double
    /// The last rate with g of at least 0.95.
    public let topRate: Double
    /// The first rate at which it had diverged: the loss wasn't finite, or g below 0.1 for three points; nil when it
    /// never did.
    public let divergedRate: Double?
    /// S, from 0 for a peak to 1 for a plateau.
    public let score: Double
    /// What speaks against the verdict.
    public let doubts: [Doubt]

    /// Reads a curve.
    ///
    /// - Parameters:
    ///   - curve: The curve.
    ///   - usualRate: The best of a few constant rates, from which "very large" is counted; nil if unknown.
    public init(_ curve: Curve, usualRate: Double? = nil) {
      let (points, smoothed) = (curve.points, curve.smoothed)
      let rates = points.map(\.learningRate)
      let top = rates[rates.count - 1]
      var best = 0
      for place in smoothed.indices where smoothed[place] > smoothed[best] { best = place }
      let height = smoothed[best] - curve.chance
      func relative(_ accuracy: Double) -> Double {
        height > 0 ? (accuracy - curve.chance) / height : 0
      }
      let raw = points.map { relative($0.accuracy) }
      let curved = smoothed.map(relative)
      peak = smoothed[best]
      peakRate = rates[best]
      end = mean(raw.suffix(max(1, raw.count / 10)))
      fromPeak = mean(curved[best...])
      // The rate in the middle may be computed a little above the half.
      upperHalf = mean(zip(rates, raw).filter { $0.0 > top / 2 * (1 + 1e-12) }.map(\.1)[...])
      let good = curved.indices.filter { curved[$0] >= 0.8 }
      let first = good.first ?? best
      width = rates[good.last ?? best] / rates[first]
      topRate = rates[curved.lastIndex { $0 >= 0.95 } ?? best]
      let lost = curved.indices.dropFirst(best).first { place in
        place + 3 <= curved.count && curved[place..<place + 3].allSatisfy { $0 < 0.1 }
      }
      divergedRate = [curve.divergedRate, lost.map { rates[$0] }].compactMap { $0 }.min()
      let parts = [(end, 0.20, 0.65), (fromPeak, 0.40, 0.50), (upperHalf, 0.25, 0.65)]
      let score = parts.reduce(0) { $0 + min(1, max(0, ($1.0 - $1.1) / $1.2)) } / 3
      self.score = score
      let deviation = zip(points, smoothed).reduce(0) { $0 + abs($1.0.accuracy - $1.1) }
      let found: [(Doubt, Bool)] = [
        (.notLearning, points.count < 20 || height < 0.1),
        (.startsTooHigh, best == 0),
        // Most networks hold up to ten times a usual rate.
        (.rangeTooNarrow, score > 0.3 && usualRate.map { top < 10 * $0 } ?? false),
        (.tooShort, score > 0.3 && rates[first] > top / 4),
        (.tooRagged, deviation / Double(points.count) > 0.05),
      ]
      doubts = found.filter(\.1).map(\.0)
    }

    /// The verdict; nil when the curve allows none.
    public var verdict: Verdict? {
      if doubts.contains(where: \.isRefusal) { return nil }
      return score >= 0.8 ? .plateau : score <= 0.3 ? .peak : .undecided
    }

    /// How certain it is, from 0 to 0.95: |S − 0.55| / 0.45, halved by each doubt.
    public var confidence: Double {
      let warnings = doubts.count { !$0.isRefusal }
      return min(0.95, abs(score - 0.55) / 0.45 * pow(0.5, Double(warnings)))
    }

    /// The largest rate worth a run: of a peak the rate there, at most half of what diverged; of a plateau its end,
    /// from which candidates are tried downwards.
    public var maxLR: Double {
      verdict == .plateau ? topRate : min(peakRate, (divergedRate ?? .infinity) / 2)
    }
  }
}

private func mean(_ values: ArraySlice<Double>) -> Double {
  values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}
