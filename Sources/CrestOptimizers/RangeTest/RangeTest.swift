import CrestPlatform
import CrestTensor

/// A learning-rate range test: whether a network can be trained on some data with very large learning rates, and up to
/// which.
///
/// The rate rises linearly from about 0 in one run a seed, while accuracy is measured on training examples that were
/// held out. The learner's `rangeTest` makes it.
///
/// Source: Smith & Topin 2018, "Super-convergence" (arXiv:1708.07120), section 4.
public struct RangeTest: Sendable, Hashable {
  /// How a short 1cycle run to a rate went.
  public struct Trial: Sendable, Hashable {
    /// Its highest rate.
    public let maxLR: Double
    /// Its held-out loss at the end; nil if it diverged.
    public let loss: Double?

    /// A trial and its held-out loss; one that isn't finite says that it diverged.
    public init(maxLR: Double, loss: Double) {
      self.maxLR = maxLR
      self.loss = loss.isFinite ? loss : nil
    }
  }

  /// The curves, one for each seed.
  public let curves: [Curve]
  /// What each says.
  public let readings: [Reading]
  /// What their accuracy is.
  public let measure: Measure
  /// The steps of a curve.
  public let stepCount: Int
  /// The best of a few constant rates; nil if the range was given.
  public let usualRate: Double?
  /// The short runs that decided how much of a plateau to use.
  public let trials: [Trial]
  /// The majority's verdict, to which an undecided reading adds nothing; nil when no curve allows one.
  public let verdict: Verdict?
  /// How certain the verdict is, from 0 to 0.95: the mean certainty of the readings that agree times their share.
  public let confidence: Double

  /// What curves say together.
  ///
  /// - Precondition: there is at least one curve.
  public init(
    _ curves: [Curve], measure: Measure = .accuracy, stepCount: Int, usualRate: Double? = nil,
    trials: [Trial] = []
  ) {
    programmerError(unless: !curves.isEmpty, "a range test without a curve")
    self.curves = curves
    self.measure = measure
    self.stepCount = stepCount
    self.usualRate = usualRate
    self.trials = trials
    readings = curves.map { Reading($0, usualRate: usualRate) }
    let verdicts = readings.compactMap(\.verdict)
    let sides = verdicts.reduce(0) { $0 + ($1 == .plateau ? 1 : $1 == .peak ? -1 : 0) }
    let verdict: Verdict? =
      verdicts.isEmpty ? nil : sides > 0 ? .plateau : sides < 0 ? .peak : .undecided
    self.verdict = verdict
    // The sum over those that agree, over all: their mean times their share.
    let certainties = readings.map { verdict != nil && $0.verdict == verdict ? $0.confidence : 0 }
    confidence = certainties.reduce(0, +) / Double(readings.count)
  }

  /// The same curves with the trials of their candidates.
  package func with(trials: [Trial]) -> RangeTest {
    RangeTest(
      curves, measure: measure, stepCount: stepCount, usualRate: usualRate, trials: trials)
  }

  /// The geometric mean of the largest rates that the curves allow; nil without a verdict.
  public var topRate: Double? {
    guard verdict != nil else { return nil }
    let rates = readings.filter { $0.verdict != nil }.map(\.maxLR)
    return geometricMean(rates)
  }

  /// The least and the largest of them; nil without a verdict.
  public var topRates: ClosedRange<Double>? {
    let rates = readings.filter { $0.verdict != nil }.map(\.maxLR)
    guard let low = rates.min(), let high = rates.max() else { return nil }
    return low...high
  }

  /// The candidates for ``maxLR`` of a plateau: its end, a third and a tenth of it.
  public var candidates: [Double] {
    guard verdict == .plateau, let topRate else { return [] }
    return [topRate, topRate / 3, topRate / 10]
  }

  /// The highest rate to use in a 1cycle run; nil without a verdict.
  ///
  /// Of a peak, the rate of the peak, at most half of what diverged. Of a plateau, the candidate whose trial has the
  /// least held-out loss; without trials a tenth of the plateau's end, the safest.
  public var maxLR: Double? {
    guard verdict == .plateau else { return topRate }
    let best = trials.filter { $0.loss != nil }.min { ($0.loss ?? 0) < ($1.loss ?? 0) }
    return best?.maxLR ?? candidates.last
  }

  /// The lowest rate that cycles between it and ``maxLR`` should have: a twentieth of a plateau's, a quarter of a
  /// peak's; nil without a verdict.
  public var minLR: Double? { maxLR.map { $0 / (verdict == .plateau ? 20 : 4) } }

  /// What makes the verdict less certain, or impossible, of any curve.
  public var doubts: [Doubt] {
    Doubt.allCases.filter { doubt in readings.contains { $0.doubts.contains(doubt) } }
  }
}

/// The geometric mean; of one number, exactly that.
func geometricMean(_ numbers: [Double]) -> Double {
  guard numbers.count > 1 else { return numbers.first ?? .nan }
  return exp(numbers.reduce(0) { $0 + log($1) } / Double(numbers.count))
}
