import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import ProcessSupport
import Testing
import TrainingTestSupport

/// Every hook × everything that a callback can do in it.
@Suite("Hook matrix") struct HookMatrixTests {
  /// What a callback does.
  enum Action: CustomTestStringConvertible, Sendable {
    case fail, interrupt, interruptAndMeasure, evaluate, predict, snapshot, restoreOwn,
      restoreEarlier, newLearner
    case cancel(Phase)

    /// All there are.
    static let all: [Action] =
      [
        .fail, .interrupt, .interruptAndMeasure, .evaluate, .predict, .snapshot, .restoreOwn,
        .restoreEarlier,
        .newLearner,
      ] + Phase.allCases.map { .cancel($0) }

    var testDescription: String {
      if case .cancel(let phase) = self { "cancel \(phase)" } else { "\(self)" }
    }

    /// What the loop makes of it.
    var deed: LoopRules.Deed {
      switch self {
      case .fail: .fail("broken")
      case .interrupt, .interruptAndMeasure: .interrupt
      case .cancel(let phase): .cancel(phase)
      case .evaluate, .predict, .snapshot, .restoreOwn, .restoreEarlier, .newLearner: .nothing
      }
    }
  }

  /// Two batches of four to learn from and two to measure by, so that all have one program.
  private static func learner(_ model: Model) throws -> Learner {
    let learner = try Learner(
      model, data: TinyData.split(train: 8, valid: 8), optimizer: AdamW(), metrics: [Accuracy()],
      batchSize: 4, prefetch: 0)
    learner.now = { .zero }
    return learner
  }

  /// A fit that nothing disturbs.
  private struct Undisturbed {
    /// The parameters after each step, from none.
    var parameters: [[Float]] = []
    var end: ParameterStore.Snapshot
    var result: FitResult?
    /// What each validation batch gave.
    var validation: [String] = []
  }

  private static let undisturbed = Result {
    let learner = try Self.learner(TinyModel.full())
    var parameters = [Self.parameters(of: learner)]
    let watch = Witness("Watch", order: 1) { point, context in
      if point == .afterStep { parameters.append(Self.parameters(of: context.learner)) }
    }
    let measured = Measured()
    try learner.fit(epochs: 2, callbacks: [watch, measured])
    return Undisturbed(
      parameters: parameters, end: learner.snapshot().store, result: learner.fitResult,
      validation: measured.seen)
  }

  private static func parameters(of learner: Learner) -> [Float] {
    learner.model.store.withBuffer(.parameters) { Array($0) }
  }

  /// Notes what a validation batch gave, behind whoever acts.
  private final class Measured: Callback {
    let order = 2
    let reads: Set<Capture> = [.predictions]
    private(set) var seen: [String] = []
    var hooks: [Hook] {
      [
        .afterLoss { batch in
          self.seen.append("\(batch.loss) \(batch.read(.predictions).array(as: Float.self))")
        },
        .afterBatch { batch in
          self.seen.append("\(batch.loss) \(batch.read(.predictions).array(as: Float.self))")
        },
      ]
    }
  }

