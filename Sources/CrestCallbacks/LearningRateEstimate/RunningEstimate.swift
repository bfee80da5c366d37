import CrestPlatform

/// Means over the estimates of an optimal learning rate so far, each with a weight of a tenth of the one after it
/// less.
struct RunningEstimate: Codable, Sendable, Hashable {
  /// Smith's: m ← 0.9 m + 0.1 · estimate, from 0.1.
  private(set) var smoothed = Self.smithStart
  private(set) var count = 0
  // From 0, so that dividing by 1 - 0.9ⁿ makes means of them.
  private var weighted = 0.0
  private var numerators = 0.0
  private var denominators = 0.0

  private static let smithStart = 0.1
  private static let kept = 0.9

  /// Adds numerator / denominator.
  mutating func add(_ numerator: Double, over denominator: Double) {
    count += 1
    func approach(_ mean: inout Double, _ value: Double) {
      mean = Self.kept * mean + (1 - Self.kept) * value
    }
    approach(&smoothed, numerator / denominator)
    approach(&weighted, numerator / denominator)
    approach(&numerators, numerator)
    approach(&denominators, denominator)
  }

  /// The mean of the estimates, without a start; NaN of nothing.
  var corrected: Double { weighted / (1 - pow(Self.kept, Double(count))) }

  /// The mean of the numerators over that of the denominators, which single large estimates move less.
  var ratioOfMeans: Double { numerators / denominators }
}
