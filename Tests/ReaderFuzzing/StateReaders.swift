import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestState
import CrestTensor
import CrestTraining
import TrainingTestSupport

/// Readers of checkpoints.
let stateReaders = [checkpoint, resumption]

private let checkpoint = FuzzedReader(
  "checkpoint", sources: ["CrestState/", "CrestTensor/Safetensors/", "CrestTensor/JSON/"]
) {
  try [
    CheckpointFile.bytes(of: RunState(.fields([:]))),
    CheckpointFile.bytes(
      of: RunState(
        .fields([
          "run": .fields(["epochsBegun": .integer(3), "x": .number(-.infinity)]),
          "text": .text("é\"\\\n"), "list": .list([.null, .bool(true), .number(0.5)]),
          "data": .fields([
            "classNames": .list([.text("a"), .text("b")]), "classAxis": .integer(1),
          ]),
          "model": .fields([
            "parameters": .fields(["w": .array(Tensor([1, 2, 3] as [Float]))]),
            "statistics": .fields([:]),
          ]),
        ]))),
  ]
} begin: {
  let disk = SimulatedDisk()
  func read(_ bytes: [UInt8]) -> RunState? {
    disk["d/c"] = bytes
    do throws(CheckpointError) { return try CheckpointFile.read("d/c", on: disk) } catch {
      return nil
    }
  }
  return { bytes in
    guard let state = read(sealed(bytes)) else { return false }
    do throws(StateError) {
      _ = try CheckpointFile.Summary(state).lines
    } catch {
      return false
    }
    guard let again = read(try CheckpointFile.bytes(of: state)) else {
      throw ReaderFault("what it writes is refused")
    }
    let texts = [state, again].map { $0.fields.json { path, _ in path.description } }
    try expect(texts[0] == texts[1], "written, it is another")
    return true
  }
}

/// A file with the checksum that it should have, so that damage reaches what lies behind that check.
private func sealed(_ bytes: [UInt8]) -> [UInt8] {
  let key = Array("\"crest.xxh64\":\"".utf8)
  guard let place = bytes.firstRange(of: key), place.upperBound + 16 <= bytes.count else {
    return bytes
  }
  let digits = place.upperBound..<place.upperBound + 16
  var bytes = bytes
  bytes.replaceSubrange(digits, with: [UInt8](repeating: UInt8(ascii: "0"), count: 16))
  var hash = Fingerprint()
  bytes.withUnsafeBytes { hash.add($0) }
  bytes.replaceSubrange(digits, with: hash.text.dropFirst("xxh64:".count).utf8)
  return bytes
}

/// What a fit reads when it resumes: the text of a saved state, in a file with the arrays of a good one, whose number
/// the first byte is.
private let resumption = FuzzedReader(
  "resumption",
  sources: ["CrestState/State", "CrestTraining/State/", "CrestTraining/Loop/TrainingLoop+State"]
) {
  try ResumedRun().states.enumerated().map { [UInt8($0)] + $1.json.utf8 }
} begin: {
  let run = try ResumedRun()
  let disk = SimulatedDisk()
  let beginning = run.learner.snapshot()
  return { bytes in
    let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
    let tensors = run.states[Int(bytes.first ?? 0) % run.states.count].tensors
    disk["d/c"] = try CheckpointForgery.file(json: text, tensors: tensors)
    let state: RunState
    do throws(CheckpointError) { state = try CheckpointFile.read("d/c", on: disk) } catch {
      return false
    }
    defer { run.learner.restore(beginning) }
    do {
      try run.fit([
        CallbackOf(
          .beforeFit { $0.resume(from: try .init(path: "state", state: state)) },
          .beforeBatch { _ in throw Cancel(.fit, reason: "it was read") })
      ])
    } catch is CheckpointError {
      return false
    } catch is CallbackError {
      return false
    }
    return true
  }
}

/// A small run of everything that is saved, and what was saved of it.
private struct ResumedRun {
  struct Saved {
    let json: String
    let tensors: [String: Tensor]
  }

  let learner: Learner
  private(set) var states: [Saved] = []

  init() throws {
    learner = try Learner(
      TinyModel.full(), data: TinyData.split(train: 7, valid: 4), optimizer: AdamW(),
      metrics: [Accuracy()], batchSize: 4, prefetch: 0)
    learner.now = { .zero }
    let beginning = learner.snapshot()
    var found: [RunState] = []
    try fit([
      CallbackOf(
        .afterBatch { found.append(try $0.learner.runState()) },
        .afterEpoch { found.append(try $0.learner.runState()) }, name: "Save", order: .max)
    ])
    learner.restore(beginning)
    states = found.map { state in
      var tensors: [String: Tensor] = [:]
      let json = state.fields.json { path, tensor in
        tensors[path.description] = tensor
        return path.description
      }
      return Saved(json: json, tensors: tensors)
    }
  }

  func fit(_ callbacks: [any Callback]) throws {
    try learner.fit(
      epochs: 2,
      callbacks: [
        OneCycleScheduler(maxLR: 0.1), EMA(decay: 0.9), EarlyStopping(patience: 3),
        ReduceLROnPlateau(monitor: .trainLoss, factor: 0.5, patience: 3, cooldown: 2),
      ] + callbacks)
  }
}
