import CrestPlatform

/// An exponentially weighted mean of the losses so far, corrected for its initial bias towards 0.
///
///     vₖ = β vₖ₋₁ + (1 - β) lossₖ        v₀ = 0
///     value = vₖ / (1 - βᵏ)
///
/// fastai's `AvgSmoothLoss`.
package struct SmoothedLoss: Codable, Hashable, Sendable {
  private var weighted = 0.0
  private var count = 0
  /// The mean; NaN of nothing.
  package private(set) var value = Double.nan

  private enum CodingKeys: CodingKey {
    case weighted, count
  }

  /// The weight of the past, `β`.
  package static let beta = 0.98

  /// Creates a mean without losses.
  package init() {}

  /// Reads a saved mean, whose count must leave room for more losses.
  ///
  /// - Throws: `DecodingError` if it is missing or invalid.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    weighted = try container.decode(Double.self, forKey: .weighted)
    count = try container.decode(Int.self, forKey: .count)
    guard (0...1 << 53).contains(count) else {
      throw DecodingError.dataCorruptedError(
        forKey: .count, in: container, debugDescription: "a count from 0 to 2⁵³")
    }
    value = unbiased
  }

  private var unbiased: Double {
    count == 0 ? .nan : weighted / (1 - pow(Self.beta, Double(count)))
  }

  /// Adds a loss and returns the mean.
  ///
  /// A non-finite loss makes this mean and all later ones non-finite.
  @discardableResult
  package mutating func add(_ loss: Double) -> Double {
    count += 1
    weighted = Self.beta * weighted + (1 - Self.beta) * loss
    value = unbiased
    return value
  }
}
