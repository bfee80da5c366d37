public import CrestGraph
import CrestTensor

/// A metric that follows from how often each class was predicted for examples of each class.
///
/// ```swift
/// struct ErrorRate: ConfusionMetric {
///   let predictions = PredictionKind.classes
///   var counts = ConfusionMatrix()
///   var name: String { "error-rate" }
///   var direction: MetricDirection { .lowerIsBetter }
///   var value: Double { 1 - Double(counts.right) / Double(counts.total) }
/// }
/// ```
///
/// The class with the highest prediction counts, the first of equals; of yes and no, a probability above one half.
public protocol ConfusionMetric: LabelMetric {
  /// What was counted since the last reset.
  var counts: ConfusionMatrix { get set }
}

extension ConfusionMetric {
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }

  /// Targets that aren't of the predictions' classes, or more classes than a matrix has.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    if let objection = self.predictions.objection(predictions, targets, classAxis) {
      return objection
    }
    let count = self.predictions.isBinary ? 2 : predictions.shape[classAxis]
    return count <= ConfusionMatrix.classLimit
      ? nil : "it counts at most \(ConfusionMatrix.classLimit) classes, got \(count)"
  }

  /// Forgets all examples.
  public mutating func reset() { counts = ConfusionMatrix() }

  /// Counts each prediction.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    counts.add(predictions, batch, of: self.predictions)
  }
}

/// 0 of 0 is 0.
func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
