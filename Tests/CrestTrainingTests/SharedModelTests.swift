import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

@Suite("Learners that share a model") struct SharedModelTests {
  private static func learner(
    _ model: Model, _ optimizer: any Optimizer = SGD(), callbacks: [any Callback] = []
  ) throws -> Learner {
    try Learner(
      model, data: TinyData.split(), optimizer: optimizer, callbacks: callbacks, batchSize: 5,
      prefetch: 0)
  }

  /// The bits of two fits of one epoch, with `between` in between.
  private static func twoFits(
    _ between: (Learner) throws -> Void = { _ in }
  ) throws -> ParameterStore.Snapshot {
    let learner = try learner(TinyModel.full())
    try learner.fit(epochs: 1)
    try between(learner)
    try learner.fit(epochs: 1)
    return learner.snapshot().store
  }

  @Test(arguments: [SGD(), AdamW(), Lion()] as [any Optimizer])
  func `measuring with another learner leaves the moments alone`(_ optimizer: any Optimizer) throws
  {
    let alone = try Self.twoFits()
    let beside = try Self.twoFits { learner in
      let other = try Self.learner(learner.model, optimizer)
      _ = try other.evaluate()
      _ = try other.predict(on: TinyData.classes(7))
      other.restore(other.snapshot())
    }
    #expect(beside == alone)
  }

  @Test func `learners that train by turns keep their own moments and counts`() throws {
    let model = try TinyModel.full()
    let first = try Self.learner(model)
    let second = try Self.learner(model, AdamW())
    func moments(_ learner: Learner) throws -> [[Float]] {
      var found: [[Float]] = []
      try learner.fit(
        epochs: 1,
        callbacks: [
          CallbackOf(
            .beforeTrain { pass in
              let store = pass.learner.model.store
              found = (0..<store.momentCount).map { number in
                store.withBuffer(.moments(number)) { Array($0) }
              }
            })
        ])
      return found
    }
    #expect(try moments(first).allSatisfy { $0.allSatisfy { $0 == 0 } })
    let ofFirst = model.store.withBuffer(.moments(0)) { Array($0) }
    #expect(
      try moments(second)
        == [[Float]](repeating: .init(repeating: 0, count: ofFirst.count), count: 2))
    #expect(try moments(first) == [ofFirst])
    #expect(first.stepsTaken == 10)
    #expect(second.stepsTaken == 5)
  }

  @Test func `a snapshot is put back by any learner of the model with its optimiser`() throws {
    let model = try TinyModel.full()
    let first = try Self.learner(model)
    try first.fit(epochs: 1)
    let snapshot = first.snapshot()
    let second = try Self.learner(model)
    try second.fit(epochs: 1)
    second.restore(snapshot)
    #expect(second.snapshot().store == snapshot.store)
    #expect(second.stepsTaken == 5)
    try first.fit(epochs: 1)
    first.restore(snapshot)
    #expect(first.snapshot().store == snapshot.store)
  }

  @Test func `a callback is in one running fit at a time`() throws {
    let counter = CallbackOf(.afterBatch { _ in }, name: "Counter")
    let outer = try Self.learner(TinyModel.full(), callbacks: [counter])
    let inner = try Self.learner(TinyModel.full(), callbacks: [counter])
    let error = #expect(throws: LearnerError.self) {
      try outer.fit(
        epochs: 1, callbacks: [CallbackOf(.beforeTrain { _ in try inner.fit(epochs: 1) })])
    }
    #expect(
      error?.description
        == "the callback Counter is in a fit that is running; make one for each learner")
    // One after the other, it can be in both.
    try outer.fit(epochs: 1)
    try inner.fit(epochs: 1)
  }

  @Test func `another model can be trained in a hook`() throws {
    func run(_ hooks: Hook...) throws -> ParameterStore.Snapshot {
      let learner = try Self.learner(TinyModel.full())
      let callback = Nested(hooks)
      try learner.fit(epochs: 1, callbacks: [callback])
      return learner.snapshot().store
    }
    let alone = try run()
    let beside = try run(.afterBackward { _ in try Self.learner(TinyModel.full()).fit(epochs: 1) })
    #expect(beside == alone)
  }

  private final class Nested: Callback {
    let hooks: [Hook]
    init(_ hooks: [Hook]) { self.hooks = hooks }
  }
}
