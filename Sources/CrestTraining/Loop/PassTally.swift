import CrestGraph
import CrestRuntime
import CrestState
import CrestTensor

/// Losses and metrics of a pass, batch by batch.
struct PassTally {
  /// What a tally holds, to be saved.
  struct Sums: Codable {
    let loss: Mean
    let elapsed: Duration
  }

  private var loss = Mean()
  private var metrics: [any Metric]
  private let classAxis: Int
  private let now: () -> Duration
  private let start: Duration

  /// A tally of nothing that begins now.
  init(_ metrics: [any Metric], classAxis: Int, now: @escaping () -> Duration) {
    self.metrics = metrics
    self.classAxis = classAxis
    for index in metrics.indices { self.metrics[index].reset() }
    self.now = now
    start = now()
  }

  /// A tally that continues a saved one.
  init(
    _ saved: Sums, metrics: [any Metric], classAxis: Int, now: @escaping () -> Duration
  ) {
    loss = saved.loss
    self.metrics = metrics
    self.classAxis = classAxis
    self.now = now
    start = now() - saved.elapsed
  }

  /// What it holds, but for the metrics.
  var sums: Sums { Sums(loss: loss, elapsed: now() - start) }

  /// What its metrics hold, by name.
  func savedMetrics() throws -> StateValue {
    .fields(
      Dictionary(
        uniqueKeysWithValues: try metrics.map { ($0.name, try StateValue(encoding: $0)) }))
  }

  /// Takes in the batch whose loss `program` has computed.
  mutating func add(_ program: Program, targets: Tensor, count: Int) {
    let batchLoss = Double(program.loss)
    loss.add(batchLoss * Double(count), count: count)
    if metrics.isEmpty { return }
    let batch = ScoredBatch(
      count: count, predictionShape: program.predictionType.shape, classAxis: classAxis,
      targets: targets, loss: batchLoss)
    program.withPredictions { predictions in
      for index in metrics.indices { metrics[index].update(predictions.span, batch) }
    }
  }

  /// Takes in the first examples of a batch that was filled up, for which `program` has kept the losses.
  ///
  /// - Returns: Their mean loss; nil when they couldn't be told apart: the losses must be those of single examples.
  mutating func add(_ program: Program, targets: Tensor, first count: Int) -> Double? {
    let shape = program.predictionType.shape
    let batchLoss = program.withRead(.losses) { type, bytes -> Double? in
      guard type.shape.first == shape.first, let size = type.shape.first else { return nil }
      let losses = bytes.bindMemory(to: Float.self).prefix(type.shape.elementCount / size * count)
      return losses.reduce(0) { $0 + Double($1) } / Double(losses.count)
    }
    guard let batchLoss else { return nil }
    loss.add(batchLoss * Double(count), count: count)
    if metrics.isEmpty { return batchLoss }
    let batch = ScoredBatch(
      count: count, predictionShape: Shape([count] + shape.dimensions.dropFirst()),
      classAxis: classAxis, targets: targets, loss: batchLoss)
    program.withPredictions { predictions in
      let rows = predictions.span.extracting(first: shape.elementCount / shape[0] * count)
      for index in metrics.indices { metrics[index].update(rows, batch) }
    }
    return batchLoss
  }

  /// What was taken in so far; nil when that is nothing.
  var result: FitResult.Pass? {
    guard loss.count > 0 else { return nil }
    return FitResult.Pass(
      exampleCount: loss.count, loss: loss.value,
      metrics: metrics.map { .init(name: $0.name, value: $0.value) },
      duration: now() - start)
  }
}
