import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct CheckpointCallbackTests {
  /// Saves on a simulated disk and takes down what is reported.
  final class Bench {
    let disk = SimulatedDisk()
    private(set) var warnings: [String] = []

    var output: ProgressBar.Output {
      ProgressBar.Output(isTerminal: false) { [self] in warnings.append($0) }
    }

    func open(_ path: String) throws(CheckpointError) -> CheckpointFolder {
      try CheckpointFolder(path, on: disk)
    }

    /// The names of the checkpoints.
    var names: [String] {
      disk.paths.filter { $0.hasSuffix(".safetensors") }
        .map { String($0.dropFirst(2).dropLast(".safetensors".count)) }
    }

    func model(
      every: ModelCheckpoint.Interval = .epochs(1), keepLast: Int? = 3, monitor: Monitor? = nil,
      keepBest: Int = 1, contents: Learner.Contents = .everything,
      name: String = "checkpoint-{step:10}", maxConsecutiveFailures: Int = 3
    ) throws -> ModelCheckpoint {
      try ModelCheckpoint(
        folder: "d", every: every, keepLast: keepLast, monitor: monitor, keepBest: keepBest,
        contents: contents, name: name, maxConsecutiveFailures: maxConsecutiveFailures,
        warnings: output, open: open)
    }

    func backup(
      every: ModelCheckpoint.Interval = .epochs(1),
      resume: BackupAndRestore.Resume = .automatically,
      reschedules: Bool = false, keepLast: Int = 3
    ) throws -> BackupAndRestore {
      try BackupAndRestore(
        folder: "d", every: every, keepLast: keepLast, resume: resume, reschedules: reschedules,
        warnings: output, open: open)
    }
  }

  static func learner(metrics: [any Metric] = []) throws -> Learner {
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(), metrics: metrics, batchSize: 5, prefetch: 0)
    learner.now = { .zero }
    return learner
  }

  @Test func `the last few are kept`() throws {
    let bench = Bench()
    try Self.learner().fit(epochs: 5, callbacks: [bench.model()])
    #expect(
      bench.names == ["checkpoint-0000000015", "checkpoint-0000000020", "checkpoint-0000000025"])
    let steps = Bench()
    try Self.learner().fit(
      epochs: 3, callbacks: [steps.model(every: .steps(4), keepLast: nil, name: "s{step}")])
    #expect(steps.names == ["s12", "s4", "s8"])
    let minutes = Bench()
    try Self.learner().fit(
      epochs: 1, callbacks: [minutes.model(every: .minutes(1e-9), keepLast: nil, name: "m{step:3}")]
    )
    #expect(minutes.names == ["m001", "m002", "m003", "m004", "m005"])
    #expect((bench.warnings + steps.warnings + minutes.warnings).isEmpty)
  }

  @Test func `the best are kept beside the last, or alone`() throws {
    func names(
      _ values: [Double], _ direction: MetricDirection, last: Int?, best: Int
    ) throws -> [String] {
      let bench = Bench()
      let script = EarlyStoppingTests.Script(
        name: "script", direction: direction, values: values, pass: .init())
      try Self.learner(metrics: [script]).fit(
        epochs: values.count,
        callbacks: [
          bench.model(
            keepLast: last, monitor: .metric("script"), keepBest: best,
            name: "e{epoch}-{script:1}")
        ])
      return bench.names
    }
    #expect(try names([3, 1, 2, 5], .lowerIsBetter, last: 1, best: 1) == ["e2-1.0", "e4-5.0"])
    #expect(try names([3, 1, 2, 5], .higherIsBetter, last: 0, best: 2) == ["e1-3.0", "e4-5.0"])
    #expect(try names([.nan, 2, 2, .nan], .lowerIsBetter, last: 0, best: 1) == ["e2-2.0"])
  }

  @Test(arguments: [[1.0, 3, 2], [3, 1, 2], [2, 3, 1], [.nan, 1, 1]])
  func `a name that never changes is that of the best`(values: [Double]) throws {
    let bench = Bench()
    let script = EarlyStoppingTests.Script(
      name: "script", direction: .lowerIsBetter, values: values, pass: .init())
    let learner = try Self.learner(metrics: [script])
    var weights: [[Float]] = []
    let note = CallbackOf(
      .afterEpoch { epoch in
        weights.append(epoch.learner.model.store.withBuffer(.parameters) { Array($0) })
      })
    try learner.fit(
      epochs: values.count,
      callbacks: [
        note,
        bench.model(
          keepLast: 0, monitor: .metric("script"), contents: .weights, name: "best"),
      ])
    #expect(bench.names == ["best"])
    let best = values.firstIndex(of: 1) ?? 0
    let contents = try Safetensors(parsing: try #require(bench.disk["d/best.safetensors"]))
    for entry in learner.model.store.parameters {
      #expect(
        contents.tensors[entry.name]?.array(as: Float.self) == Array(weights[best][entry.range]))
    }
  }

  @Test func `weights alone are small, and open without the rest`() throws {
    let bench = Bench()
    let learner = try Self.learner()
    try learner.fit(epochs: 1, callbacks: [bench.model(contents: .weights, name: "w")])
    let contents = try Safetensors(parsing: try #require(bench.disk["d/w.safetensors"]))
    let store = learner.model.store
    #expect(
      contents.tensors.keys.sorted() == (store.parameters + store.statistics).map(\.name).sorted())
    for entry in store.parameters + store.statistics {
      #expect(contents.tensors[entry.name] == store.value(of: entry))
    }
    let error = #expect(throws: CheckpointError.self) {
      try Learner.Resumption(
        path: "w", state: CheckpointFile.read("d/w.safetensors", on: bench.disk))
    }
    #expect(
      error?.description
        == "w was not saved during a fit, so there is none to resume; load it and start one")
  }

  @Test func `a program that is started again goes on by itself`() throws {
    let whole = try Self.learner()
    let wholeRecorder = Recorder()
    try whole.fit(epochs: 4, callbacks: [wholeRecorder])

    let bench = Bench()
    var starts = 0
    while true {
      let learner = try Self.learner()
      let backup = try bench.backup(every: .steps(3))
      let recorder = Recorder()
      starts += 1
      var batches = 0
      // A crash, after which nothing of the process is left, at the eighth batch of each start.
      let crash = CallbackOf(
        .beforeBatch { batch in
          batches += 1
          if batches == 8 { throw Mishap("crash") }
        })
      do {
        try learner.fit(epochs: 4, callbacks: [recorder, crash, backup])
      } catch let error as Mishap {
        #expect(error == Mishap("crash"))
        continue
      }
      #expect(learner.model.store.snapshot() == whole.model.store.snapshot())
      #expect(recorder.state == wholeRecorder.state)
      #expect(learner.stepsTaken == 20)
      break
    }
    #expect(starts > 3)
    // A run that is over isn't trained again.
    let over = try Self.learner()
    let backup = try bench.backup(every: .epochs(1))
    try over.fit(epochs: 4, callbacks: [Recorder(), backup])
    #expect(backup.restoredPath != nil)
    #expect(over.stepsTaken == 20 || over.stepsTaken == 18)
  }

  @Test func `a finished cycle is only made longer on request`() throws {
    let bench = Bench()
    func fit(epochs: Int, reschedules: Bool = false) throws -> (PhaseContext.Outcome, Recorder) {
      let recorder = Recorder()
      let outcome = try Self.learner().fit(
        epochs: epochs,
        callbacks: [
          recorder, OneCycleScheduler(maxLR: 0.1), bench.backup(reschedules: reschedules),
        ])
      return (outcome, recorder)
    }
    _ = try fit(epochs: 2)
    let (again, same) = try fit(epochs: 2)
    #expect(again.isFinished)
    #expect(same.epochs.count == 2)
    let error = #expect(throws: CheckpointError.self) { try fit(epochs: 4) }
    #expect(
      error?.description
        == "d/checkpoint-0000000010.safetensors belongs to a fit of 2 epochs, but 4 were "
        + "requested, which changes its schedule; ask for 2, or ask to reschedule")
    let (_, longer) = try fit(epochs: 4, reschedules: true)
    #expect(longer.epochs.count == 4)
    #expect(
      longer.steps.last?.learningRate
        == (try OneCycle(maxLR: 0.1)).learningRate(step: 19, total: 20))
  }

  @Test func `an interruption is saved before anything is unwound for it`() throws {
    let whole = try Self.learner()
    try whole.fit(epochs: 3)
    for step in [0, 1, 4, 5, 7] {
      let bench = Bench()
      let learner = try Self.learner()
      let outcome = try learner.fit(
        epochs: 3,
        callbacks: [
          CallbackOf(.afterStep { if $0.step == step { $0.learner.interruption.raise() } }),
          bench.backup(every: .epochs(100)),
        ])
      guard case .interrupted = outcome else {
        Issue.record("\(outcome)")
        return
      }
      #expect(bench.names.count == 1)
      let again = try Self.learner()
      try again.fit(epochs: 3, callbacks: [bench.backup(every: .epochs(100))])
      #expect(again.model.store.snapshot() == whole.model.store.snapshot())
    }
  }

  @Test func `a save that fails is borne, and several in a row end the fit`() throws {
    let bench = Bench()
    // No call after the folder's own works.
    let full = CallbackOf(
      .beforeTrain { pass in
        if pass.epoch.index < 2 { bench.disk.failing(.init(call: 1, code: 28)) }
      })
    let learner = try Self.learner()
    try learner.fit(epochs: 3, callbacks: [full, bench.model(maxConsecutiveFailures: 2)])
    #expect(bench.names == ["checkpoint-0000000015"])
    #expect(
      bench.warnings
        == ["0000000005", "0000000010"].map {
          "ModelCheckpoint: d/checkpoint-\($0).safetensors can't be written: No space left on "
            + "device (write); choose another path or make room; training continues\n"
        })
    let always = Bench()
    let broken = CallbackOf(.beforeTrain { _ in always.disk.failing(.init(call: 1, code: 28)) })
    let error = #expect(throws: CheckpointError.self) {
      try Self.learner().fit(
        epochs: 9, callbacks: [broken, always.model(maxConsecutiveFailures: 1)])
    }
    #expect(
      error?.description
        == "2 checkpoints in a row could not be saved, the last: "
        + "d/checkpoint-0000000010.safetensors can't be written: No space left on device "
        + "(write); choose another path or make room; there is no checkpoint to resume from")
  }

  @Test func `runs aren't mixed`() throws {
    let bench = Bench()
    try Self.learner().fit(epochs: 1, callbacks: [bench.model()])
    let occupied =
      "d already holds checkpoints of a run, the newest d/checkpoint-0000000005.safetensors; "
      + "resume it, or choose another folder"
    for callback in [try bench.model(), try bench.backup(resume: .never)] as [any Callback] {
      let error = #expect(throws: CheckpointError.self) {
        try Self.learner().fit(epochs: 1, callbacks: [callback])
      }
      #expect(error?.description == occupied)
    }
    let other = Bench()
    let locked = #expect(throws: CheckpointError.self) {
      try Self.learner().fit(
        epochs: 1,
        callbacks: [other.backup(), CallbackOf(.beforeEpoch { _ in _ = try other.open("d") })])
    }
    #expect(locked == .locked(folder: "d"))
    // The folder is free again, and damaged files are reported.
    bench.disk["d/broken.safetensors"] = [1]
    let learner = try Self.learner()
    _ = try? learner.fit(epochs: 1, callbacks: [bench.backup()])
    #expect(bench.warnings.first?.hasPrefix("BackupAndRestore: d/broken.safetensors: ") == true)
  }

  @Test func `numbers and names without a meaning are refused`() throws {
    let bench = Bench()
    func message(_ make: () throws -> any Callback) -> String? {
      #expect(throws: CallbackError.self) { _ = try make() }?.description
    }
    #expect(
      message { try bench.model(every: .epochs(0)) }
        == "ModelCheckpoint: every is 0 epochs, expected an interval above 0")
    #expect(
      message { try bench.model(keepLast: 0) }
        == "ModelCheckpoint: keepLast is 0, expected at least 1 without a monitor")
    #expect(
      message { try bench.model(keepLast: -1, monitor: .validLoss) }
        == "ModelCheckpoint: keepLast is -1, expected at least 0")
    #expect(
      message { try bench.model(monitor: .validLoss, keepBest: 0) }
        == "ModelCheckpoint: keepBest is 0, expected at least 1")
    for (last, best) in [(3, 1), (0, 2), (nil, 1)] as [(Int?, Int)] {
      #expect(
        message {
          try bench.model(keepLast: last, monitor: .validLoss, keepBest: best, name: "best")
        }
          == "ModelCheckpoint: name is best, expected a name with {step} or {epoch}, unless only "
          + "the best one is kept (keep-last 0, keep-best 1): others would overwrite its file")
    }
    #expect(
      message { try bench.model(every: .steps(5), monitor: .validLoss) }
        == "ModelCheckpoint: every is 5 steps, expected epochs, because valid_loss is known only "
        + "after an epoch"
    )
    #expect(
      message { try bench.model(maxConsecutiveFailures: -1) }
        == "ModelCheckpoint: maxConsecutiveFailures is -1, expected at least 0 saves")
    #expect(
      message { try bench.backup(keepLast: 0) }
        == "BackupAndRestore: keepLast is 0, expected at least 1")
    for name in ["", "a/b", "{step", "{}", "{step:x}", "{step:99}", ".x", "a}b", "{valid_loss:12}"]
    {
      #expect(
        message { try bench.model(name: name) }
          == "ModelCheckpoint: name is \"\(name)\", expected a file name without a folder, with "
          + "fields as in {step:10} or {valid_loss:4}")
    }
    let long = String(repeating: "n", count: 181) + "{step}"
    #expect(
      message { try bench.model(name: long) }
        == "ModelCheckpoint: name is \"\(long)\", expected at most 200 bytes, which may be 201")
    let unknown = #expect(throws: CallbackError.self) {
      try Self.learner().fit(epochs: 1, callbacks: [bench.model(name: "{f1}")])
    }
    #expect(
      unknown?.description
        == "ModelCheckpoint: there is no metric \"f1\" to monitor; choose one of train_loss, valid_loss, or "
        + "add the metric to the learner")
    for text in ["2 epochs", "1 epoch", "5steps", "0.5 minutes"] {
      #expect(ModelCheckpoint.Interval(text) != nil)
    }
    for text in ["2", "epochs", "x steps", "1.5 epochs", "1.2.3 minutes"] {
      #expect(ModelCheckpoint.Interval(text) == nil)
    }
  }
}
