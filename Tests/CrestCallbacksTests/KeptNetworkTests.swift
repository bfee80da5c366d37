import CrestCallbacks
import CrestData
import CrestLayers
import CrestONNX
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

/// What is saved as the best, exported, reported last and evaluated after a fit is one network, whichever callbacks
/// exchange weights.
@Suite struct KeptNetworkTests {
  /// Callbacks that exchange, keep or save weights, side by side.
  struct Parts: Sendable, CustomStringConvertible {
    enum Average: String, CaseIterable { case none, validated, notValidated }
    enum Stop: String, CaseIterable { case none, plain, restoring }
    enum Save: String, CaseIterable { case none, weights, everything }
    let average: Average
    let stop: Stop
    let save: Save
    let batchesPerStep: Int

    var description: String {
      "average: \(average), stop: \(stop), save: \(save), \(batchesPerStep) batches a step"
    }

    static let all = Average.allCases.flatMap { average in
      Stop.allCases.flatMap { stop in
        Save.allCases.flatMap { save in
          [1, 3].map {
            Parts(average: average, stop: stop, save: save, batchesPerStep: $0)
          }
        }
      }
    }
  }

  /// A fit and all that it left.
  struct Run {
    let learner: Learner
    let recorder: Recorder
    let checkpoint: ModelCheckpoint?

    /// The epochs by their validation loss, the best first, the earlier of equals.
    var ranking: [Int] {
      let losses = recorder.epochs.map { $0.validation?.loss ?? .nan }
      return losses.indices.sorted { (losses[$0], $0) < (losses[$1], $1) }
    }
  }

  static let epochs = 6
  static let batchSize = 5

  static func learner(callbacks: [any Callback] = []) throws -> Learner {
    // Labels of the validation part are another function's, so that its loss falls and then rises.
    let valid = TinyData.classes(9, seed: 8, name: "tiny (validation)")
    let turned = TensorExamples(
      name: "tiny (validation)", inputs: [("input", valid.input)],
      targets: Tensor(valid.labels.enumerated().map { $0 % 4 == 0 ? 2 - $1 : $1 }),
      classNames: ["a", "b", "c"])
    let learner = try Learner(
      TinyModel.full(), data: DataSplit(train: TinyData.classes(22), valid: turned),
      optimizer: SGD(learningRate: 0.6), metrics: [Accuracy(), MeanLoss()], callbacks: callbacks,
      batchSize: batchSize, seed: 3, prefetch: 0)
    // Time would make two runs differ.
    learner.now = { .zero }
    return learner
  }

  static func run(
    _ parts: Parts, on disk: SimulatedDisk, from state: RunState? = nil,
    with more: [any Callback] = []
  ) throws -> Run {
    let recorder = Recorder()
    var callbacks: [any Callback] = [recorder]
    switch parts.average {
    case .none: break
    case .validated: callbacks.append(try EMA(decay: 0.6))
    case .notValidated: callbacks.append(try EMA(decay: 0.6, validates: false))
    }
    switch parts.stop {
    case .none: break
    case .plain: callbacks.append(try EarlyStopping(patience: 2))
    case .restoring: callbacks.append(try EarlyStopping(patience: 2, restoresBest: true))
    }
    var checkpoint: ModelCheckpoint?
    if parts.save != .none {
      let made = try ModelCheckpoint(
        folder: "d", keepLast: 0, monitor: .validLoss,
        contents: parts.save == .weights ? .weights : .everything, name: "e{epoch}",
        warnings: ProgressBar.Output(isTerminal: false) { Issue.record("\($0)") }
      ) { (path) throws(CheckpointError) in try CheckpointFolder(path, on: disk) }
      callbacks.append(made)
      checkpoint = made
    }
    if parts.batchesPerStep > 1 {
      callbacks.append(try GradientAccumulation(batches: parts.batchesPerStep))
    }
    if let state {
      callbacks.append(
        CallbackOf(
          .beforeFit { $0.resume(from: try Learner.Resumption(path: "state", state: state)) },
          name: "Resume"))
    }
    let learner = try learner(callbacks: callbacks)
    try learner.fit(epochs: epochs, callbacks: more)
    return Run(learner: learner, recorder: recorder, checkpoint: checkpoint)
  }

