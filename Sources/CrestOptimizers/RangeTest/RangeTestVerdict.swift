import CrestPlatform
import CrestTensor

/// What the curves of several seeds say together.
package struct RangeTestVerdict: Sendable, Hashable {
  /// The readings, one per seed.
  package let readings: [RangeTestReading]
  /// The majority's verdict, to which an undecided reading adds nothing; nil when no curve allows one.
  package let verdict: RangeTestReading.Verdict?
  /// The mean certainty of those that agree times their share.
  package let confidence: Double
  /// The geometric mean of the readings' largest rates.
  package let maximumRate: Double
  /// The least and the largest of them.
  package let maximumRates: ClosedRange<Double>

  /// - Precondition: there is at least one reading.
  package init(_ readings: [RangeTestReading]) {
    programmerError(unless: !readings.isEmpty, "a verdict of no range test")
    self.readings = readings
    let verdicts = readings.compactMap(\.verdict)
    let sides = verdicts.reduce(0) { $0 + ($1 == .plateau ? 1 : $1 == .peak ? -1 : 0) }
    verdict =
      verdicts.isEmpty ? nil : sides > 0 ? .plateau : sides < 0 ? .peak : .undecided
    let agreeing = readings.filter { [verdict] in $0.verdict != nil && $0.verdict == verdict }
    confidence =
      agreeing.isEmpty
      ? 0
      : agreeing.reduce(0) { $0 + $1.confidence } / Double(agreeing.count)
        * Double(agreeing.count) / Double(readings.count)
    let rates = readings.map(\.maximumRate)
    maximumRate = exp(rates.reduce(0) { $0 + log($1) } / Double(rates.count))
    maximumRates = (rates.min() ?? maximumRate)...(rates.max() ?? maximumRate)
  }
}
