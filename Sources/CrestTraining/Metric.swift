public import CrestGraph
public import CrestTensor

/// A measure of how good predictions are, collected over batches.
///
/// A metric is a value: the learner fills a fresh copy in each pass. ``value`` must be exact
/// however the examples are cut into batches, so a metric adds up sums and counts, and divides at
/// the end. Because it is `Codable`, it is saved and restored when a run is interrupted in the
/// middle of a pass.
public protocol Metric: Sendable, Codable {
  /// Its name in logs, as in `accuracy`.
  var name: String { get }
  /// Whether lower or higher values are better.
  var direction: MetricDirection { get }
  /// The number for all examples since the last reset; NaN when there were none.
  var value: Double { get }

  /// Why it can't judge such predictions by such targets, whose classes lie along an axis of the predictions if
  /// there are any; types are with the batch in front; nil when it can.
  func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String?
  /// Forgets all examples.
  mutating func reset()
  /// Adds a batch.
  ///
  /// - Parameters:
  ///   - predictions: The model's first output, in row-major order.
  ///   - batch: Its shape, the targets and the loss.
  mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch)
}

extension Metric {
  /// None.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    nil
  }
}

/// Which values of a metric are better.
public enum MetricDirection: String, Sendable, Hashable, Codable, CaseIterable {
  /// As for a loss.
  case lowerIsBetter = "lower"
  /// As for an accuracy.
  case higherIsBetter = "higher"
}

/// A batch with its predictions and loss, as a ``Metric`` gets it.
public struct ScoredBatch: Sendable {
  /// The number of examples.
  public let count: Int
  /// The shape of the predictions, with the batch in front.
  public let predictionShape: Shape
  /// The axis of the predictions along which classes lie, if there are any.
  public let classAxis: Int
  /// The targets.
  public let targets: Tensor
  /// The mean loss; of a loss that is a sum, by example.
  public let loss: Double
  /// The label of positions that don't count for the loss, and for no metric of classes; nil where all do.
  public let ignoredLabel: Int?
  /// What the sum of losses was divided by; nil where examples have no weights, and all count alike.
  public let lossWeight: Double?

  /// A batch of its parts.
  public init(
    count: Int, predictionShape: Shape, classAxis: Int = 1, targets: Tensor, loss: Double,
    lossWeight: Double? = nil, ignoredLabel: Int? = nil
  ) {
    (self.lossWeight, self.ignoredLabel) = (lossWeight, ignoredLabel)
    self.count = count
    self.predictionShape = predictionShape
    self.classAxis = classAxis
    self.targets = targets
    self.loss = loss
  }

  /// Ends the program unless there are as many predictions as their shape has, and so many targets.
  func require(_ predictionCount: Int, targetCount: Int) {
    programmerError(
      unless: predictionCount == predictionShape.elementCount,
      "\(predictionCount) predictions of the shape \(predictionShape)")
    programmerError(
      unless: targets.elementCount == targetCount,
      "targets \(targets.typeDescription) for predictions \(predictionShape)")
  }
}