  @Test(arguments: Parts.all)
  func `what is saved, exported, reported and evaluated is one network`(parts: Parts) throws {
    let disk = SimulatedDisk()
    var states: [RunState] = []
    let save = CallbackOf(
      .afterBatch { states.append(try $0.learner.runState()) },
      .afterEpoch { states.append(try $0.learner.runState()) }, name: "Save", order: .max)
    let whole = try Self.run(parts, on: disk, with: [save])
    try check(whole, parts, disk)
    try checkGoingOn(whole, parts, disk)

    let folder = try TemporaryFolder()
    let file = folder["model.onnx"].path
    try whole.learner.model.exportONNX(to: file)
    let exported = try Learner(
      Model(onnx: file, engine: Engine(threadCount: 1)), data: whole.learner.data,
      metrics: whole.learner.metrics, batchSize: Self.batchSize, prefetch: 0)
    exported.now = { .zero }
    #expect(try exported.evaluate() == whole.learner.fitResult?.validation)

    // An epoch is 5 batches of training, 2 of validation, and its end.
    let count = whole.recorder.epochs.count
    #expect(states.count == 8 * count)
    for place in [9, 13, 15, 8 * count - 1] {
      try CheckpointFile.write(states[place], to: "d/run", on: disk)
      let again = try Self.run(
        parts, on: disk, from: CheckpointFile.read("d/run", on: disk))
      #expect(again.learner.fitResult == whole.learner.fitResult, "from state \(place)")
      #expect(
        again.learner.model.store.snapshot() == whole.learner.model.store.snapshot(),
        "from state \(place)")
      #expect(again.recorder.epochs == whole.recorder.epochs, "from state \(place)")
      try check(again, parts, disk)
    }
  }

  /// Checks that a fit, what it says it came to, and what it saved agree to the bit.
  private func check(_ run: Run, _ parts: Parts, _ disk: SimulatedDisk) throws {
    let result = try #require(run.learner.fitResult)
    #expect(try run.learner.evaluate() == result.validation)
    let last = run.recorder.epochs.count - 1
    let best = try #require(run.ranking.first)
    #expect(best < last, "the best epoch is to be another than the last")
    switch (parts.stop, parts.average) {
    case (.restoring, _):
      #expect(result.origin == .restored)
      #expect(result.epoch == best)
    case (_, .notValidated):
      #expect(result.origin == .measuredAfterwards)
      #expect(result.epoch == last)
      #expect(result.validation != run.recorder.epochs[last].validation)
    default:
      #expect(result.origin == .lastEpoch)
      #expect(result.epoch == last)
    }
    #expect(result.train == run.recorder.epochs[result.epoch].train)
    if result.origin != .measuredAfterwards {
      #expect(result.validation == run.recorder.epochs[result.epoch].validation)
    }
    guard let checkpoint = run.checkpoint else { return }
    let entry = try #require(checkpoint.state.kept.first)
    #expect(entry.name == "e\(best + 1)")
    // By way of the disk, as anybody who evaluates or predicts with the file does.
    let folder = try TemporaryFolder()
    let file = folder["best.safetensors"]
    try Data(try #require(disk["d/\(entry.name).safetensors"])).write(to: file)
    let other = try Self.learner()
    try other.loadWeights(from: file.path)
    #expect(try other.evaluate() == run.recorder.epochs[best].validation)
  }

  /// Checks that the best checkpoint of everything is still what the run goes on from, to the bit.
  private func checkGoingOn(_ run: Run, _ parts: Parts, _ disk: SimulatedDisk) throws {
    guard parts.save == .everything, let entry = run.checkpoint?.state.kept.first else { return }
    let again = try Self.run(
      parts, on: SimulatedDisk(),
      from: CheckpointFile.read("d/\(entry.name).safetensors", on: disk))
    #expect(again.learner.fitResult == run.learner.fitResult)
    #expect(again.learner.model.store.snapshot() == run.learner.model.store.snapshot())
  }
}

/// Callbacks of one's own that exchange weights, without knowledge of any other.
@Suite struct ExchangedWeightsTests {
  /// Adds a number to all parameters.
  private static func shift(_ learner: Learner, by amount: Float) {
    learner.model.store.withBuffer(.parameters) { floats in
      for index in floats.indices { floats[index] += amount }
    }
  }

  @Test func `weights that nobody measured are measured when the fit has ended`() throws {
    let learner = try KeptNetworkTests.learner(callbacks: [
      CallbackOf(.afterFit { Self.shift($0.learner, by: 0.25) })
    ])
    let recorder = Recorder()
    try learner.fit(epochs: 2, callbacks: [recorder])
    let result = try #require(learner.fitResult)
    #expect(result.origin == .measuredAfterwards)
    #expect(result.epoch == 1)
    #expect(result.validation == (try learner.evaluate()))
    #expect(result.validation != recorder.epochs[1].validation)
  }

  @Test func `weights that a callback keeps and gives back are those of their epoch`() throws {
    final class KeepFirst: StatefulCallback {
      struct State: Codable, Sendable { var first: FitResult.MeasuredWeights? }
      var state = State()
      var hooks: [Hook] {
        [
          .afterEpoch {
            if $0.index == 0 { self.state.first = try FitResult.MeasuredWeights(of: $0) }
          },
          .afterFit { fit in self.state.first.map(fit.restore) },
        ]
      }
    }
    let learner = try KeptNetworkTests.learner()
    let recorder = Recorder()
    try learner.fit(epochs: 3, callbacks: [KeepFirst(), recorder])
    let result = try #require(learner.fitResult)
    #expect(result.origin == .restored)
    #expect(result.epoch == 0)
    #expect(result.validation == recorder.epochs[0].validation)
    #expect(result.train == recorder.epochs[0].train)
    #expect(result.validation == (try learner.evaluate()))
  }

