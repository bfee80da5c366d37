public import CrestGraph
import CrestPlatform
import CrestTensor

/// What a network predicts of classes or labels, by which metrics read its predictions.
public enum PredictionKind: String, Sendable, Hashable, Codable, CaseIterable {
  /// A logit for each class along the class axis; one class is right.
  case classes
  /// A probability for each class along the class axis; one class is right.
  case classProbabilities = "class-probabilities"
  /// A logit for each label of yes or no.
  case logits
  /// A probability for each label of yes or no.
  case probabilities

  /// Whether each prediction is of a label of its own.
  public var isBinary: Bool { self == .logits || self == .probabilities }

  /// Why targets don't suit such predictions; nil when they do.
  func objection(_ predictions: ValueType, _ targets: ValueType, _ classAxis: Int) -> String? {
    isBinary
      ? BinaryAccuracy().objection(
        predictions: predictions, targets: targets, classAxis: classAxis)
      : Accuracy().objection(predictions: predictions, targets: targets, classAxis: classAxis)
  }

  /// Calls `body` with each prediction of a label, and whether the label is yes.
  func forEachLabel(
    _ predictions: Span<Float>, _ batch: ScoredBatch, _ body: (Float, Bool) -> Void
  ) {
    batch.require(predictions.count, targetCount: predictions.count)
    if batch.targets.elementType.isFloat {
      batch.targets.withElements(as: Float.self) { targets in
        for index in predictions.indices { body(predictions[index], targets[index] > 0.5) }
      }
    } else {
      batch.targets.withElements(as: Int64.self) { targets in
        for index in predictions.indices { body(predictions[index], targets[index] > 0) }
      }
    }
  }

  /// The number of classes that a batch's predictions are of; yes and no are two.
  func classCount(of batch: ScoredBatch) -> Int {
    isBinary ? 2 : batch.predictionShape[batch.classAxis]
  }

  /// Calls `body` with the class of each example, and the one that is predicted for it; yes is class 1.
  ///
  /// The class with the highest prediction counts, the first of equals; of yes and no, a probability above one half, so that
  /// NaN is no.
  func forEachOutcome(
    _ predictions: Span<Float>, _ batch: ScoredBatch,
    _ body: (_ actual: Int, _ predicted: Int) -> Void
  ) {
    guard !isBinary else {
      let bound: Float = self == .logits ? 0 : 0.5
      return forEachLabel(predictions, batch) { prediction, isYes in
        body(isYes ? 1 : 0, prediction > bound ? 1 : 0)
      }
    }
    let lines = ClassLines(batch.predictionShape, axis: batch.classAxis)
    for number in 0..<lines.count {
      let line = lines[number]
      guard let label = line.label(of: batch, number: number) else { continue }
      body(label, line.highest(predictions))
    }
  }

  /// The probability of yes.
  package func probability(_ prediction: Float) -> Double {
    let value = Double(prediction)
    guard self == .logits else { return value }
    // Of the exponential that can't overflow.
    let power = exp(-abs(value))
    return value >= 0 ? 1 / (1 + power) : power / (1 + power)
  }

  /// Calls `body` with the probabilities of each line of classes, and its class.
  func forEachLine(
    _ predictions: Span<Float>, _ batch: ScoredBatch, _ body: ([Double], Int) -> Void
  ) {
    let lines = ClassLines(batch.predictionShape, axis: batch.classAxis)
    var values = [Double](repeating: 0, count: lines.classCount)
    for number in 0..<lines.count {
      let line = lines[number]
      guard let own = line.label(of: batch, number: number) else { continue }
      for label in values.indices { values[label] = Double(predictions[line.place(label)]) }
      if self == .classes { Self.softmax(&values) }
      body(values, own)
    }
  }

  /// Makes probabilities of logits.
  package static func softmax(_ values: inout [Double]) {
    let largest = values.max() ?? 0
    var sum = 0.0
    for place in values.indices {
      values[place] = exp(values[place] - largest)
      sum += values[place]
    }
    for place in values.indices { values[place] /= sum }
  }
}
