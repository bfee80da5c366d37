public import CrestGraph

/// The area under the ROC curve: the share of pairs of an example of the class and one of another that are scored in the
/// right order, ties counting half.
///
/// Of several classes the mean of each against the rest, of several labels their mean; classes without examples, or with
/// all of them, are left out, and NaN is left if there is no other. NaN too if a prediction is not a number. It keeps all
/// scores: 5 bytes for each example and class.
///
/// scikit-learn's `roc_auc_score` (`multi_class="ovr"`), fastai's `RocAuc`, Keras's `AUC` (which is approximate).
public struct AUROC: LabelMetric {
  /// What predictions are.
  public let predictions: PredictionKind
  private var labels = ScoredLabels()

  /// A metric of no examples.
  public init(of predictions: PredictionKind = .classes) { self.predictions = predictions }

  /// `auroc`.
  public var name: String { "auroc" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// From 0 to 1; one half of chance.
  public var value: Double { labels.mean(\.areaUnderCurve) }

  /// Forgets all examples.
  public mutating func reset() { labels = ScoredLabels() }

  /// Keeps the scores.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    labels.add(predictions, batch, of: self.predictions)
  }
}

/// The mean precision over the recalls that are reached, without interpolation: Σ (Rᵢ − Rᵢ₋₁) Pᵢ.
///
/// Of several classes or labels their mean, those without examples left out. It keeps all scores.
///
/// scikit-learn's `average_precision_score`, fastai's `APScoreBinary` and `APScoreMulti`.
public struct AveragePrecision: LabelMetric {
  /// What predictions are.
  public let predictions: PredictionKind
  private var labels = ScoredLabels()

  /// A metric of no examples.
  public init(of predictions: PredictionKind = .classes) { self.predictions = predictions }

  /// `average-precision`.
  public var name: String { "average-precision" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// From 0 to 1.
  public var value: Double { labels.mean(\.averagePrecision) }

  /// Forgets all examples.
  public mutating func reset() { labels = ScoredLabels() }

  /// Keeps the scores.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    labels.add(predictions, batch, of: self.predictions)
  }
}
