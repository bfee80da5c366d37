import CrestLayers
import CrestRuntime
import CrestTraining
import Testing
import TrainingTestSupport

struct CancelTests {
  /// A callback that throws, at most once, from a hook.
  private static func thrower(_ hook: String, _ error: any Error) -> Trace {
    var isDone = false
    return Trace(name: "Thrower", order: -1) { name in
      guard name == hook, !isDone else { return }
      isDone = true
      throw error
    }
  }

  private static let trainingBatch = HookOrderTests.trainingBatch
  private static let validation =
    ["beforeValidate"] + HookOrderTests.validationBatch + ["afterValidate"]

  /// Where each phase is cancelled from, and the hooks of an epoch that follow the throwing one.
  static let cases: [(phase: Phase, hook: String, epoch: [String])] = [
    (
      .step, "beforeStep",
      ["beforeEpoch", "beforeTrain"] + trainingBatch.prefix(6)
        + ["afterStep (step cancelled)", "afterBatch"] + trainingBatch
        + ["afterTrain"] + validation + ["afterEpoch"]
    ),
    (
      .backward, "beforeBackward",
      ["beforeEpoch", "beforeTrain"] + trainingBatch.prefix(4)
        + ["afterBackward (backward cancelled)", "beforeStep", "afterStep", "afterBatch"]
        + trainingBatch + ["afterTrain"] + validation + ["afterEpoch"]
    ),
    (
      .batch, "afterLoss",
      ["beforeEpoch", "beforeTrain", "beforeBatch", "afterPrediction", "afterLoss"]
        + ["afterBatch (batch cancelled)"] + trainingBatch + ["afterTrain"] + validation
        + ["afterEpoch"]
    ),
    (
      .train, "beforeStep",
      ["beforeEpoch", "beforeTrain"] + trainingBatch.prefix(6)
        + ["afterStep (train cancelled)", "afterBatch (train cancelled)"]
        + ["afterTrain (train cancelled)"] + validation + ["afterEpoch"]
    ),
    (
      .validate, "beforeValidate",
      ["beforeEpoch", "beforeTrain"] + trainingBatch + trainingBatch
        + ["afterTrain", "beforeValidate", "afterValidate (validate cancelled)", "afterEpoch"]
    ),
    (
      .epoch, "afterPrediction",
      ["beforeEpoch", "beforeTrain", "beforeBatch", "afterPrediction"]
        + ["afterBatch (epoch cancelled)", "afterTrain (epoch cancelled)"]
        + ["afterEpoch (epoch cancelled)"]
    ),
  ]

  @Test(arguments: cases.indices)
  func `a cancelled phase closes all phases inside it and the rest goes on`(index: Int) throws {
    let (phase, hook, epoch) = Self.cases[index]
    let thrower = Self.thrower(hook, Cancel(phase, reason: "a test"))
    let learner = try HookOrderTests.learner(callbacks: [thrower])
    let outcome = try learner.fit(epochs: 2)
    #expect(outcome.isFinished)
    #expect(thrower.entries == ["beforeFit"] + epoch + HookOrderTests.epoch + ["afterFit"])
  }

  @Test(arguments: [
    "beforeFit", "beforeEpoch", "beforeTrain", "beforeBatch", "afterPrediction", "afterLoss",
    "beforeBackward", "afterBackward", "beforeStep", "afterStep", "afterBatch", "afterTrain",
    "beforeValidate", "v:beforeBatch", "v:afterLoss", "v:afterBatch", "afterValidate",
    "afterEpoch",
  ])
  func `a fit is cancelled from any hook, and says by whom and why`(hook: String) throws {
    let thrower = Self.thrower(hook, Cancel(.fit, reason: "a test"))
    let watcher = Trace()
    let learner = try HookOrderTests.learner(callbacks: [thrower, watcher])
    guard case .cancelled(let cancellation) = try learner.fit(epochs: 2) else {
      Issue.record("the fit was not cancelled")
      return
    }
    #expect(cancellation.description == "fit cancelled by Thrower: a test")
    expectClosed(thrower)
    expectClosed(watcher)
    #expect(thrower.entries.last == "afterFit (fit cancelled)")
    try expectUsable(learner)
  }

