import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

struct DeterminismTests {
  /// Losses and the end state of a run over everything that draws numbers.
  private static func run(
    threads: Int = 1, prefetch: Int = 0, seed: UInt64 = 3, optimizer: any Optimizer = SGD()
  ) throws -> (losses: [Float], end: ParameterStore.Snapshot) {
    let learner = try Learner(
      TinyModel.full(threads: threads), data: TinyData.split(), optimizer: optimizer,
      metrics: [Accuracy()], batchSize: 5, seed: seed, prefetch: prefetch)
    var losses: [Float] = []
    try learner.fit(epochs: 3, callbacks: [CallbackOf(.afterLoss { losses.append($0.loss) })])
    return (losses, learner.model.store.snapshot())
  }

  @Test func `the same seed gives the same bits twice, another seed others`() throws {
    let first = try Self.run()
    let second = try Self.run()
    #expect(first.losses == second.losses)
    #expect(first.end == second.end)
    let other = try Self.run(seed: 4)
    #expect(first.losses != other.losses)
  }

  @Test(arguments: [1, 2, 3, 5, 8], [0, 4])
  func `threads and prefetch make no difference to a bit`(threads: Int, prefetch: Int) throws {
    for optimizer in [SGD(), AdamW()] as [any Optimizer] {
      let expected = try Self.run(optimizer: optimizer)
      let got = try Self.run(threads: threads, prefetch: prefetch, optimizer: optimizer)
      #expect(got.losses == expected.losses, "\(optimizer.name)")
      #expect(got.end == expected.end, "\(optimizer.name)")
    }
  }

  @Test func `a second fit goes on where the first ended`() throws {
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(), batchSize: 5, prefetch: 0)
    var targets: [[Int64]] = []
    let watch = CallbackOf(
      .beforeBatch { batch in
        if batch.isTraining { targets.append(batch.targets.array(as: Int64.self)) }
      })
    try learner.fit(epochs: 1, callbacks: [watch])
    let moments = learner.model.store.withBuffer(.moments(0)) { Array($0) }
    var kept: [Float] = []
    try learner.fit(
      epochs: 1,
      callbacks: [
        watch,
        CallbackOf(
          .beforeTrain { pass in
            kept = pass.learner.model.store.withBuffer(.moments(0)) { Array($0) }
          }),
      ])
    #expect(kept == moments)
    #expect(targets.prefix(5).flatMap { $0 } != targets.suffix(5).flatMap { $0 }, "a new order")
    #expect(learner.stepsTaken == 10)

    let twice = try Learner(
      TinyModel.full(), data: TinyData.split(), batchSize: 5, prefetch: 0)
    try twice.fit(epochs: 2)
    #expect(twice.model.store.snapshot() == learner.model.store.snapshot())
  }

  @Test func `a snapshot puts back all that training changes`() throws {
    let learner = try Learner(TinyModel.full(), data: TinyData.split(), batchSize: 5)
    try learner.fit(epochs: 1)
    let snapshot = learner.snapshot()
    var first: [Float] = []
    try learner.fit(epochs: 2, callbacks: [CallbackOf(.afterLoss { first.append($0.loss) })])
    let end = learner.model.store.snapshot()

    learner.restore(snapshot)
    #expect(learner.model.store.snapshot() == snapshot.store)
    #expect(learner.stepsTaken == 5)
    #expect(learner.batchesTrained == 5)
    #expect(learner.epochsBegun == 1)
    var second: [Float] = []
    try learner.fit(epochs: 2, callbacks: [CallbackOf(.afterLoss { second.append($0.loss) })])
    #expect(first == second)
    #expect(learner.model.store.snapshot() == end)
  }

  @Test(arguments: ["returns", "throws", "interrupted"])
  func `a rehearsal is undone after all hooks, however it ends`(ending: String) throws {
    final class Counter: StatefulCallback {
      var state = 0
      var hooks: [Hook] { [.afterBatch(count), .afterFit { _ in self.state += 100 }] }
      private func count(_ batch: BatchContext) { state += 1 }
    }
    let counter = Counter()
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(), callbacks: [counter], batchSize: 5)
    try learner.fit(epochs: 1)
    let before = (learner.snapshot(), counter.state)
    let rehearsal = CallbackOf(
      .beforeFit { $0.restoreWhenEnded($0.learner.snapshot()) },
      .afterStep { batch in
        guard batch.step == 3 else { return }
        if ending == "throws" { throw Mishap("broken") }
        if ending == "interrupted" { batch.learner.interruption.raise() }
      }, order: .min)
    if ending == "throws" {
      #expect(throws: Mishap("broken")) { try learner.fit(epochs: 1, callbacks: [rehearsal]) }
    } else {
      try learner.fit(epochs: 1, callbacks: [rehearsal])
    }
    #expect(learner.model.store.snapshot() == before.0.store)
    #expect(learner.stepsTaken == before.0.stepsTaken)
    #expect(learner.epochsBegun == before.0.epochsBegun)
    #expect(counter.state == before.1)
  }
}
