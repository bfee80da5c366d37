public import CrestGraph
import CrestTensor

/// The part of the examples whose class is among the k highest predictions.
///
/// Predictions are [N, C, …] and targets [N, …] labels. Of equal predictions the first class is the
/// higher. A prediction that is not a number ranks above all, so that it is never taken for right.
///
/// fastai's `top_k_accuracy`.
public struct TopKAccuracy: Metric {
  /// How many classes are guessed.
  public let k: Int
  private var hits = Mean()

  /// A metric of `k` guesses, at least 1.
  ///
  /// - Precondition: `k` is positive.
  public init(_ k: Int) {
    precondition(k > 0, "a top-\(k) accuracy")
    self.k = k
  }

  /// As in `top_5_accuracy`.
  public var name: String { "top_\(k)_accuracy" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// The part, from 0 to 1.
  public var value: Double { hits.value }

  /// Targets that aren't one class for each place of the predictions.
  public func objection(predictions: ValueType, targets: ValueType) -> String? {
    let shape = predictions.shape
    let places = shape.rank < 2 ? [] : [shape[0]] + shape.dropFirst(2)
    guard targets.elementType == .int64, shape.rank >= 2, targets.shape.dimensions == places else {
      return "it needs predictions [N, C, …] and int64 labels [N, …], got \(predictions) "
        + "and \(targets)"
    }
    return nil
  }

  /// Forgets all examples.
  public mutating func reset() { hits = Mean() }

  /// Counts the labels among the k highest.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    let classCount = batch.predictionShape[1]
    let placeCount = batch.predictionShape.dropFirst(2).reduce(1, *)
    var right = 0
    batch.targets.withElements(as: Int64.self) { labels in
      for (index, label) in labels.enumerated() {
        let (example, place) = index.quotientAndRemainder(dividingBy: placeCount)
        let start = example * classCount * placeCount + place
        let own = predictions[start + Int(label) * placeCount]
        var rank = 0
        for other in 0..<classCount where other != Int(label) {
          let value = predictions[start + other * placeCount]
          // Written so that a comparison with NaN counts against the label.
          let isLower = other < Int(label) ? value < own : value <= own
          if !isLower { rank += 1 }
        }
        if rank < k && !own.isNaN { right += 1 }
      }
    }
    hits.add(Double(right), count: batch.targets.elementCount)
  }
}
