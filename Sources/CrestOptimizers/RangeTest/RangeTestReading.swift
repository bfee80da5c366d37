import CrestPlatform

/// What a range test's curve says: whether a network can be trained with very large learning rates.
///
/// A network for which super-convergence is possible keeps its accuracy over a wide range of rates; others reach a peak
/// and fall. Three numbers tell the two apart (g is accuracy, 0 at chance and 1 at the peak of the smoothed curve):
/// e, g at the end; τ, the mean g from the peak on; u, the mean g in the upper half of the rates.
package struct RangeTestReading: Sendable, Hashable {
  /// Whether accuracy holds.
  package enum Verdict: String, Sendable, Hashable, CaseIterable {
    /// It does: super-convergence is likely.
    case plateau
    /// It falls: unlikely.
    case peak
    /// In between.
    case undecided
  }

  /// What makes a verdict less certain, or impossible.
  package enum Doubt: String, Sendable, Hashable, CaseIterable {
    /// Fewer than 20 points, or never 0.1 above chance.
    case notLearning
    /// The first rate is the best.
    case startsTooHigh
    /// It holds, but the range ends below ten times a usual rate, up to which most networks do.
    case rangeTooNarrow
    /// It holds, but the network learned so late that the rate was high by then.
    case tooShort
    /// Points lie too far from their running median.
    case tooRagged

    /// Whether there is no verdict at all.
    package var isRefusal: Bool { self == .notLearning || self == .startsTooHigh }
  }

  /// The accuracy at the peak of the smoothed curve.
  package let peak: Double
  /// The rate there.
  package let peakRate: Double
  /// e: g of the mean of the last tenth.
  package let end: Double
  /// τ: the mean g from the peak on.
  package let fromPeak: Double
  /// u: the mean g above half of the largest rate.
  package let upperHalf: Double
  /// ρ: the last rate with g of at least 0.8 over the first.
  package let width: Double
  /// The last rate with g of at least 0.95.
  package let topRate: Double
  /// The first rate at which it had diverged; nil when it never did.
  package let divergedRate: Double?
  /// S, from 0 for a peak to 1 for a plateau.
  package let score: Double
  /// What speaks against the verdict.
  package let doubts: [Doubt]

  /// Reads a curve.
  ///
  /// - Parameters:
  ///   - curve: The curve.
  ///   - usualRate: The best of a few constant rates, from which "very large" is counted; nil if unknown.
  ///   - divergedRate: The rate at which the loss was no longer finite; nil if it was throughout.
  package init(_ curve: RangeTestCurve, usualRate: Double? = nil, divergedRate: Double? = nil) {
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
    self.divergedRate = [divergedRate, lost.map { rates[$0] }].compactMap { $0 }.min()
    let parts = [(end, 0.20, 0.65), (fromPeak, 0.40, 0.50), (upperHalf, 0.25, 0.65)]
    score = parts.reduce(0) { $0 + min(1, max(0, ($1.0 - $1.1) / $1.2)) } / 3
    var doubts: [Doubt] = []
    if points.count < 20 || height < 0.1 { doubts.append(.notLearning) }
    if best == 0 { doubts.append(.startsTooHigh) }
    if score > 0.3, let usualRate, top < 10 * usualRate { doubts.append(.rangeTooNarrow) }
    if score > 0.3, rates[first] > top / 4 { doubts.append(.tooShort) }
    let deviation = zip(points, smoothed).reduce(0) { $0 + abs($1.0.accuracy - $1.1) }
    if deviation / Double(points.count) > 0.05 { doubts.append(.tooRagged) }
    self.doubts = doubts
  }

  /// The verdict; nil when the curve allows none.
  package var verdict: Verdict? {
    if doubts.contains(where: \.isRefusal) { return nil }
    return score >= 0.8 ? .plateau : score <= 0.3 ? .peak : .undecided
  }

  /// How certain it is, from 0 to 0.95.
  package var confidence: Double {
    let warnings = doubts.count { !$0.isRefusal }
    return min(0.95, abs(score - 0.55) / 0.45 * pow(0.5, Double(warnings)))
  }

  /// The largest rate worth a run: of a peak the rate there, at most half of what diverged; of a plateau its end,
  /// from which candidates are tried downwards.
  package var maximumRate: Double {
    verdict == .plateau ? topRate : min(peakRate, (divergedRate ?? .infinity) / 2)
  }
}

private func mean(_ values: ArraySlice<Double>) -> Double {
  values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}