  @Test func `weights exchanged between validation and a save by its results are refused`() throws {
    let meddler = CallbackOf(.afterValidate { Self.shift($0.learner, by: 0.25) })
    let keepers: [any Callback] = [
      try EarlyStopping(restoresBest: true),
      try ModelCheckpoint(folder: "d", monitor: .validLoss) { (path) throws(CheckpointError) in
        try CheckpointFolder(path, on: SimulatedDisk())
      },
      try ModelCheckpoint(folder: "d", name: "{valid_loss:3}") {
        (path) throws(CheckpointError) in try CheckpointFolder(path, on: SimulatedDisk())
      },
    ]
    for keeper in keepers {
      let error = #expect(throws: LearnerError.self) {
        try KeptNetworkTests.learner().fit(epochs: 2, callbacks: [meddler, keeper])
      }
      #expect(
        error?.description
          == "the weights validated in epoch 1 can't be kept with their results: a callback has "
          + "changed them since; make it restore them when the next epoch begins (beforeEpoch)")
    }
  }

  @Test func `a fit without a network to speak of has no result`() throws {
    let learner = try KeptNetworkTests.learner()
    #expect(learner.fitResult == nil)
    try learner.fit(epochs: 1)
    #expect(learner.fitResult?.origin == .lastEpoch)
    // A rehearsal.
    _ = try learner.findLearningRate()
    #expect(learner.fitResult == nil)
    // An error, and an interruption, which leave what was trained.
    for average in [true, false] {
      for ending in ["failed", "interrupted"] {
        for isTraining in [true, false] {
          let learner = try KeptNetworkTests.learner()
          var trained: [Float] = []
          let end = CallbackOf(
            .afterStep {
              trained = $0.learner.model.store.withBuffer(.parameters) { Array($0) }
            },
            .afterBatch { batch in
              guard batch.isTraining == isTraining else { return }
              if ending == "failed" { throw Mishap("broken") }
              batch.learner.interruption.raise()
            })
          let outcome = Result {
            try learner.fit(epochs: 2, callbacks: average ? [end, EMA(decay: 0.5)] : [end])
          }
          switch outcome {
          case .success(.interrupted): #expect(ending == "interrupted")
          case .failure(is Mishap): #expect(ending == "failed")
          default: Issue.record("\(outcome)")
          }
          #expect(learner.fitResult == nil)
          #expect(learner.model.store.withBuffer(.parameters) { Array($0) } == trained)
        }
      }
    }
  }

  @Test func `an epoch cut short before its validation says that nothing was measured`() throws {
    for average in [true, false] {
      let learner = try KeptNetworkTests.learner()
      let cut = CallbackOf(
        .afterBatch { if $0.epoch == 1 { throw Cancel(.fit, reason: "time is up") } })
      let recorder = Recorder()
      try learner.fit(
        epochs: 3, callbacks: average ? [recorder, cut, EMA(decay: 0.5)] : [recorder, cut])
      let result = try #require(learner.fitResult)
      #expect(result.origin == .notMeasured)
      #expect(result.epoch == 1)
      #expect(result.validation == nil)
      #expect(result.train == recorder.epochs[1].train)
      // Weights that were measured may still come back.
      let restoring = try KeptNetworkTests.learner()
      try restoring.fit(
        epochs: 3, callbacks: [recorder, cut, EarlyStopping(restoresBest: true)])
      #expect(restoring.fitResult?.origin == .restored)
      #expect(restoring.fitResult?.epoch == 0)
      #expect(restoring.fitResult?.validation == (try restoring.evaluate()))
    }
  }

  @Test func `a fit that is interrupted while it measures afterwards is interrupted`() throws {
    let learner = try KeptNetworkTests.learner(callbacks: [
      CallbackOf(
        .afterFit {
          Self.shift($0.learner, by: 0.25)
          $0.learner.interruption.raise()
        })
    ])
    guard case .interrupted = try learner.fit(epochs: 1) else {
      Issue.record("not interrupted")
      return
    }
    #expect(learner.fitResult == nil)
  }
}

extension TensorExamples {
  /// The only input of all examples.
  fileprivate var input: Tensor { all.inputs[0] }

  /// The classes of all examples.
  fileprivate var labels: [Int64] { all.targets.withElements(as: Int64.self) { Array($0) } }

  /// All examples as one batch.
  private var all: Batch {
    var batch = Batch(zerosFor: self, count: count)
    write(ArraySlice(0..<count), into: &batch)
    return batch
  }
}
