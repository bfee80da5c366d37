// A metric of one's own that needs all predictions at once.
import Crest
import Foundation

/// The median distance between a prediction and its target, over all examples.
struct MedianError: Metric {
  let name = "median-error"
  let direction = MetricDirection.lowerIsBetter
  private var distances: [Float] = []

  var value: Double {
    distances.isEmpty ? .nan : Double(distances.sorted()[(distances.count - 1) / 2])
  }

  mutating func reset() { distances = [] }

  mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    batch.targets.withElements(as: Float.self) { targets in
      for place in predictions.indices {
        distances.append(abs(predictions[place] - targets[place]))
      }
    }
  }
}

func learner(_ model: Model, _ data: DataSplit) throws -> Learner {
  try Learner(model, data: data, metrics: [MedianError()], trainMetrics: true)
}
