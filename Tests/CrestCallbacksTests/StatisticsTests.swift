import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

/// What callbacks measure of gradients, activations and predictions.
@Suite struct StatisticsTests {
  private func learner(_ callbacks: [any Callback], batchSize: Int = 5) throws -> Learner {
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(), callbacks: callbacks, batchSize: batchSize,
      prefetch: 0)
    learner.now = { .zero }
    return learner
  }

  @Test func `norm and largest gradient of each layer are those that the optimiser gets`() throws {
    let folder = try TemporaryFolder()
    let statistics = try GradientStatistics(every: 3, path: folder["gradients.jsonl"].path)
    var expected: [Int: [String: [Float]]] = [:]
    let watch = CallbackOf(
      .beforeStep { batch in
        let store = batch.learner.model.store
        for entry in store.parameters {
          let layer = entry.name.prefix { $0 != "." }
          let values = store.withBuffer(.gradients) { Array($0[entry.range]) }
          expected[batch.step, default: [:]][String(layer), default: []] += values
        }
      }, name: "Watch", order: CallbackOrder.gradients)
    var reported: [Double?] = []
    let reports = CallbackOf(
      .afterBatch { if $0.isTraining { reported.append($0.reports["gradient_norm"]) } },
      name: "Reports")
    let learner = try learner([
      try GradientAccumulation(batches: 2), statistics, watch, reports,
      try GradientClip(maximum: 1e-3),
    ])
    try learner.fit(epochs: 3, learningRate: 0.1)
    #expect(statistics.steps.map(\.step) == [0, 3, 6])
    #expect(statistics.steps[0].layers.map(\.path) == ["dense", "batch_norm", "dense_1"])
    for step in statistics.steps {
      for layer in step.layers {
        let values = try #require(expected[step.step]?[layer.path])
        let squares = values.reduce(0) { $0 + Double($1) * Double($1) }
        #expect(abs(layer.norm - squares.squareRoot()) <= 1e-12)
        #expect(layer.largest == values.map(abs).max())
        #expect(layer.nonFiniteCount == 0)
      }
    }
    #expect(reported.compactMap(\.self) == statistics.steps.map(\.norm))
    let lines = try String(contentsOf: folder["gradients.jsonl"], encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 9)
    let first = try JSONSerialization.jsonObject(with: Data(lines[0].utf8)) as? [String: Any]
    #expect(first?["layer"] as? String == "dense" && first?["step"] as? Int == 0)
    #expect(first?["norm"] as? Double == statistics.steps[0].layers[0].norm)
  }

  @Test func `gradients that aren't finite are counted, and leave the norm finite`() throws {
    let spoil = CallbackOf(
      .afterBackward { batch in
        batch.learner.model.store.withBuffer(.gradients) { gradients in
          gradients[0] = .infinity
          gradients[1] = .nan
        }
      }, name: "Spoil")
    let skip = CallbackOf(
      .beforeStep { _ in throw Cancel(.step, reason: "spoilt") }, name: "Skip", order: .max)
    let statistics = try GradientStatistics()
    try learner([spoil, statistics, skip]).fit(epochs: 1, learningRate: 0.1)
    let first = try #require(statistics.steps.first?.layers.first)
    #expect(first.nonFiniteCount == 2 && first.norm.isFinite && first.largest.isFinite)
  }

  @Test func `of many steps some are kept, evenly spread`() throws {
    let statistics = try GradientStatistics()
    try learner([statistics]).fit(epochs: 250, learningRate: 1e-3)
    // 1250 steps: every fourth.
    #expect(statistics.steps.map(\.step) == Array(stride(from: 0, to: 1250, by: 4)))
  }

  @Test func `activations have their mean, deviation, share near zero and histogram`() throws {
    let folder = try TemporaryFolder()
    let stats = try ActivationStats(
      ["relu", "dense_1"], every: 2, path: folder["activations.jsonl"].path)
    var expected: [[Float]] = []
    let watch = CallbackOf(
      .afterPrediction { batch in
        if batch.isTraining, batch.step % 2 == 0 {
          expected.append(batch.read(.activation("relu")).array(as: Float.self))
        }
      }, name: "Watch", reads: [.activation("relu")])
    try learner([stats, watch]).fit(epochs: 1, learningRate: 0.1)
    #expect(stats.steps.map(\.step) == [0, 2, 4])
    for (step, values) in zip(stats.steps, expected) {
      let layer = step.layers[0]
      let doubles = values.map(Double.init)
      let mean = doubles.reduce(0, +) / Double(doubles.count)
      let squares = doubles.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      #expect(abs(layer.mean - mean) < 1e-12)
      #expect(abs(layer.deviation - (squares / Double(doubles.count - 1)).squareRoot()) < 1e-12)
      let near = doubles.count { abs($0) <= 0.05 }
      #expect(layer.nearZero == Double(near) / Double(doubles.count))
      #expect(layer.histogram.count == 40)
      #expect(layer.histogram.reduce(0, +) == doubles.count { (0...10).contains($0) })
      #expect(layer.histogram[1] == doubles.count { $0 >= 0.25 && $0 < 0.5 })
    }
    let lines = try String(contentsOf: folder["activations.jsonl"], encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 6)
  }

  @Test func `a layer that isn't there is named`() throws {
    let learner = try learner([ActivationStats(["conv9"])])
    let error = #expect(throws: ProgramError.self) {
      try learner.fit(epochs: 1, learningRate: 0.1)
    }
    #expect(
      error?.description
        == "activation \"conv9\": expected a layer of the model, one of dense, batch_norm, relu, dropout, dense_1; "
        + "correct the name")
  }

  @Test func `predictions, targets and losses are those of validation, in the set's order`() throws
  {
    let gather = try GatherPredictions()
    let learner = try learner([gather])
    try learner.fit(epochs: 2, learningRate: 0.1)
    #expect(gather.count == 9)
    #expect(gather.predictions == (try learner.predict(on: learner.data.valid)))
    #expect(gather.targets.doubles == gather.targets.doubles.map { $0.rounded() })
    #expect(gather.targets.shape == [9])
    let mean = gather.losses.doubles.reduce(0, +) / 9
    let loss = try #require(learner.fitResult?.validation?.loss)
    #expect(abs(mean - loss) <= 1e-6)
    // −log softmax of the label's logit.
    for row in 0..<9 {
      let logits = Array(gather.predictions.doubles[3 * row..<3 * row + 3])
      let label = Int(gather.targets.doubles[row])
      let sum = logits.reduce(0) { $0 + exp($1) }
      #expect(abs(gather.losses.doubles[row] - (log(sum) - logits[label])) <= 1e-5)
    }
  }

  @Test func `more bytes than may be kept are refused`() throws {
    // 9 examples of 3 predictions, a target and a loss: 24 bytes each.
    try learner([GatherPredictions(limit: 216)]).fit(epochs: 1, learningRate: 0.1)
    let error = #expect(throws: CallbackError.self) {
      try learner([GatherPredictions(limit: 215)]).fit(epochs: 1, learningRate: 0.1)
    }
    #expect(
      error?.description
        == "GatherPredictions: limit is 215, expected at least 216 bytes for the first 9 examples of validation, or "
        + "fewer batches (LimitBatches)")
  }

  @Test(arguments: [(0.5, 4.0), (0.25, 16.0), (1, 1.0)])
  func `the noise scale is the variance over the squared mean`(mean: Double, expected: Double)
    throws
  {
    // Each example's gradient is uniform around `mean` with variance 1; of all parameters.
    let scale = try GradientNoiseScale(window: 4, decay: 0.99)
    let random = Philox(seed: 3, stream: Philox.Stream.split)
    var drawn: UInt64 = 0
    let set = CallbackOf(
      .afterBackward { batch in
        batch.learner.model.store.withBuffer(.gradients) { gradients in
          for index in gradients.indices {
            var sum = 0.0
            for _ in 0..<batch.count {
              sum += mean + (2 * Double(random.uniform(drawn)) - 1) * 3.0.squareRoot()
              drawn += 1
            }
            gradients[index] = Float(sum / Double(batch.count))
          }
        }
      }, name: "Set")
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(train: 20), callbacks: [set, scale], batchSize: 5)
    #expect(scale.scale == nil)
    try learner.fit(epochs: 800, learningRate: 1e-9)
    let found = try #require(scale.scale)
    #expect(abs(found / expected - 1) < 0.25, "\(found)")
    #expect(learner.fitResult?.reports["noise_scale"] == found)
  }

  @Test func `equal gradients have no noise, and the last batch of an epoch begins a new window`()
    throws
  {
    let set = CallbackOf(
      .afterBackward { batch in
        batch.learner.model.store.withBuffer(.gradients) { $0.update(repeating: 1) }
      }, name: "Set")
    let (even, odd) = (try GradientNoiseScale(window: 2), try GradientNoiseScale(window: 6))
    // 22 examples: four batches of 5 and one of 2.
    try learner([set, even]).fit(epochs: 2, learningRate: 1e-9)
    try learner([set, odd]).fit(epochs: 2, learningRate: 1e-9)
    #expect(even.scale == 0)
    #expect(odd.scale == nil)
  }

  @Test func `a timer adds up the passes`() throws {
    var seconds = 0.0
    let timer = PassTimer()
    let learner = try learner([timer])
    learner.now = {
      seconds += 1
      return .seconds(seconds)
    }
    try learner.fit(epochs: 3, learningRate: 0.1)
    let results = try #require(learner.fitResult)
    #expect(results.reports["training_seconds"] == timer.state.trainingSeconds)
    #expect(results.reports["validation_seconds"] == timer.state.validationSeconds)
    #expect(timer.state.trainingSeconds >= 3 && timer.state.validationSeconds >= 3)
  }

  @Test func `numbers without a meaning are refused`() {
    let rows: [(String, () throws(CallbackError) -> Void)] = [
      (
        "GradientStatistics: every is 0, expected at least 1 step",
        { () throws(CallbackError) in _ = try GradientStatistics(every: 0) }
      ),
      (
        "ActivationStats: layers is empty, expected paths of layers, each once",
        { () throws(CallbackError) in _ = try ActivationStats([]) }
      ),
      (
        "ActivationStats: layers is a, a, expected paths of layers, each once",
        { () throws(CallbackError) in _ = try ActivationStats(["a", "a"]) }
      ),
      (
        "ActivationStats: every is 0, expected at least 1 step",
        { () throws(CallbackError) in _ = try ActivationStats(["a"], every: 0) }
      ),
      (
        "GradientNoiseScale: window is 1, expected from 2 to 1048576 batches",
        { () throws(CallbackError) in _ = try GradientNoiseScale(window: 1) }
      ),
      (
        "GradientNoiseScale: decay is 1.0, expected a number from 0 to below 1",
        { () throws(CallbackError) in _ = try GradientNoiseScale(decay: 1) }
      ),
      (
        "GatherPredictions: limit is 0, expected at least 1 byte",
        { () throws(CallbackError) in _ = try GatherPredictions(limit: 0) }
      ),
    ]
    for (message, make) in rows {
      #expect(#expect(throws: CallbackError.self) { try make() }?.description == message)
    }
  }
}
