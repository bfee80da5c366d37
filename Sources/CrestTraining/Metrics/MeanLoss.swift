/// The mean loss over the examples, as a metric.
///
/// fastai's `AvgLoss`; the learner reports it for both passes anyway.
public struct MeanLoss: Metric {
  private var mean = Mean()

  /// A metric of no examples.
  public init() {}

  /// `loss`.
  public var name: String { "loss" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// The mean.
  public var value: Double { mean.value }

  /// Forgets all examples.
  public mutating func reset() { mean = Mean() }

  /// Weighs the batch's mean loss by its examples.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    mean.add(batch.loss, of: batch)
  }
}

extension Mean {
  /// Takes in the mean loss of a batch.
  mutating func add(_ loss: Double, of batch: ScoredBatch) {
    if let weight = batch.lossWeight {
      add(mean: loss, count: batch.count, weight: weight)
    } else {
      add(loss * Double(batch.count), count: batch.count)
    }
  }
}
