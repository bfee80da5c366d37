/// The mean loss over the examples, as a metric.
///
/// fastai's `AvgLoss`; the learner reports it for both passes anyway.
public struct MeanLoss: Metric {
  private var mean = Mean()

  /// A metric of no examples.
  public init() {}

  private enum CodingKeys: CodingKey {
    case mean, weightedSum, weight
  }

  /// Saves the sums; of losses with weights, what they are divided by instead of their number.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    guard let weight = mean.weight else { return try container.encode(mean, forKey: .mean) }
    try container.encode(mean.sum, forKey: .weightedSum)
    try container.encode(weight, forKey: .weight)
  }

  /// Reads what was saved.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    guard container.contains(.weightedSum) || container.contains(.weight) else {
      mean = try container.decode(Mean.self, forKey: .mean)
      return
    }
    mean = Mean(
      sum: try container.decode(Double.self, forKey: .weightedSum),
      weight: try container.decode(Double.self, forKey: .weight))
  }

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
