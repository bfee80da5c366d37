public import CrestGraph
import CrestTensor

/// The fraction of binary predictions that are right, over all examples and outputs.
///
/// A prediction is positive if its probability is above one half, a target if it is above one half
/// or a label of 1. A prediction that is not a number is never right. Predictions and targets have
/// the same shape, except that either may lack a last axis of size 1.
///
/// fastai's `accuracy_multi`, Keras's `BinaryAccuracy`.
public struct BinaryAccuracy: Metric {
  /// What predictions are.
  public enum Predictions: String, Sendable, Codable {
    /// Logits.
    case logits
    /// Probabilities.
    case probabilities
  }

  /// What predictions are.
  public let predictions: Predictions
  private var hits = Mean()

  /// A metric of no examples.
  public init(of predictions: Predictions = .logits) { self.predictions = predictions }

  /// `accuracy`.
  public var name: String { "accuracy" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// The fraction, from 0 to 1.
  public var value: Double { hits.value }

  /// Targets of another shape than the predictions.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    targets.elementType == .int64 || targets.elementType == predictions.elementType
      ? shapeObjection(predictions, targets)
      : "it needs int64 labels or probabilities \(predictions), got \(targets)"
  }

  /// Forgets all examples.
  public mutating func reset() { hits = Mean() }

  /// Counts the predictions that match the targets.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    batch.require(predictions.count, targetCount: predictions.count)
    let bound: Float = self.predictions == .logits ? 0 : 0.5
    var right = 0
    func count(_ isYes: (Int) -> Bool) {
      for index in predictions.indices
      where isYes(index) ? predictions[index] > bound : predictions[index] <= bound {
        right += 1
      }
    }
    if batch.targets.elementType.isFloat {
      batch.targets.withElements(as: Float.self) { targets in count { targets[$0] > 0.5 } }
    } else {
      batch.targets.withElements(as: Int64.self) { targets in count { targets[$0] > 0 } }
    }
    hits.add(Double(right), count: predictions.count)
  }
}
