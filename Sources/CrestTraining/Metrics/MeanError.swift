public import CrestGraph
import CrestLayers
import CrestTensor

/// The mean absolute difference of predictions and targets of one shape, over all elements.
///
/// fastai's `mae`, Keras's `MeanAbsoluteError`.
public struct MeanAbsoluteError: ValueMetric {
  private var mean = Mean()

  /// A metric of no examples.
  public init() {}

  /// `mae`.
  public var name: String { "mae" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// The mean.
  public var value: Double { mean.value }

  /// Adds up the absolute differences.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    mean.addDifferences(predictions, batch, abs)
  }
}

/// The mean squared difference of predictions and targets of one shape, over all elements.
///
/// fastai's `mse`, Keras's `MeanSquaredError`.
public struct MeanSquaredError: ValueMetric {
  private var mean = Mean()

  /// A metric of no examples.
  public init() {}

  /// `mse`.
  public var name: String { "mse" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// The mean.
  public var value: Double { mean.value }

  /// Adds up the squared differences.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    mean.addDifferences(predictions, batch) { $0 * $0 }
  }
}

/// Why targets don't stand beside predictions one by one; nil when they do.
func shapeObjection(
  _ predictions: ValueType, _ targets: ValueType, ofOneType: Bool = false
) -> String? {
  let isOneType = !ofOneType || predictions.elementType == targets.elementType
  let isOneShape =
    predictions.shape == targets.shape || targets.shape.differsByUnit(from: predictions.shape)
  return isOneType && isOneShape
    ? nil : "it needs targets of the predictions' type \(predictions), got \(targets)"
}

extension Mean {
  /// Takes in a function of each difference, computed in `Double`.
  fileprivate mutating func addDifferences(
    _ predictions: Span<Float>, _ batch: ScoredBatch, _ function: (Double) -> Double
  ) {
    batch.require(predictions.count, targetCount: predictions.count)
    var sum = 0.0
    batch.targets.withElements(as: Float.self) { targets in
      for index in predictions.indices {
        sum += function(Double(predictions[index]) - Double(targets[index]))
      }
    }
    add(sum, count: predictions.count)
  }
}
