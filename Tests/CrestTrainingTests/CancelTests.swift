import CrestLayers
import CrestRuntime
import CrestTraining
import Testing
import TrainingTestSupport

/// What `HookMatrixTests` doesn't have: several that act, and what becomes of parameters.
struct CancelTests {
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
