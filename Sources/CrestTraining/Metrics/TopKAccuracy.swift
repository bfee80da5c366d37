public import CrestGraph
import CrestTensor

/// The fraction of examples whose class is among the k highest predictions.
///
/// Predictions have their C classes along the batch's class axis, [N, C, …] unless said otherwise.
/// Targets are labels of the shape without that axis, or probabilities of the predictions' shape,
/// of which the highest is the label. Of equal numbers the first class is the higher. A prediction
/// that is not a number ranks above all, so it never counts as right.
///
/// fastai's `top_k_accuracy`, Keras's `SparseTopKCategoricalAccuracy` and `TopKCategoricalAccuracy`.
public struct TopKAccuracy: Metric {
  /// How many classes are guessed.
  public let k: Int
  private var hits = Mean()

  /// A metric of `k` guesses, at least 1.
  ///
  /// - Precondition: `k` is positive.
  public init(_ k: Int) {
    programmerError(unless: k > 0, "a top-\(k) accuracy")
    self.k = k
  }

  /// As in `top_5_accuracy`.
  public var name: String { "top_\(k)_accuracy" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// The fraction, from 0 to 1.
  public var value: Double { hits.value }

  /// Targets that are neither labels nor probabilities of the predictions' classes.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    let shape = predictions.shape
    guard (1..<max(shape.rank, 1)).contains(classAxis) else {
      return "it needs predictions [N, C, …] of C classes, got \(predictions)"
    }
    var places = shape.dimensions
    places.remove(at: classAxis)
    guard targets == ValueType(Shape(places), .int64) || targets == predictions else {
      return "it needs int64 labels \(Shape(places)) or probabilities \(shape) for predictions "
        + "\(predictions), got \(targets)"
    }
    return nil
  }

  /// Forgets all examples.
  public mutating func reset() { hits = Mean() }

  /// Counts the labels among the k highest.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    let lines = ClassLines(batch.predictionShape, axis: batch.classAxis)
    batch.require(
      predictions.count,
      targetCount: batch.targets.elementType.isFloat ? predictions.count : lines.count)
    var (right, count) = (0, 0)
    for index in 0..<lines.count {
      let line = lines[index]
      guard let label = line.label(of: batch, number: index) else { continue }
      count += 1
      if isRight(predictions, line, label: label) { right += 1 }
    }
    hits.add(Double(right), count: count)
  }

  private func isRight(_ predictions: Span<Float>, _ line: ClassLine, label: Int) -> Bool {
    programmerError(
      unless: 0 <= label && label < line.classCount,
      "label \(label) of \(line.classCount) classes")
    let own = predictions[line.place(label)]
    if own.isNaN { return false }
    var rank = 0
    for other in 0..<line.classCount where other != label {
      let value = predictions[line.place(other)]
      // Written so that a comparison with NaN counts against the label.
      let isLower = other < label ? value < own : value <= own
      if !isLower { rank += 1 }
    }
    return rank < k
  }
}
