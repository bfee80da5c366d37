import CrestCallbacks
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

/// Passes that are shorter, and validation that is less or more often.
@Suite struct PassLimitTests {
  private func learner(_ callbacks: [any Callback]) throws -> Learner {
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(), callbacks: callbacks, batchSize: 5, prefetch: 0)
    learner.now = { .zero }
    return learner
  }

  @Test func `a limit makes epochs shorter, and schedules with them`() throws {
    let recorder = Recorder()
    let rates = ParameterScheduler(try .linear(from: 0.1, to: 0))
    let learner = try learner([recorder, rates, LimitBatches(training: 2, validation: 1)])
    var batches: [String] = []
    try learner.fit(
      epochs: 3,
      callbacks: [
        CallbackOf(
          .afterBatch {
            batches.append("\($0.isTraining ? "t" : "v")\($0.index)/\($0.pass.batchCount)")
          })
      ])
    #expect(batches == (0..<3).flatMap { _ in ["t0/2", "t1/2", "v0/1"] })
    #expect(
      recorder.steps.map(\.learningRate)
        == (0..<6).map { Schedule.Annealing.linear.value(from: 0.1, to: 0, at: Double($0) / 6) })
    #expect(recorder.epochs.map(\.validation?.exampleCount) == [5, 5, 5])
    #expect(learner.fitResult?.validation?.exampleCount == 5)
  }

  @Test func `a limit that is not reached changes nothing, bit for bit`() throws {
    let (plain, limited) = (
      try learner([]), try learner([LimitBatches(training: 100, validation: 100)])
    )
    for learner in [plain, limited] { try learner.fit(epochs: 3, learningRate: 0.1) }
    #expect(plain.model.store.snapshot() == limited.model.store.snapshot())
    #expect(plain.fitResult == limited.fitResult)
  }

  @Test func `each epoch takes other examples, and accumulation ends with it`() throws {
    let learner = try learner([
      LimitBatches(training: 3), GradientAccumulation(batches: 2),
    ])
    var firsts: [[Float]] = []
    try learner.fit(
      epochs: 4, learningRate: 0.1,
      callbacks: [
        CallbackOf(
          .afterBatch {
            if $0.isTraining, $0.index == 0 { firsts.append($0.inputs[0].array(as: Float.self)) }
          })
      ])
    #expect(Set(firsts).count == 4)
    // Of three batches, two make a step and the last one another.
    #expect(learner.stepsTaken == 8)
  }

  @Test func `the lowest of several limits counts`() throws {
    let learner = try learner([LimitBatches(training: 3), LimitBatches(training: 2)])
    try learner.fit(epochs: 1, learningRate: 0.1)
    #expect(learner.stepsTaken == 2)
  }

  @Test func `a limited run is resumed with its bits, from every batch`() throws {
    func single() throws -> Learner {
      try self.learner([
        LimitBatches(training: 3, validation: 1), try OneCycleScheduler(maxLR: 0.1),
        try ValidateEvery(.steps(4)), Recorder(),
      ])
    }
    let (states, end) = try single().fitSavingStates(epochs: 5)
    #expect(states.count == 5 * (3 + 1 + 1))
    for state in states {
      #expect(try single().fitResuming(from: state, path: "state", epochs: 5) == end)
    }
    // A position that the limit doesn't allow.
    var wrong = states[1]
    wrong.fields[StateValue.Path(["fit", "position", "batch"])] = .integer(4)
    let error = #expect(throws: CheckpointError.self) {
      try single().fitResuming(from: wrong, path: "state", epochs: 5)
    }
    #expect(error?.description.contains("a batch of 3") == true, "\(String(describing: error))")
  }

  @Test func `every second epoch is validated, and the last one`() throws {
    let recorder = Recorder()
    let learner = try learner([recorder, ValidateEvery(.epochs(2)), EMA(decay: 0.9)])
    try learner.fit(epochs: 5, learningRate: 0.1)
    #expect(recorder.epochs.map { $0.validation != nil } == [false, true, false, true, true])
    #expect(learner.fitResult?.origin == .lastEpoch)
  }

  @Test func `validation every few steps changes no bit, and is measured as evaluation does`()
    throws
  {
    let every = try ValidateEvery(.steps(3))
    let (plain, measured) = (try learner([]), try learner([every]))
    var losses: [Double] = []
    let watch = CallbackOf(
      .afterBatch {
        if $0.isTraining, $0.fit.stepsTaken % 3 == 0 {
          losses.append(try $0.learner.evaluate().loss)
          #expect($0.reports["validation_loss"] == losses.last)
        }
      }, name: "Watch")
    try plain.fit(epochs: 3, learningRate: 0.1)
    try measured.fit(epochs: 3, learningRate: 0.1, callbacks: [watch])
    #expect(plain.model.store.snapshot() == measured.model.store.snapshot())
    #expect(every.measurements.map(\.steps) == [3, 6, 9, 12, 15])
    #expect(every.measurements.map(\.result.loss) == losses)
    #expect(plain.fitResult == measured.fitResult)
  }

  @Test func `needs a limit, and an interval of epochs or steps`() {
    let rows: [(String, () throws(CallbackError) -> Void)] = [
      (
        "LimitBatches: training is 0, expected at least 1 batch",
        { () throws(CallbackError) in _ = try LimitBatches(training: 0) }
      ),
      (
        "LimitBatches: validation is -1, expected at least 1 batch",
        { () throws(CallbackError) in _ = try LimitBatches(validation: -1) }
      ),
      (
        "LimitBatches: training is not given, expected a limit of training or validation batches",
        { () throws(CallbackError) in _ = try LimitBatches() }
      ),
      (
        "ValidateEvery: every is 0 steps, expected an interval above 0",
        { () throws(CallbackError) in _ = try ValidateEvery(.steps(0)) }
      ),
      (
        "ValidateEvery: interval is 1.0 minutes, expected epochs or steps",
        { () throws(CallbackError) in _ = try ValidateEvery(.minutes(1)) }
      ),
    ]
    for (message, make) in rows {
      #expect(#expect(throws: CallbackError.self) { try make() }?.description == message)
    }
  }
}
