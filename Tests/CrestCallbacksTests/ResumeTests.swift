import CrestCallbacks
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

@Suite struct `A run that is gone on with` {
  static let parts: [ResumeRig.Parts] =
    ["sgd", "adam", "adamw", "lion"].flatMap { (optimizer: String) -> [ResumeRig.Parts] in
      [
        .init(optimizer: optimizer), .init(optimizer: optimizer, oneCycle: false),
        .init(
          optimizer: optimizer, accumulates: 3, isComplete: true, recomputes: optimizer == "lion"),
        .init(
          optimizer: optimizer, oneCycle: false, accumulates: 2, isComplete: true,
          isWeighted: optimizer == "adam", isMixed: optimizer == "sgd"),
      ]
    } + [ResumeRig.Parts(isMeasured: true)]

  @Test(arguments: parts)
  func `ends with the bits it would have had, from every step of 200`(parts: ResumeRig.Parts) throws
  {
    let rig = ResumeRig(parts: parts)
    let (states, end) = try rig.uninterrupted()
    // 5 training and 2 validation batches, and the end of the epoch.
    #expect(states.count == 8 * ResumeRig.epochs)
    let disk = SimulatedDisk()
    for (place, state) in states.enumerated() {
      // By way of a file, as a state in memory says nothing of what is written.
      try CheckpointFile.write(state, to: "d/run", on: disk)
      let read = try CheckpointFile.read("d/run", on: disk)
      #expect(read == state, "state \(place)")
      let got = try rig.resumed(from: read)
      #expect(got == end, "from state \(place): \(first(differenceOf: got, end))")
    }
  }

  /// All of the table, and several at once.
  static let optimizers = BuiltInOptimizer.all.map(\.name) + ["several"]

  @Test(arguments: optimizers)
  func `ends with the bits it would have had, whatever the optimiser`(optimizer: String) throws {
    let rig = ResumeRig(parts: .init(optimizer: optimizer))
    let (states, end) = try rig.uninterrupted()
    let disk = SimulatedDisk()
    // Of every place in an epoch.
    for place in stride(from: 4, to: states.count, by: 35) {
      try CheckpointFile.write(states[place], to: "d/run", on: disk)
      let got = try rig.resumed(from: try CheckpointFile.read("d/run", on: disk))
      #expect(got == end, "from state \(place): \(first(differenceOf: got, end))")
    }
  }

  @Test func `says the same of the run whether it is interrupted once or at every batch`() throws {
    let rig = ResumeRig(parts: .init(accumulates: 3, isComplete: true))
    let (_, end) = try rig.uninterrupted()
    var saved: RunState?
    var runs = 0
    while true {
      let (learner, _) = try rig.learner()
      let chain = CallbackOf(
        .beforeFit { fit in
          if let saved { fit.resume(from: try Learner.Resumption(path: "chain", state: saved)) }
        },
        .afterLoss { $0.learner.interruption.raise() },
        .beforeInterruption { saved = try $0.learner.runState() }, name: "Chain", order: .max)
      let outcome = try learner.fit(epochs: ResumeRig.epochs, callbacks: [chain])
      runs += 1
      guard case .interrupted = outcome else {
        let got = try learner.stateAtEnd()
        #expect(got == end, "\(first(differenceOf: got, end))")
        break
      }
    }
    // The last batch is followed by none between which and it the run could be interrupted.
    #expect(runs == 7 * ResumeRig.epochs)
  }

  @Test func `ends where a callback had ended it`() throws {
    for monitor in [Monitor.validLoss, .trainLoss] {
      func fit(_ saves: (RunState) -> Void, from state: RunState?) throws -> (
        PhaseContext.Outcome, RunState
      ) {
        let stop = try EarlyStopping(
          monitor: monitor, patience: 2, minDelta: 1, restoresBest: true)
        let learner = try Learner(
          TinyModel.full(), data: TinyData.split(), callbacks: [stop, Recorder()], batchSize: 5,
          prefetch: 0)
        learner.now = { .zero }
        let save = CallbackOf(
          .beforeFit { fit in
            if let state { fit.resume(from: try Learner.Resumption(path: "state", state: state)) }
          },
          .afterBatch { batch in
            // A cancel that another callback throws in this very hook.
            if batch.isTraining && batch.step == 8 {
              throw Cancel(.train, reason: "enough of this epoch")
            }
          }, name: "Watch")
        var saving: [RunState] = []
        let last = CallbackOf(
          .afterBatch { saving.append(try $0.learner.runState()) },
          .afterEpoch { saving.append(try $0.learner.runState()) }, name: "Save", order: .max)
        let outcome = try learner.fit(epochs: 20, callbacks: [save, last])
        saving.forEach(saves)
        return (outcome, try learner.runState())
      }
      var states: [RunState] = []
      let (outcome, end) = try fit({ states.append($0) }, from: nil)
      #expect(states.count < 8 * 20)
      for (place, state) in states.enumerated() {
        let (again, got) = try fit({ _ in }, from: state)
        #expect(got == end, "from state \(place): \(first(differenceOf: got, end))")
        #expect("\(again)" == "\(outcome)")
      }
    }
  }

