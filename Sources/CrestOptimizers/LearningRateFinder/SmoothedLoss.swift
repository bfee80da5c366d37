import CrestPlatform

/// An exponentially weighted mean of the losses so far, without the pull towards 0 that such a mean
/// has at first.
///
///     vₖ = β vₖ₋₁ + (1 - β) lossₖ        v₀ = 0
///     value = vₖ / (1 - βᵏ)
///
/// fastai's `AvgSmoothLoss`.
public struct SmoothedLoss: Codable, Hashable, Sendable {
  private var weighted = 0.0
  private var count = 0

  /// The weight of the past, `β`.
  public static let beta = 0.98

  /// Creates a mean of nothing.
  public init() {}

  /// Reads what was saved, which must leave room for more.
  ///
  /// - Throws: `DecodingError` when it isn't there or is no mean.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    weighted = try container.decode(Double.self, forKey: .weighted)
    count = try container.decode(Int.self, forKey: .count)
    guard (0...1 << 53).contains(count) else {
      throw DecodingError.dataCorruptedError(
        forKey: .count, in: container, debugDescription: "a count from 0 to 2⁵³")
    }
  }

  /// The mean; NaN of nothing.
  public var value: Double {
    count == 0 ? .nan : weighted / (1 - pow(Self.beta, Double(count)))
  }

  /// Takes in a loss and returns the mean.
  ///
  /// A loss that is not finite makes this mean and all that follow not finite.
  public mutating func add(_ loss: Double) -> Double {
    count += 1
    weighted = Self.beta * weighted + (1 - Self.beta) * loss
    return value
  }
}