  /// Does it.
  private static func act(_ action: Action, _ learner: Learner, earlier: Learner.Snapshot) throws {
    switch action {
    case .fail: throw Mishap("broken")
    case .interrupt: learner.interruption.raise()
    case .interruptAndMeasure:
      learner.interruption.raise()
      #expect(try learner.evaluate().exampleCount == 8)
      #expect(try learner.predict(on: TinyData.classes(5)).shape == [5, 3])
    case .cancel(let phase): throw Cancel(phase, reason: "a test")
    case .evaluate:
      let other = try Self.learner(learner.model)
      #expect(try learner.evaluate() == other.evaluate())
      #expect(
        try learner.evaluate(on: TinyData.classes(4), requiringFinite: true).exampleCount == 4)
    case .predict:
      let other = try Self.learner(learner.model)
      let examples = TinyData.classes(9)
      #expect(try learner.predict(on: examples) == other.predict(on: examples))
    case .snapshot: #expect(learner.snapshot().stepsTaken == learner.stepsTaken)
    case .restoreOwn: learner.restore(learner.snapshot())
    case .restoreEarlier:
      learner.restore(earlier)
      #expect(learner.snapshot().store == earlier.store)
      #expect(learner.stepsTaken == 0)
    case .newLearner:
      let other = try Self.learner(learner.model)
      _ = try other.evaluate()
      #expect(other.snapshot().stepsTaken == 0)
    }
  }

  @Test(arguments: HookPoint.allCases, Action.all)
  func `ends as decision 5 says`(point: HookPoint, action: Action) throws {
    let undisturbed = try Self.undisturbed.get()
    let learner = try Self.learner(TinyModel.full())
    let beginning = learner.snapshot()
    let rules = LoopRules(action.deed, at: point)
    var isDone = false
    let actor = Witness("Actor", order: -1) { here, context in
      if point == .beforeInterruption, here == .validAfterBatch, learner.epochsBegun == 1 {
        learner.interruption.raise()
      }
      guard here == point, !isDone else { return }
      isDone = true
      try Self.act(action, context.learner, earlier: beginning)
    }
    let measured = Measured()
    let (first, last) = (Witness("First", order: -2), Witness("Last", order: 1))
    let end = Result {
      try learner.fit(epochs: 2, callbacks: [last, actor, first, measured])
    }
    #expect(isDone)
    try expect(end, rules.stop)
    for (witness, entries) in zip([first, actor, last], rules.entries) {
      #expect(witness.entries == entries, "\(witness.name)")
    }
    #expect(learner.errorsWhileEnding.isEmpty)
    #expect(learner.interruption.isRaised == rules.isRaised)
    try expectLeft(learner, by: rules, action, undisturbed, measured.seen)
    try expectUsable(learner, from: beginning, undisturbed)
  }

  /// The error, or how the fit ended.
  private func expect(
    _ end: Result<PhaseContext.Outcome, any Error>, _ stop: LoopRules.Stop?
  ) throws {
    switch stop {
    case nil: #expect(try end.get().isFinished)
    case .failed(let error):
      #expect(throws: (any Error).self) { try end.get() }
      if case .failure(let got) = end { #expect("\(got)" == error) }
    case .interrupted:
      guard case .interrupted = try end.get() else {
        Issue.record("expected an interruption, got \(end)")
        return
      }
    case .cancelled(let phase):
      guard case .cancelled(let cancellation) = try end.get() else {
        Issue.record("expected a cancel, got \(end)")
        return
      }
      #expect("\(cancellation)" == "\(phase) cancelled by Actor: a test")
    }
  }

  /// What the learner holds.
  private func expectLeft(
    _ learner: Learner, by rules: LoopRules, _ action: Action, _ undisturbed: Undisturbed,
    _ measured: [String]
  ) throws {
    if case .restoreEarlier = action { return }
    #expect(learner.stepsTaken == rules.steps)
    #expect(learner.batchesTrained == rules.batches)
    #expect(learner.epochsBegun == rules.epochs)
    switch rules.stop {
    case .failed, .interrupted:
      #expect(Self.parameters(of: learner) == undisturbed.parameters[rules.steps])
      #expect(learner.fitResult == nil)
    case .cancelled: #expect(Self.parameters(of: learner) == undisturbed.parameters[rules.steps])
    case nil:
      guard case .nothing = action.deed else { break }
      #expect(learner.snapshot().store == undisturbed.end)
      #expect(learner.fitResult == undisturbed.result)
      #expect(measured == undisturbed.validation)
    }
  }

  /// Begun again, it gives the bits of a fit that nothing disturbed.
  private func expectUsable(
    _ learner: Learner, from beginning: Learner.Snapshot, _ undisturbed: Undisturbed
  ) throws {
    if learner.interruption.isRaised {
      guard case .interrupted = try learner.fit(epochs: 1) else {
        Issue.record("an interruption was lost")
        return
      }
    }
    learner.restore(beginning)
    let witness = Witness("Again", order: 0)
    #expect(try learner.fit(epochs: 2, callbacks: [witness]).isFinished)
    #expect(witness.entries == LoopRules(.nothing, at: .beforeFit).entries[0])
    #expect(learner.snapshot().store == undisturbed.end)
    #expect(learner.fitResult == undisturbed.result)
  }

  @Test(arguments: HookPoint.allCases)
  func `has every place that a hook has`(point: HookPoint) {
    #expect(HookPoint.places(of: point.hook { _ in }).contains(point))
  }

  /// What ends the program with a message, whatever the hook.
  static let misuses = [
    ("add", "CallbackOf was added during a fit"), ("remove", "CallbackOf was removed during a fit"),
    ("fit", "fit was called from a hook of a running fit"),
    ("fit-another", "a fit began while another learner's fit of the same model was running"),
    ("restore-another", "a snapshot was restored during another learner's fit of the same model"),
  ]

  @Test(arguments: misuses)
  func `misuses end the program with a message in every hook`(
    _ action: String, _ message: String
  ) throws {
    let program = Executable("misuse-program")
    let hooks = Set(
      HookPoint.allCases.map { $0.rawValue.replacing("v:", with: "") })
    for hook in hooks.sorted() {
      let result = try program.run(["in-hook", hook, action])
      guard case .signal = result.end else {
        Issue.record("\(action) in \(hook): \(result.end), \(result.error)")
        continue
      }
      #expect(result.error.contains("Fatal error: \(message)\n"), "\(hook): \(result.error)")
    }
  }

  @Test func `no callback is called while a learner measures or predicts`() throws {
    let witness = Witness("Witness", order: 0)
    let learner = try Self.learner(TinyModel.full())
    learner.add(witness)
    _ = try learner.evaluate()
    _ = try learner.predict(on: TinyData.classes(5))
    #expect(witness.entries.isEmpty)
    learner.interruption.raise()
    #expect(throws: LearnerError.interrupted) { try learner.predict(on: TinyData.classes(5)) }
    #expect(try learner.predict(on: TinyData.classes(5)).shape == [5, 3])
  }
}