  @Test func `comes from an ONNX model too, whose file must be the same`() throws {
    // The importer is in another library: a template with a source stands for it here.
    struct Sourced: GraphTemplate {
      let sample: Graph
      let sourceFingerprint: String?
      var fixedBatchSize: Int? { nil }
      var leavesFinalActivationToLoss: Bool { true }
      func graph(for inputTypes: [ValueType]) throws -> Graph { sample }
    }
    func learner(_ source: String?) throws -> Learner {
      let model = try Model(
        template: Sourced(sample: TinyModel.full().graph, sourceFingerprint: source),
        engine: Engine(threadCount: 1))
      return try Learner(model, data: TinyData.split(), batchSize: 5, prefetch: 0)
    }
    var states: [RunState] = []
    let first = try learner("xxh64:1")
    try first.fit(
      epochs: 4,
      callbacks: [CallbackOf(.afterBatch { states.append(try $0.learner.runState()) })])
    for state in states {
      let again = try learner("xxh64:1")
      try again.fit(
        epochs: 4,
        callbacks: [
          CallbackOf(
            .beforeFit { $0.resume(from: try Learner.Resumption(path: "s", state: state)) })
        ])
      #expect(again.model.store.snapshot() == first.model.store.snapshot())
    }
    for other in ["xxh64:2", nil] {
      let error = #expect(throws: CheckpointError.self) {
        try learner(other).fit(
          epochs: 4,
          callbacks: [
            CallbackOf(
              .beforeFit { $0.resume(from: try Learner.Resumption(path: "s", state: states[0])) })
          ])
      }
      let now = other.map { "\"\($0)\"" } ?? "null"
      #expect(
        error?.description
          == "s: model.source of the saved state is \"xxh64:1\", but here it is \(now); restore "
          + "it where they are equal, or skip model.source")
    }
  }

  /// Where two states differ first, for a message.
  private func first(differenceOf a: RunState, _ b: RunState) -> String {
    let path = a.leaves.first { a.fields[$0] != b.fields[$0] }
    return path.map {
      "\($0): \(String(describing: a.fields[$0])) \(String(describing: b.fields[$0]))"
    }
      ?? "fields differ"
  }
}

@Suite struct `Every saved field` {
  /// Moments of runs that between them have all fields at work.
  ///
  /// - Parameter first: Also the middle of the first epoch's validation, which the rig's EarlyStopping is
  ///   made to take for the best: only what is measured there comes back.
  /// - Returns: The moments, each with its rig and that rig's end.
  /// - Throws: What training throws.
  static func moments(
    first: Bool = false
  ) throws -> [(rig: ResumeRig, state: RunState, end: RunState)] {
    let within = try [
      ResumeRig.Parts(optimizer: "adam", oneCycle: true, accumulates: 3, isComplete: true),
      .init(
        optimizer: "sgd", oneCycle: false, accumulates: 3, isComplete: true, isWeighted: true),
      .init(isMeasured: true),
    ].flatMap { parts in
      let rig = ResumeRig(parts: parts)
      let (states, end) = try rig.uninterrupted()
      // Mid-accumulation, in the middle of validation, after the epoch; in several, since what one moment's
      // future makes up for, another's doesn't.
      return (first ? [(rig, states[5], end)] : [])
        + (parts.isMeasured ? [30] : [10, 20, 30]).flatMap { epoch in
          [1, 5, 7].map { (rig, states[8 * epoch + $0], end) }
        }
    }
    return try within
      + [
        ResumeRig.Parts(oneCycle: false, isComplete: true, restoresBest: false),
        .init(isMeasured: true),
      ].map(atTheEnd)
  }

  /// A moment in training and one in validation, late in a run with each optimiser of the table.
  private static func optimizerMoments(
    _ optimizer: String
  ) throws -> [(rig: ResumeRig, state: RunState, end: RunState)] {
    let rig = ResumeRig(parts: .init(optimizer: optimizer))
    let (states, end) = try rig.uninterrupted()
    return [1, 6].map { (rig, states[8 * 37 + $0], end) }
  }

