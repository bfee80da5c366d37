import CrestGraph
import CrestLayers
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
  mutating func add(_ program: Program, targets: Tensor, count: Int, of kind: Loss) {
    let batch = ScoredBatch(
      count: count, predictionShape: program.predictionType.shape, classAxis: classAxis,
      targets: targets,
      loss: kind.reduction == .sum ? Double(program.loss) / Double(count) : Double(program.loss),
      lossWeight: program.lossWeight.map(Double.init), ignoredLabel: kind.traits.ignoredLabel)
    loss.add(batch.loss, of: batch)
    if metrics.isEmpty { return }
    program.withPredictions { predictions in
      for index in metrics.indices { metrics[index].update(predictions.span, batch) }
    }
  }

  /// Takes in the first examples of a batch that was filled up, for which `program` has kept the losses.
  ///
  /// - Returns: Their loss, which isn't minimised; nil when they couldn't be told apart: the losses must be those of
  ///   single examples.
  mutating func add(
    _ program: Program, targets: Tensor, first count: Int, of kind: Loss
  ) -> Double? {
    let shape = program.predictionType.shape
    let losses = program.read(.losses)
    guard losses.shape.first == shape.first, let size = losses.shape.first else { return nil }
    /// The sum over the first examples, and how many elements it is of.
    func first(_ values: Tensor) -> (sum: Double, count: Int) {
      values.withElements(as: Float.self) { elements in
        let own = elements.prefix(values.elementCount / size * count)
        return (own.reduce(0) { $0 + Double($1) }, own.count)
      }
    }
    let (sum, elementCount) = first(losses)
    let weight = program.lossWeights.map { first($0).sum }
    let batch = ScoredBatch(
      count: count, predictionShape: Shape([count] + shape.dimensions.dropFirst()),
      classAxis: classAxis, targets: targets,
      loss: kind.reduction == .sum
        ? sum / Double(count) : weight.map { $0 == 0 ? 0 : sum / $0 } ?? sum / Double(elementCount),
      lossWeight: weight, ignoredLabel: kind.traits.ignoredLabel)
    loss.add(batch.loss, of: batch)
    let result = kind.reduction == .sum ? sum : batch.loss
    if metrics.isEmpty { return result }
    program.withPredictions { predictions in
      let rows = predictions.span.extracting(first: shape.elementCount / shape[0] * count)
      for index in metrics.indices { metrics[index].update(rows, batch) }
    }
    return result
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
