// A metric of one's own.
import Crest
import Foundation

/// The largest distance between a prediction and its target.
struct WorstError: Metric {
  let name = "worst"
  let direction = MetricDirection.lowerIsBetter
  private(set) var value = Double.nan

  func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    predictions.shape == targets.shape ? nil : "predictions and targets of one shape are needed"
  }

  mutating func reset() { value = .nan }

  mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    batch.targets.withElements(as: Float.self) { targets in
      for place in predictions.indices {
        let distance = Double(abs(predictions[place] - targets[place]))
        value = value.isNaN ? distance : max(value, distance)
      }
    }
  }
}
