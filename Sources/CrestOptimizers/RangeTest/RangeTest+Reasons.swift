import CrestPlatform

extension RangeTest {
  /// The verdict in one sentence.
  public var summary: String {
    let sure = "confidence \(percent(confidence))"
    return switch verdict {
    case .plateau: "plateau: super-convergence is likely (\(sure))"
    case .peak: "peak: super-convergence is unlikely (\(sure))"
    case .undecided: "undecided (\(sure)): try other seeds, and twice as many steps"
    case nil: "no verdict"
    }
  }

  /// Why, in numbers: a sentence for each of the measures, and one for each doubt.
  public var reasons: [String] {
    func mean(_ measure: (Reading) -> Double) -> Double {
      readings.reduce(0) { $0 + measure($1) } / Double(readings.count)
    }
    let peaks = readings.map(\.peakRate).sorted()
    var reasons = [
      "The peak is at a rate of \(range(peaks)), with \(measure.name) \(decimal(mean(\.peak))); chance is "
        + "\(decimal(curves[0].chance)).",
      "Above chance, and of the peak's: \(percent(mean(\.end))) in the last tenth of the rates, "
        + "\(percent(mean(\.fromPeak))) on average from the peak on, \(percent(mean(\.upperHalf))) in the upper half.",
      "It stays above 80 % of the peak over a factor of \(range(readings.map(\.width).sorted())) in the rate.",
    ]
    let diverged = readings.compactMap(\.divergedRate).sorted()
    if !diverged.isEmpty {
      reasons.append(
        "Training diverged at \(range(diverged))"
          + (diverged.count < readings.count
            ? ", with \(diverged.count) of \(readings.count) seeds." : ".")
      )
    }
    let agreeing = readings.count { $0.verdict == verdict }
    if readings.count > 1, verdict != nil {
      reasons.append("\(agreeing) of \(readings.count) seeds agree.")
    }
    return reasons + doubts.map { "Doubt: \($0)." }
  }

  private func range(_ sorted: [Double]) -> String {
    guard let low = sorted.first, let high = sorted.last else { return "" }
    let (from, to) = (low.short, high.short)
    return from == to ? from : "\(from) to \(to)"
  }
}

extension RangeTest.Measure {
  /// As in `with accuracy 0.55`.
  public var name: String {
    switch self {
    case .accuracy: "accuracy"
    case .likelihood: "likelihood"
    case .explained: "explained loss"
    }
  }
}

/// A share as in `96 %`.
func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

/// Three decimals.
private func decimal(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }

extension Double {
  /// Two significant digits, without needless zeros.
  package var short: String {
    guard self > 0, isFinite else { return "\(self)" }
    let power = pow(10, log10(self).rounded(.down) - 1)
    let digits = (self / power).rounded()
    if power >= 1, digits * power < 1e6 { return "\(Int(digits * power))" }
    // A power below 1 has no exact reciprocal; a division by one that has is correctly rounded.
    return power >= 1 ? "\(digits * power)" : "\(digits / (1 / power).rounded())"
  }
}
