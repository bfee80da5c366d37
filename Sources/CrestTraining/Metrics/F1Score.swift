public import CrestGraph
import CrestTensor

/// The harmonic mean of precision and recall, over the classes.
///
///     F1 of a class = 2 · TP / (2 · TP + FP + FN)
///
/// Predictions and targets are those of ``Accuracy``; the class with the highest prediction counts, the first of
/// equals. Classes that neither predictions nor targets have don't count, as in scikit-learn's `f1_score`.
///
/// fastai's `F1Score`, Keras's `F1Score`.
public struct F1Score: Metric {
  /// How the scores of classes are averaged.
  public enum Average: String, Sendable, Codable, CaseIterable {
    /// Their mean.
    case macro
    /// Their mean, each weighted by the examples of its class.
    case weighted
    /// The score of the summed counts of all classes.
    case micro
  }

  /// How the scores of classes are averaged.
  public let average: Average
  private var counts = ClassCounts()

  /// A metric of no examples.
  public init(average: Average = .macro) { self.average = average }

  /// `f1`.
  public var name: String { "f1" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// The score, from 0 to 1.
  public var value: Double { counts.average(average, fScore(beta: 1)) }

  /// Targets that are neither labels nor probabilities of the predictions' classes.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    Accuracy().objection(predictions: predictions, targets: targets, classAxis: classAxis)
  }

  /// Forgets all examples.
  public mutating func reset() { counts = ClassCounts() }

  /// Counts each prediction of a class.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    counts.add(predictions, batch, of: .classes)
  }
}

/// The F1 score of binary predictions, over all examples and outputs, for the positive class.
///
/// Predictions and targets are those of ``BinaryAccuracy``. fastai's `F1ScoreMulti` with `average="micro"`.
public struct BinaryF1Score: Metric {
  /// What predictions are.
  public let predictions: BinaryAccuracy.Predictions
  private var counts = ClassCounts()

  /// A metric of no examples.
  public init(of predictions: BinaryAccuracy.Predictions = .logits) {
    self.predictions = predictions
  }

  /// `f1`.
  public var name: String { "f1" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// The score, from 0 to 1.
  public var value: Double { counts.average(nil, fScore(beta: 1)) }

  /// Targets of another shape than the predictions.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    BinaryAccuracy().objection(predictions: predictions, targets: targets, classAxis: classAxis)
  }

  /// Forgets all examples.
  public mutating func reset() { counts = ClassCounts() }

  /// Counts each prediction.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    counts.add(predictions, batch, of: self.predictions == .logits ? .logits : .probabilities)
  }
}
