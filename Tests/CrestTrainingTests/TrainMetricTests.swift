import CrestData
import CrestLayers
import CrestRuntime
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct `Metrics of training` {
  private static func learner(
    trainMetrics: Bool = true, metrics: [any Metric] = [Accuracy(), MeanLoss()]
  ) throws -> Learner {
    try Learner(
      TinyModel.linear(), data: TinyData.split(train: 22), metrics: metrics,
      trainMetrics: trainMetrics, batchSize: 5, shuffle: false)
  }

  @Test func `are those of each batch, as it was trained on`() throws {
    let learner = try Self.learner()
    // With a rate this small, parameters don't change in a Float.
    try learner.fit(epochs: 1, learningRate: 1e-30)
    let measured = try learner.evaluate(on: learner.data.train)
    let train = try #require(learner.fitResult?.train)
    #expect(train["accuracy"] == measured["accuracy"])
    #expect(train["loss"] == measured["loss"])
    #expect(train.metrics.map(\.name) == ["accuracy", "loss"])
  }

  @Test func `are none unless asked for`() throws {
    let learner = try Self.learner(trainMetrics: false)
    try learner.fit(epochs: 1, learningRate: 0.1)
    #expect(learner.fitResult?.train?.metrics == [])
    #expect(learner.fitResult?.validation?.metrics.count == 2)
  }

  @Test func `change no bit of training`() throws {
    let bits = try [true, false].map { (isMeasured: Bool) -> ParameterStore.Snapshot in
      let learner = try Self.learner(trainMetrics: isMeasured)
      try learner.fit(epochs: 2, learningRate: 0.1)
      return learner.model.store.snapshot()
    }
    #expect(bits[0] == bits[1])
  }
}
