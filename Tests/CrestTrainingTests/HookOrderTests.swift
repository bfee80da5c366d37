import CrestTraining
import Testing
import TrainingTestSupport

struct HookOrderTests {
  static let trainingBatch = [
    "beforeBatch", "afterPrediction", "afterLoss", "beforeBackward", "afterBackward", "beforeStep",
    "afterStep", "afterBatch",
  ]
  static let validationBatch = [
    "v:beforeBatch", "v:afterPrediction", "v:afterLoss", "v:afterBatch",
  ]
  static let epoch =
    ["beforeEpoch", "beforeTrain"] + trainingBatch + trainingBatch
    + ["afterTrain", "beforeValidate"] + validationBatch + ["afterValidate", "afterEpoch"]

  /// Two batches to learn from and one to measure by.
  static func learner(callbacks: [any Callback] = []) throws -> Learner {
    try Learner(
      TinyModel.full(), data: TinyData.split(train: 7, valid: 4), callbacks: callbacks,
      batchSize: 4)
  }

  @Test func `hooks are called in the documented order`() throws {
    let trace = Trace()
    let outcome = try Self.learner(callbacks: [trace]).fit(epochs: 2)
    #expect(outcome.isFinished)
    #expect(trace.entries == ["beforeFit"] + Self.epoch + Self.epoch + ["afterFit"])
  }

  @Test func `within a hook, orders decide, then the order of adding, the same before and after`()
    throws
  {
    var calls: [String] = []
    let note = { (call: String) in calls.append(call) }
    let callbacks = [("a", 5), ("b", -1), ("c", 5), ("d", 0), ("e", 5)].map { name, order in
      Trace(name: name, order: order, log: note)
    }
    let learner = try Self.learner(callbacks: Array(callbacks.prefix(3)))
    try learner.fit(epochs: 1, callbacks: Array(callbacks.suffix(2)))
    for hook in ["beforeFit", "afterLoss", "afterBatch", "afterFit"] {
      let order = calls.filter { $0.hasSuffix("." + hook) }.prefix(5).map { String($0.prefix(1)) }
      #expect(order == ["b", "d", "a", "c", "e"], "\(hook)")
    }
  }

  @Test func `a callback's hooks are asked for once a fit`() throws {
    final class Counted: Callback {
      var asked = 0
      var hooks: [Hook] {
        asked += 1
        return [.afterBatch { _ in }]
      }
    }
    let counted = Counted()
    let learner = try Self.learner(callbacks: [counted])
    try learner.fit(epochs: 2)
    #expect(counted.asked == 1)
    try learner.fit(epochs: 1)
    #expect(counted.asked == 2)
  }

  @Test func `a callback lives no longer than its fit`() throws {
    let learner = try Self.learner()
    weak var gone: Trace?
    do {
      let trace = Trace()
      gone = trace
      try learner.fit(epochs: 1, callbacks: [trace])
    }
    #expect(gone == nil)
  }

  @Test func `a removed callback is not called`() throws {
    let (kept, removed) = (Trace(), Trace())
    let learner = try Self.learner()
    learner.add(kept)
    learner.add(removed)
    learner.remove(removed)
    try learner.fit(epochs: 1)
    #expect(removed.entries.isEmpty)
    #expect(!kept.entries.isEmpty)
  }

  @Test func `contexts tell where training is`() throws {
    var seen: [String] = []
    let callback = CallbackOf(
      .afterBatch { batch in
        seen.append(
          "\(batch.pass.purpose) \(batch.epoch) \(batch.index)/\(batch.pass.batchCount) "
            + "\(batch.count) \(batch.step)/\(batch.fit.stepCount)")
      })
    let learner = try Self.learner()
    try learner.fit(epochs: 2, callbacks: [callback])
    #expect(
      seen == [
        "training 0 0/2 4 0/4", "training 0 1/2 3 1/4", "validation 0 0/1 4 2/4",
        "training 1 0/2 4 2/4", "training 1 1/2 3 3/4", "validation 1 0/1 4 4/4",
      ])
    #expect(learner.stepsTaken == 4)
    #expect(learner.epochsBegun == 2)
  }

  @Test func `a loss is not a number before it is computed`() throws {
    var losses: [Bool] = []
    let callback = CallbackOf(
      .beforeBatch { losses.append($0.loss.isNaN) }, .afterLoss { losses.append($0.loss.isNaN) })
    try Self.learner().fit(epochs: 1, callbacks: [callback])
    #expect(losses == [true, false, true, false, true, false])
  }

  @Test func `the loop describes itself`() throws {
    let learner = try Self.learner(callbacks: [
      CallbackOf(.afterEpoch { _ in }, .beforeBatch { _ in }, name: "Late", order: 1)
    ])
    let text = try learner.describe(callbacks: [
      CallbackOf(.beforeBatch { _ in }, .afterLoss { _ in }, .beforeStep { _ in }, name: "Early")
    ])
    #expect(
      text == """
        fit
          epoch
            train
              batch
                beforeBatch: Early, Late
                forward
                loss
                afterLoss: Early
                backward
                  gradients
                step
                  beforeStep: Early
                  optimizer
            validate
              batch
                beforeBatch: Early, Late
                forward
                loss
                afterLoss: Early
            afterEpoch: Late
        """)
  }
}
