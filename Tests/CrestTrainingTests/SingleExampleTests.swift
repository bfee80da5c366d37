import CrestData
import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

/// Batch norm learns nothing from one value a channel.
@Suite struct SingleExampleTests {
  /// The training batches of an epoch: how many examples each has.
  private func batches(of learner: Learner) throws -> [Int] {
    var counts: [Int] = []
    try learner.fit(
      epochs: 1,
      callbacks: [CallbackOf(.afterBatch { if $0.isTraining { counts.append($0.count) } })])
    return counts
  }

  /// Four numbers as two channels of two.
  struct Pairs: Layer {
    func trace(_ x: Symbol) throws -> Symbol { try x.reshaped(to: [-1, 2, 2]) }
  }

  private func learner(
    _ model: Model, examples: Int, batchSize: Int, shuffle: Bool = true
  ) throws -> Learner {
    try Learner(
      model, data: TinyData.split(train: examples), batchSize: batchSize, seed: 2,
      shuffle: shuffle)
  }

  @Test
  func `an example that is left over joins the batch before, where it alone would teach nothing`()
    throws
  {
    for (examples, size, expected) in [
      (21, 5, [5, 5, 5, 6]), (22, 5, [5, 5, 5, 5, 2]), (20, 5, [5, 5, 5, 5]), (6, 5, [6]),
      (3, 5, [3]), (5, 2, [2, 3]),
    ] {
      let learner = try learner(TinyModel.full(), examples: examples, batchSize: size)
      #expect(try batches(of: learner) == expected)
      #expect(learner.trainLoader.batchCount == expected.count)
      #expect(learner.stepsTaken == expected.count)
    }
    // Nothing that sees one value a channel: as ever.
    #expect(
      try batches(of: learner(TinyModel.linear(), examples: 21, batchSize: 5)) == [5, 5, 5, 5, 1])
    #expect(try batches(of: learner(TinyModel.linear(), examples: 3, batchSize: 1)) == [1, 1, 1])
    let images = try Model(input: [4], engine: Engine(threadCount: 1)) {
      Pairs()
      BatchNorm()
      Flatten()
      Dense(3)
    }
    #expect(try batches(of: learner(images, examples: 6, batchSize: 5)) == [5, 1])
  }

  @Test func `every example is seen once an epoch`() throws {
    for shuffle in [true, false] {
      let learner = try learner(TinyModel.full(), examples: 21, batchSize: 5, shuffle: shuffle)
      var seen: [[Float]] = []
      try learner.fit(
        epochs: 1,
        callbacks: [
          CallbackOf(
            .beforeBatch { batch in
              guard batch.isTraining else { return }
              let values = batch.inputs[0].withElements(as: Float.self) { Array($0) }
              for row in 0..<batch.count { seen.append(Array(values[4 * row..<4 * row + 4])) }
            })
        ])
      #expect(seen.count == 21)
      #expect(Set(seen).count == 21)
    }
  }

  @Test func `batches of one example are refused, and name the layer`() throws {
    for epochs in [1, 2] {
      let error = #expect(throws: LearnerError.self) {
        try learner(TinyModel.full(), examples: 22, batchSize: 1).fit(epochs: epochs)
      }
      #expect(
        error?.description
          == "batch norm in batch_norm: expected more than one value per channel in training, got batches of one "
          + "example; give a batch size of at least 2, or freeze these layers")
    }
    let single = #expect(throws: LearnerError.self) {
      try learner(TinyModel.full(), examples: 1, batchSize: 5).fit(epochs: 1)
    }
    #expect(
      single?.description
        == "batch norm in batch_norm: expected more than one value per channel in training, got "
        + "batches of one example, because the number of training examples is 1; give more, or freeze these "
        + "layers")
  }

  @Test func `a frozen batch norm takes any batch`() throws {
    let alone = try learner(TinyModel.full(), examples: 3, batchSize: 1)
    try alone.freeze(.matching("batch_norm.*"))
    #expect(try batches(of: alone) == [1, 1, 1])
    let left = try learner(TinyModel.full(), examples: 21, batchSize: 5)
    #expect(left.trainLoader.batchCount == 4)
    try left.freeze(.matching("batch_norm.*"))
    #expect(try batches(of: left) == [5, 5, 5, 5, 1])
    try left.unfreeze()
    #expect(try batches(of: left) == [5, 5, 5, 6])
  }

  @Test func `a run goes on in the larger batch, to the bit`() throws {
    var states: [RunState] = []
    let whole = try learner(TinyModel.full(), examples: 21, batchSize: 5)
    try whole.fit(
      epochs: 2, callbacks: [CallbackOf(.afterBatch { states.append(try $0.learner.runState()) })])
    for state in states {
      let again = try learner(TinyModel.full(), examples: 21, batchSize: 5)
      try again.fit(
        epochs: 2,
        callbacks: [
          CallbackOf(
            .beforeFit { $0.resume(from: try Learner.Resumption(path: "s", state: state)) })
        ])
      #expect(again.model.store.snapshot() == whole.model.store.snapshot())
    }
  }
}
