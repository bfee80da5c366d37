public import CrestGraph
import CrestPlatform
import CrestTensor

/// The mean of −ln p of the true class, or of the truth of each label.
///
/// p is at least 2⁻⁵², as in scikit-learn's `log_loss`, so that one certain mistake doesn't make it infinite.
public struct LogLoss: LabelMetric {
  /// What predictions are.
  public let predictions: PredictionKind
  private var mean = Mean()

  /// A metric of no examples.
  public init(of predictions: PredictionKind = .classes) { self.predictions = predictions }

  /// `log-loss`.
  public var name: String { "log-loss" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// The mean, at least 0; NaN if a prediction is not a number.
  public var value: Double { mean.value }

  /// Forgets all examples.
  public mutating func reset() { mean = Mean() }

  /// Adds up the logarithms.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    self.predictions.forEachTruth(predictions, batch) { mean.add(-log(limited($0)), count: 1) }
  }
}

/// e to the mean of −ln p of the true class: of a language model, the tokens among which it hesitates on average.
///
/// torchmetrics' and Keras's `Perplexity`.
public struct Perplexity: LabelMetric {
  /// What predictions are.
  public var predictions: PredictionKind { loss.predictions }
  private var loss: LogLoss

  /// A metric of no examples.
  public init(of predictions: PredictionKind = .classes) { loss = LogLoss(of: predictions) }

  /// `perplexity`.
  public var name: String { "perplexity" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// At least 1.
  public var value: Double { exp(loss.value) }

  /// Forgets all examples.
  public mutating func reset() { loss.reset() }

  /// Adds up the logarithms.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    loss.update(predictions, batch)
  }
}

/// The squared distance of probabilities and truth: of yes and no the mean (p − y)², from 0 to 1; of classes the mean
/// Σₖ (pₖ − yₖ)², from 0 to 2, which is not halved.
///
/// scikit-learn's `brier_score_loss` (Brier 1950).
public struct BrierScore: LabelMetric {
  /// What predictions are.
  public let predictions: PredictionKind
  private var mean = Mean()

  /// A metric of no examples.
  public init(of predictions: PredictionKind = .classes) { self.predictions = predictions }

  /// `brier`.
  public var name: String { "brier" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// The mean; NaN if a prediction is not a number.
  public var value: Double { mean.value }

  /// Forgets all examples.
  public mutating func reset() { mean = Mean() }

  /// Adds up the squares.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    let kind = self.predictions
    if kind.isBinary {
      kind.forEachLabel(predictions, batch) { prediction, isYes in
        let distance = kind.probability(prediction) - (isYes ? 1 : 0)
        mean.add(distance * distance, count: 1)
      }
    } else {
      kind.forEachLine(predictions, batch) { probabilities, label in
        mean.add(
          probabilities.enumerated().reduce(0) { sum, entry in
            let distance = entry.element - (entry.offset == label ? 1 : 0)
            return sum + distance * distance
          }, count: 1)
      }
    }
  }
}

/// How far the predicted probabilities are from the shares that are right.
///
///     Σ |accuracy − confidence| n / N, over bins of confidence of equal width
///
/// The confidence is the probability of the most probable class; of yes and no that of yes, of which "accuracy" is the
/// share. torchmetrics' `CalibrationError(norm="l1")`.
public struct ExpectedCalibrationError: LabelMetric {
  /// What predictions are.
  public let predictions: PredictionKind
  private var bins: [Bin]
  private var hasNaN = false

  private struct Bin: Sendable, Codable, Hashable {
    var count = 0
    var right = 0
    var confidence = 0.0
  }

  /// A metric of no examples.
  ///
  /// - Precondition: there are 1 to 10,000 bins.
  public init(bins: Int = 15, of predictions: PredictionKind = .classes) {
    programmerError(
      unless: (1...10_000).contains(bins), "\(bins) bins of calibration, expected 1 to 10000")
    self.predictions = predictions
    self.bins = [Bin](repeating: Bin(), count: bins)
  }

  private enum CodingKeys: CodingKey { case predictions, bins, hasNaN }

  /// Reads what was saved, which must be 1 to 10,000 bins with counts that belong together.
  ///
  /// - Throws: `DecodingError`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    predictions = try container.decode(PredictionKind.self, forKey: .predictions)
    bins = try container.decode([Bin].self, forKey: .bins)
    hasNaN = try container.decode(Bool.self, forKey: .hasNaN)
    guard (1...10_000).contains(bins.count),
      bins.allSatisfy({ (0...1 << 52).contains($0.count) && (0...$0.count).contains($0.right) })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .bins, in: container, debugDescription: "1 to 10000 bins of counts")
    }
  }

  /// `ece`.
  public var name: String { "ece" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// From 0 to 1; NaN of no examples, or if a prediction is not a number.
  public var value: Double {
    let total = bins.reduce(0) { $0 + $1.count }
    guard total > 0, !hasNaN else { return .nan }
    return bins.reduce(0) { $0 + abs(Double($1.right) - $1.confidence) } / Double(total)
  }

  /// Forgets all examples.
  public mutating func reset() {
    bins = [Bin](repeating: Bin(), count: bins.count)
    hasNaN = false
  }

  /// Counts each prediction in its bin.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    let kind = self.predictions
    if kind.isBinary {
      kind.forEachLabel(predictions, batch) { add(kind.probability($0), isRight: $1) }
    } else {
      kind.forEachLine(predictions, batch) { probabilities, label in
        var best = 0
        for place in probabilities.indices where probabilities[place] > probabilities[best] {
          best = place
        }
        add(
          probabilities.contains(where: \.isNaN) ? .nan : probabilities[best],
          isRight: best == label)
      }
    }
  }

  private mutating func add(_ confidence: Double, isRight: Bool) {
    guard !confidence.isNaN else {
      hasNaN = true
      return
    }
    // Bins are open below: (0, 1/n], …
    let place = Int((min(1, max(0, confidence)) * Double(bins.count)).rounded(.up)) - 1
    let bin = max(0, place)
    bins[bin].count += 1
    bins[bin].right += isRight ? 1 : 0
    bins[bin].confidence += confidence
  }
}

/// A probability as far from 0 as scikit-learn takes it; NaN stays.
private func limited(_ probability: Double) -> Double {
  probability < 0x1p-52 ? 0x1p-52 : probability
}

extension PredictionKind {
  /// Calls `body` with the probability of each truth.
  fileprivate func forEachTruth(
    _ predictions: Span<Float>, _ batch: ScoredBatch, _ body: (Double) -> Void
  ) {
    if isBinary {
      forEachLabel(predictions, batch) { prediction, isYes in
        // Of −x for no, since 1 − p loses what p has.
        let probability =
          self == .logits
          ? self.probability(isYes ? prediction : -prediction)
          : isYes ? Double(prediction) : 1 - Double(prediction)
        body(probability)
      }
    } else {
      forEachLine(predictions, batch) { body($0[$1]) }
    }
  }
}
