import CrestPlatform

extension LearningRateFindings {
  /// The suggestion of one method after a learning-rate range test: a rate, or why there is none.
  public enum Suggestion: Equatable, Sendable {
    /// Ways to read a learning rate off the curve.
    public enum Method: String, CaseIterable, Codable, Hashable, Sendable {
      /// Halfway along the middle third of the longest fall of the loss (fastai's `valley`, its
      /// default).
      case valley

      /// Coming from the high end, the rate where the slope stops changing over an interval of 15
      /// rates (fastai's `slide`).
      case slide

      /// The rate where the loss falls fastest over the logarithm of the rate (fastai's `steep`).
      case steepest

      /// A tenth of the rate at the lowest loss (fastai's `minimum`).
      case minimum
    }

    /// A learning rate, and the index in ``LearningRateFindings/points`` of the point it was read
    /// from.
    case rate(Double, index: Int)

    /// The method needs more points than ``LearningRateFindings/candidates`` has.
    case notEnoughPoints(needed: Int, got: Int)

    /// No batch had a finite loss.
    case noFiniteLoss

    /// The loss never falls by more than rounding, so no rate is better than a lower one.
    case lossNeverFalls

    /// The learning rate, if there is one.
    public var rate: Double? {
      guard case .rate(let rate, _) = self else { return nil }
      return rate
    }
  }
}

extension LearningRateFindings.Suggestion: CustomStringConvertible {
  /// The rate, or why there is none.
  public var description: String {
    switch self {
    case .rate(let rate, _):
      "\(rate)"
    case .notEnoughPoints(let needed, let got):
      "not enough points: needs \(needed) between the first tenth and the last five, got \(got)"
    case .noFiniteLoss:
      "no finite loss"
    case .lossNeverFalls:
      "the loss never falls"
    }
  }
}

extension LearningRateFindings {
  /// Returns the suggestion of a method.
  ///
  /// The numbers are fastai's, except where its code fails: it raises an exception or wraps round
  /// to the highest rate when points are few, and suggests the first rate when the loss never
  /// falls.
  public func suggestion(
    _ method: Suggestion.Method
  ) -> Suggestion {
    guard points.contains(where: \.smoothedLoss.isFinite) else { return .noFiniteLoss }
    let candidates = candidates
    guard candidates.count >= method.pointsNeeded else {
      return .notEnoughPoints(needed: method.pointsNeeded, got: candidates.count)
    }
    let losses = points[candidates].map(\.smoothedLoss)
    guard falls(losses) else { return .lossNeverFalls }
    let rates = points[candidates].map(\.rate)
    let index = method.index(rates: rates, losses: losses)
    return .rate(rates[index] * method.share, index: candidates.lowerBound + index)
  }

  /// The rate at the lowest loss; nil when there is none.
  package var leastLossRate: Double? {
    guard case .rate(_, let index) = suggestion(.minimum) else { return nil }
    return points[index].rate
  }

  /// Whether a loss is below an earlier one by more than the rounding error of a mean.
  private func falls(_ losses: [Double]) -> Bool {
    var highest = -Double.infinity
    for loss in losses {
      highest = max(highest, loss)
      if highest - loss > 1e-9 * max(abs(highest), abs(loss)) { return true }
    }
    return false
  }
}

extension LearningRateFindings.Suggestion.Method {
  /// The distance in points between the two slopes that `slide` compares.
  private static let slideWidth = 15

  /// How much two slopes must differ for `slide` to count them as different.
  private static let slideThreshold = 0.005

  fileprivate var pointsNeeded: Int {
    switch self {
    case .valley: 3
    case .slide: Self.slideWidth + 1
    case .steepest, .minimum: 2
    }
  }

  /// The suggestion as a fraction of the rate at the index.
  fileprivate var share: Double { self == .minimum ? 0.1 : 1 }

  fileprivate func index(rates: [Double], losses: [Double]) -> Int {
    switch self {
    case .valley: Self.valley(losses)
    case .slide: Self.slide(losses)
    case .steepest: Self.steepest(rates, losses)
    case .minimum: Self.firstMinimum(losses)
    }
  }

  /// The longest strictly falling subsequence ends at `end`; fastai assumes that it began as many
  /// points earlier as it is long.
  private static func valley(_ losses: [Double]) -> Int {
    var lengths = Array(repeating: 1, count: losses.count)
    var end = 0
    for i in losses.indices {
      for j in 0..<i where losses[i] < losses[j] { lengths[i] = max(lengths[i], lengths[j] + 1) }
      if lengths[end] < lengths[i] { end = i }
    }
    let start = end - lengths[end]
    let third = Double(end - start) / 3
    // By that count, a fall from the curve's first point on begins at -1.
    return max(0, start + Int(third) + Int(third / 2))
  }

  private static func slide(_ losses: [Double]) -> Int {
    let slopes = slopes(losses)
    var right = losses.count - 1
    var left = right - slideWidth
    var found = left
    while left >= 0 && abs(slopes[right] - slopes[left]) > slideThreshold {
      found = left
      right -= 1
      left -= 1
    }
    return found
  }

  private static func steepest(_ rates: [Double], _ losses: [Double]) -> Int {
    firstMinimum(
      zip(losses.indices, losses.indices.dropFirst()).map { i, next in
        (losses[next] - losses[i]) / (log(rates[next]) - log(rates[i]))
      })
  }

  /// Slopes over the index, from both neighbours; at the ends from one neighbour
  /// (`numpy.gradient`).
  private static func slopes(_ losses: [Double]) -> [Double] {
    let last = losses.count - 1
    return losses.indices.map { i in
      let before = max(0, i - 1)
      let after = min(last, i + 1)
      return (losses[after] - losses[before]) / Double(after - before)
    }
  }

  private static func firstMinimum(_ values: [Double]) -> Int {
    var lowest = 0
    for i in values.indices where values[i] < values[lowest] { lowest = i }
    return lowest
  }
}
