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
  private var counts = OutcomeCounts()

  /// A metric of no examples.
  public init(average: Average = .macro) { self.average = average }

  /// `f1`.
  public var name: String { "f1" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// The score, from 0 to 1.
  public var value: Double { counts.score(average) }

  /// Targets that are neither labels nor probabilities of the predictions' classes.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    Accuracy().objection(predictions: predictions, targets: targets, classAxis: classAxis)
  }

  /// Forgets all examples.
  public mutating func reset() { counts = OutcomeCounts() }

  /// Counts each prediction of a class.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    let lines = ClassLines(batch.predictionShape, axis: batch.classAxis)
    counts.makeRoom(classCount: lines.classCount)
    for index in 0..<lines.count {
      let line = lines[index]
      guard let label = line.label(of: batch, number: index) else { continue }
      counts.add(predicted: line.highest(predictions), label: label)
    }
  }
}

/// The F1 score of binary predictions, over all examples and outputs, for the positive class.
///
/// Predictions and targets are those of ``BinaryAccuracy``. fastai's `F1ScoreMulti` with `average="micro"`.
public struct BinaryF1Score: Metric {
  /// What predictions are.
  public let predictions: BinaryAccuracy.Predictions
  private var counts = OutcomeCounts()

  /// A metric of no examples.
  public init(of predictions: BinaryAccuracy.Predictions = .logits) {
    self.predictions = predictions
  }

  /// `f1`.
  public var name: String { "f1" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// The score, from 0 to 1.
  public var value: Double { counts.score(ofClass: 1) }

  /// Targets of another shape than the predictions.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    BinaryAccuracy().objection(predictions: predictions, targets: targets, classAxis: classAxis)
  }

  /// Forgets all examples.
  public mutating func reset() { counts = OutcomeCounts() }

  /// Counts each prediction.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    let bound: Float = self.predictions == .logits ? 0 : 0.5
    counts.makeRoom(classCount: 2)
    let isFloat = batch.targets.elementType.isFloat
    let labels = isFloat ? [] : batch.targets.array(as: Int64.self)
    let values = isFloat ? batch.targets.array(as: Float.self) : []
    for index in predictions.indices {
      let isYes = isFloat ? values[index] > 0.5 : labels[index] != 0
      counts.add(predicted: predictions[index] > bound ? 1 : 0, label: isYes ? 1 : 0)
    }
  }
}

/// Of each class, how often it was right, and how often it was predicted and was the label.
private struct OutcomeCounts: Sendable, Codable {
  private var right: [Int] = []
  private var predicted: [Int] = []
  private var labels: [Int] = []

  init() {}

  private enum CodingKeys: CodingKey {
    case right, predicted, labels
  }

  /// Reads what was saved, which must be counts that belong together.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    right = try container.decode([Int].self, forKey: .right)
    predicted = try container.decode([Int].self, forKey: .predicted)
    labels = try container.decode([Int].self, forKey: .labels)
    let most = 1 << 52
    guard right.count == predicted.count, right.count == labels.count,
      right.indices.allSatisfy({ place in
        0 <= right[place] && right[place] <= min(predicted[place], labels[place])
          && max(predicted[place], labels[place]) <= most
      })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .right, in: container, debugDescription: "counts of one number of classes")
    }
  }

  mutating func makeRoom(classCount: Int) {
    guard right.count < classCount else { return }
    let more = [Int](repeating: 0, count: classCount - right.count)
    right += more
    predicted += more
    labels += more
  }

  mutating func add(predicted class: Int, label: Int) {
    predicted[`class`] += 1
    labels[label] += 1
    if `class` == label { right[label] += 1 }
  }

  /// The score of a class; 0 of one that never came up, NaN of nothing at all.
  func score(ofClass number: Int) -> Double {
    guard labels.contains(where: { $0 > 0 }) else { return .nan }
    let all = predicted[number] + labels[number]
    return all == 0 ? 0 : 2 * Double(right[number]) / Double(all)
  }

  func score(_ average: F1Score.Average) -> Double {
    let examples = labels.reduce(0, +)
    guard examples > 0 else { return .nan }
    switch average {
    case .micro: return Double(right.reduce(0, +)) / Double(examples)
    case .weighted:
      return labels.indices.reduce(0) { $0 + score(ofClass: $1) * Double(labels[$1]) }
        / Double(examples)
    case .macro:
      let seen = labels.indices.filter { labels[$0] + predicted[$0] > 0 }
      return seen.reduce(0) { $0 + score(ofClass: $1) } / Double(seen.count)
    }
  }
}