  @Test(arguments: `A run that is gone on with`.optimizers)
  func `of each optimiser is needed and matters`(optimizer: String) throws {
    var survivors: Set<String> = []
    var killed: Set<String> = []
    for (rig, state, end) in try Self.optimizerMoments(optimizer) {
      let own = state.leaves.filter { path in
        path.components.first == "optimizer" || path.components.contains(optimizer)
      }
      for path in own {
        var dropped = state
        dropped.fields[path] = nil
        #expect(throws: CheckpointError.self, "\(path)") { try rig.resumed(from: dropped) }
        var changed = state
        changed.fields[path] = state.fields[path]?.changed
        switch Result(catching: { try rig.resumed(from: changed) }) {
        case .success(let got) where got == end: survivors.insert(path.description)
        case .success, .failure(is CheckpointError): killed.insert(path.description)
        case .failure(let error): Issue.record("\(path): \(error)")
        }
      }
    }
    survivors.subtract(killed)
    #expect(survivors.isEmpty, "\(survivors.sorted())")
    #expect(killed.count > 2)
  }

  /// The end of the last epoch, of a fit in which the results of that epoch are those of the fit or nothing comes after.
  private static func atTheEnd(
    of parts: ResumeRig.Parts
  ) throws -> (rig: ResumeRig, state: RunState, end: RunState) {
    let rig = ResumeRig(parts: parts)
    let (states, end) = try rig.uninterrupted()
    return (rig, states[8 * ResumeRig.epochs - 1], end)
  }

  @Test func `is needed: without any one, resuming fails and names it`() throws {
    for (rig, state, _) in try Self.moments() {
      // No epoch has to have all that callbacks may report.
      let reports = ["fit", "last", "results", "reports"]
      for path in state.leaves where !path.components.starts(with: reports) {
        var dropped = state
        dropped.fields[path] = nil
        let error = #expect(throws: CheckpointError.self, "\(path)") {
          try rig.resumed(from: dropped)
        }
        // A list that has become shorter is named as a whole, and so is one of lists.
        let named = "\(error.map { "\($0)" } ?? "nothing")"
        let list = Array(path.components.reversed().drop { Int($0) != nil }.reversed())
        // A callback's own check names its state.
        let isCallbacks = path.components.first == "callbacks"
        let owner = isCallbacks ? Array(path.components.prefix(3)) : path.components
        let places =
          [path.components.dropLast(), list[...], owner[...]].map {
            StateValue.Path(Array($0)).description
          } + [path.description]
        #expect(
          places.contains { named.contains($0) } || path.components.first == "fit",
          "\(path): \(named)")
      }
    }
  }

  @Test func `matters: changed, it is refused or changes the run`() throws {
    var survivors: Set<String> = []
    var killed: Set<String> = []
    for (rig, state, end) in try Self.moments(first: true) {
      #expect(try rig.resumed(from: state) == end)
      for path in state.leaves where !killed.contains(path.description) {
        var changed = state
        changed.fields[path] = state.fields[path]?.changed
        let result = Result { try rig.resumed(from: changed) }
        switch result {
        case .success(let got) where got == end: survivors.insert(path.description)
        case .success, .failure(is CheckpointError): killed.insert(path.description)
        case .failure(let error): Issue.record("\(path): \(error)")
        }
      }
    }
    survivors.subtract(killed)
    #expect(survivors.isEmpty, "\(survivors.sorted())")
    #expect(killed.count > 100, "\(killed.count) fields")
  }
}

extension StateValue {
  /// Another value of the same kind.
  fileprivate var changed: StateValue {
    switch self {
    case .null: .integer(7)
    case .bool(let value): .bool(!value)
    case .integer(let value): .integer(value + 1)
    case .number(let value): .number(value.isFinite ? value + 0.5 : 0)
    case .text(let text): .text(text + "x")
    case .list(let values): .list(values + [.null])
    case .fields(let fields): .fields(fields.merging(["more": .null]) { a, _ in a })
    case .array(let tensor): .array(tensor.changed)
    }
  }
}

extension Tensor {
  /// A tensor whose first element differs, or with an element more.
  fileprivate var changed: Tensor {
    guard elementCount > 0 else { return Tensor(zeros: [1], elementType: elementType) }
    var copy = self
    // Of little-endian numbers, a middle bit of the first.
    copy.withUnsafeMutableBytes { $0[elementType == .float32 ? 2 : 0] ^= 0x10 }
    return copy
  }
}
