public import CrestGraph

/// The fraction of examples whose class has the highest prediction: ``TopKAccuracy`` of one guess.
///
/// fastai's `accuracy`, Keras's `SparseCategoricalAccuracy` and `CategoricalAccuracy`.
public struct Accuracy: Metric {
  private var top = TopKAccuracy(1)

  /// A metric of no examples.
  public init() {}

  /// `accuracy`.
  public var name: String { "accuracy" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// The fraction, from 0 to 1.
  public var value: Double { top.value }

  /// Targets that are neither labels nor probabilities of the predictions' classes.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    top.objection(predictions: predictions, targets: targets, classAxis: classAxis)
  }

  /// Forgets all examples.
  public mutating func reset() { top.reset() }

  /// Counts the labels with the highest prediction.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    top.update(predictions, batch)
  }
}
