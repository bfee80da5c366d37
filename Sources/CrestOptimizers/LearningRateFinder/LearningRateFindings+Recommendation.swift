import CrestPlatform
import CrestTensor

extension LearningRateFindings {
  /// The maximum of a 1cycle run that the findings of some seeds recommend.
  ///
  /// It is the geometric mean of their ``Suggestion/Method/minimum``: a tenth of the rate at the lowest loss, the only
  /// one of the four suggestions that is near the rates that work (Smith's 3 for ResNet-56 with batches of 1,000 is
  /// 0.38 with 128; `minimum` finds 0.28 to 0.33 for ResNet-20, `valley` 0.006 to 0.023). For networks without batch
  /// norm it may be 5 times too low.
  public struct Recommendation: Sendable, Equatable {
    /// How sure it is.
    public enum Certainty: String, Sendable, Hashable, CaseIterable, Codable {
      /// Several seeds agree within a factor of 2.
      case high
      /// Within a factor of 4.
      case medium
      /// Seeds disagree, or there is only one.
      case low
    }

    /// What was found with each seed.
    public let findings: [LearningRateFindings]

    /// The recommendation of findings, one for each seed.
    ///
    /// - Precondition: there is at least one.
    public init(_ findings: [LearningRateFindings]) {
      programmerError(unless: !findings.isEmpty, "a recommendation of no findings")
      self.findings = findings
    }

    /// What each seed recommends; nil where its loss never falls or there are too few points.
    public var rates: [Double?] { findings.map { $0.suggestion(.minimum).rate } }

    /// The maximum for 1cycle; nil when no seed found one.
    public var maxLR: Double? {
      let found = rates.compactMap(\.self)
      guard !found.isEmpty else { return nil }
      return geometricMean(found)
    }

    /// The largest rate over the smallest; nil when fewer than two seeds found one.
    public var spread: Double? {
      let found = rates.compactMap(\.self)
      guard found.count > 1, let low = found.min(), let high = found.max() else { return nil }
      return high / low
    }

    /// How sure it is, by the agreement of seeds.
    public var certainty: Certainty {
      guard let spread, !rates.contains(where: { $0 == nil }) else { return .low }
      return spread <= 2 ? .high : spread <= 4 ? .medium : .low
    }

    /// Why, and how sure, in one sentence.
    public var reason: String {
      guard maxLR != nil else { return "no seed found a rate: \(findings[0].suggestion(.minimum))" }
      let rates = rates.map { $0.map(\.short) ?? "none" }.joined(separator: ", ")
      let start = "a tenth of the rate at the lowest loss"
      guard let spread else { return "\(start); how sure: low, from a single seed" }
      return
        "\(start), \(rates) with \(findings.count) seeds; how sure: \(certainty.rawValue), they differ by a factor of "
        + "\((spread * 10).rounded() / 10)"
    }
  }
}