  @Test(arguments: [
    "beforeFit", "beforeTrain", "beforeBatch", "afterLoss", "afterBackward", "beforeStep",
    "afterBatch", "v:afterPrediction", "afterValidate", "afterEpoch", "afterFit",
  ])
  func `an error leaves the fit as it is, after all after hooks`(hook: String) throws {
    let thrower = Self.thrower(hook, Mishap("broken"))
    let watcher = Trace()
    let learner = try HookOrderTests.learner(callbacks: [thrower, watcher])
    #expect(throws: Mishap("broken")) { try learner.fit(epochs: 2) }
    #expect(learner.errorsWhileEnding.isEmpty)
    expectClosed(thrower)
    expectClosed(watcher)
    if hook != "afterFit" { #expect(thrower.entries.last == "afterFit (failed: broken)") }
    try expectUsable(learner)
  }

  @Test func `an error while ending does not hide the first, and is kept`() throws {
    let callback = Trace { hook in
      if hook == "afterLoss" { throw Mishap("first") }
      if hook == "afterTrain" { throw Mishap("second") }
      if hook == "afterFit" { throw Mishap("third") }
    }
    let last = Trace(name: "Last", order: 1)
    let learner = try HookOrderTests.learner(callbacks: [callback, last])
    #expect(throws: Mishap("first")) { try learner.fit(epochs: 1) }
    #expect(learner.errorsWhileEnding.map { "\($0)" } == ["second", "third"])
    expectClosed(last)
    learner.remove(callback)
    try learner.fit(epochs: 1)
    #expect(learner.errorsWhileEnding.isEmpty)
  }

  @Test func `an error counts more than a cancel, and an outer cancel more than an inner`() throws {
    let failing = Trace { hook in
      if hook == "beforeStep" { throw Cancel(.fit, reason: "enough") }
      if hook == "afterBatch" { throw Mishap("broken") }
    }
    #expect(throws: Mishap("broken")) {
      try HookOrderTests.learner(callbacks: [failing]).fit(epochs: 1)
    }
    let cancelling = Trace { hook in
      if hook == "afterLoss" { throw Cancel(.train, reason: "inner") }
      if hook == "afterBatch" { throw Cancel(.fit, reason: "outer") }
    }
    let learner = try HookOrderTests.learner(callbacks: [cancelling])
    guard case .cancelled(let cancellation) = try learner.fit(epochs: 1) else {
      Issue.record("the fit was not cancelled")
      return
    }
    #expect(cancellation.description == "fit cancelled by Trace: outer")
  }

