extension LearningRateEstimate {
  /// How two steps give an estimate ε*; all sums are over the parameters.
  ///
  /// θᵢ are the parameters before step i, gᵢ the gradients there, of the batch of step i, and εᵢ is its learning rate.
  public enum Form: Sendable, Hashable {
    /// Smith's: εᵢ Σ|θᵢ₊₁ - θᵢ| / Σ|2 θᵢ₊₁ - θᵢ - θᵢ₊₂|; exact for plain descent at one rate.
    case smith
    /// With steps divided by their rates: Σ|θᵢ₊₁ - θᵢ| / Σ|(θᵢ₊₁ - θᵢ) / εᵢ - (θᵢ₊₂ - θᵢ₊₁) / εᵢ₊₁|, as a schedule needs.
    case rateCorrected
    /// Of gradients: Σ|θᵢ₊₁ - θᵢ| / Σ|gᵢ₊₁ - gᵢ|, for any optimiser and schedule.
    case gradient
    /// Of gradients of one batch: as ``gradient``, with gᵢ₊₁ of the batch of step i, in every so many steps.
    ///
    /// The only one that measures curvature on mini-batches. It takes another forward and backward pass, with the same
    /// random numbers, and the memory of another program.
    case sameBatch(every: Int = 50)
  }

  /// An estimate of one step.
  public struct Estimate: Codable, Sendable, Hashable {
    /// The step i of the fit that it is of, from 0.
    public let step: Int
    /// The learning rate of that step; of a group, its own.
    public let learningRate: Double
    /// ε*, by sums of absolute values.
    public let optimal: Double
    /// ε* by Euclidean norms.
    public let euclidean: Double
    /// Smith's moving average m ← 0.9 m + 0.1 ε*, from 0.1.
    public let smoothed: Double
    /// The same average from 0, divided by 1 - 0.9ⁿ after n estimates.
    public let mean: Double
    /// The average of the numerators over that of the denominators, which single large estimates move less.
    public let ratioOfMeans: Double

    /// The mean, and at most 1,000 times the learning rate.
    public var displayed: Double { min(mean, 1000 * learningRate) }
  }
}

extension LearningRateEstimate.Form: LosslessStringConvertible {
  /// As in `same-batch:every=50`.
  public var description: String {
    switch self {
    case .smith: "smith"
    case .rateCorrected: "rate-corrected"
    case .gradient: "gradient"
    case .sameBatch(let every): "same-batch:every=\(every)"
    }
  }

  /// The form of a text as in ``description``; `same-batch` alone is every 50 steps.
  public init?(_ description: String) {
    switch description {
    case "smith": self = .smith
    case "rate-corrected": self = .rateCorrected
    case "gradient": self = .gradient
    case "same-batch": self = .sameBatch()
    default:
      let prefix = "same-batch:every="
      guard description.hasPrefix(prefix), let every = Int(description.dropFirst(prefix.count))
      else { return nil }
      self = .sameBatch(every: every)
    }
  }
}
