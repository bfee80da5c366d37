import CrestGraph
import CrestRuntime
import CrestTensor

/// Losses and metrics of a pass, batch by batch.
struct PassTally {
  private var loss = Mean()
  private var metrics: [any Metric]
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant

  /// A tally of nothing that begins now.
  init(_ metrics: [any Metric]) {
    self.metrics = metrics
    for index in metrics.indices { self.metrics[index].reset() }
    start = clock.now
  }

  /// Takes in the batch whose loss `program` has computed.
  mutating func add(_ program: Program, targets: Tensor, count: Int) {
    let batchLoss = Double(program.loss)
    loss.add(batchLoss * Double(count), count: count)
    if metrics.isEmpty { return }
    let batch = ScoredBatch(
      count: count, predictionShape: program.predictionType.shape, targets: targets,
      loss: batchLoss)
    program.withPredictions { predictions in
      for index in metrics.indices { metrics[index].update(predictions.span, batch) }
    }
  }

  /// What was taken in so far; nil when that is nothing.
  var result: PassResult? {
    guard loss.count > 0 else { return nil }
    return PassResult(
      exampleCount: loss.count, loss: loss.value,
      metrics: metrics.map { .init(name: $0.name, value: $0.value) },
      duration: clock.now - start)
  }
}