  @Test func `a callback whose turn did not come gets no after hook`() throws {
    let first = Trace(name: "First", order: -2)
    let thrower = Self.thrower("beforeEpoch", Cancel(.epoch, reason: "a test"))
    let last = Trace(name: "Last", order: 1)
    try HookOrderTests.learner(callbacks: [first, thrower, last]).fit(epochs: 1)
    for callback in [first, thrower] {
      #expect(
        callback.entries == [
          "beforeFit", "beforeEpoch", "afterEpoch (epoch cancelled)", "afterFit",
        ])
    }
    #expect(last.entries == ["beforeFit", "afterFit"])
  }

  @Test(arguments: [
    (Phase.validate, "afterLoss"), (.step, "beforeBackward"), (.epoch, "afterEpoch"),
  ])
  func `a phase that is not running can't be cancelled`(phase: Phase, hook: String) throws {
    let thrower = Self.thrower(hook, Cancel(phase, reason: "a test"))
    let learner = try HookOrderTests.learner(callbacks: [thrower])
    #expect(
      throws: LearnerError.cancelOutOfPlace(phase, callback: "Thrower", reason: "a test")
    ) { try learner.fit(epochs: 1) }
    expectClosed(thrower)
  }

  @Test func `a cancelled step keeps the parameters, a cancelled batch the step's number`() throws {
    let learner = try HookOrderTests.learner()
    let store = learner.model.store
    let parameters = store.parameters.map(store.value)
    let statistics = store.statistics.map(store.value)
    let steps = Self.cancelAlways(.step, in: "beforeStep")
    try learner.fit(epochs: 1, callbacks: [steps])
    #expect(learner.stepsTaken == 0)
    #expect(store.parameters.map(store.value) == parameters)
    #expect(store.statistics.map(store.value) != statistics, "the batches went through the model")
    let after = store.snapshot()
    let batches = Self.cancelAlways(.batch, in: "beforeBatch")
    try learner.fit(epochs: 1, callbacks: [batches])
    #expect(store.snapshot() == after)
  }

  private static func cancelAlways(_ phase: Phase, in hook: String) -> Trace {
    Trace { if $0 == hook { throw Cancel(phase, reason: "always") } }
  }

  // MARK: Interruption

  @Test(arguments: ["beforeFit", "beforeBatch", "afterStep", "v:afterLoss", "afterEpoch"])
  func `an interruption ends the fit between batches, after all after hooks`(hook: String) throws {
    let learner = try HookOrderTests.learner()
    let flag = learner.interruption
    var isRaised = false
    let trace = Trace { name in
      guard name == hook, !isRaised else { return }
      isRaised = true
      flag.raise()
    }
    guard case .interrupted = try learner.fit(epochs: 3, callbacks: [trace]) else {
      Issue.record("the fit was not interrupted")
      return
    }
    expectClosed(trace)
    #expect(trace.entries.last == "afterFit (interrupted)")
    #expect(!flag.isRaised)
    #expect(
      !trace.entries.contains { $0.hasPrefix("afterBatch (") }, "the batch in work is finished")
    try expectUsable(learner)
  }

  @Test func `an interruption before a fit ends it before its first batch`() throws {
    let learner = try HookOrderTests.learner()
    let before = learner.snapshot().store
    let trace = Trace()
    learner.interruption.raise()
    guard case .interrupted = try learner.fit(epochs: 1, callbacks: [trace]) else {
      Issue.record("the fit was not interrupted")
      return
    }
    #expect(!trace.entries.contains("beforeBatch"))
    #expect(learner.snapshot().store == before)
  }

  @Test func `an interruption ends with its fit, also when a hook throws`() throws {
    struct Refusal: Error {}
    let hooks: [Hook] = [
      .beforeInterruption { _ in throw Refusal() }, .afterBatch { _ in throw Refusal() },
      .afterTrain { _ in throw Refusal() }, .afterEpoch { _ in throw Refusal() },
      .afterFit { _ in throw Refusal() },
    ]
    for hook in hooks {
      let learner = try HookOrderTests.learner()
      #expect(throws: Refusal.self) {
        try learner.fit(
          epochs: 2,
          callbacks: [CallbackOf(.afterLoss { $0.learner.interruption.raise() }), CallbackOf(hook)])
      }
      #expect(!learner.interruption.isRaised)
      guard case .finished = try learner.fit(epochs: 1) else {
        Issue.record("\(hook): the next fit was interrupted")
        continue
      }
    }
  }

  @Test func `an interrupted evaluation says so`() throws {
    let learner = try HookOrderTests.learner()
    learner.interruption.raise()
    #expect(throws: LearnerError.interrupted) { try learner.evaluate() }
    _ = try learner.evaluate()
  }
}

/// Checks that each before hook has exactly one after hook, nested.
private func expectClosed(_ trace: Trace) {
  var open: [String] = []
  for entry in trace.entries {
    let hook = entry.replacing("v:", with: "").prefix { $0 != " " }
    if hook.hasPrefix("before") {
      open.append(String(hook.dropFirst("before".count)))
    } else if hook != "afterLoss" && hook != "afterPrediction" {
      #expect(open.popLast() == String(hook.dropFirst("after".count)), "\(trace.entries)")
    }
  }
  #expect(open.isEmpty, "\(open) were never closed")
}

/// Checks that a learner trains on.
private func expectUsable(_ learner: Learner) throws {
  let trace = Trace()
  try learner.withCallbacks([trace]) { _ = try learner.fit(epochs: 1) }
  #expect(trace.entries == ["beforeFit"] + HookOrderTests.epoch + ["afterFit"])
}
