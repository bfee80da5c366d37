import CrestData
import CrestLayers
import CrestOptimizers
import CrestPluginHost
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import Testing
import TrainingTestSupport

/// A plugin of each kind whose memory steers training: the library the learning rate, the process its factor.
@Suite struct `A run with plugins that is gone on with` {
  private let folder: PluginFolder
  private let library: String
  private let process: String
  private static let epochs = 3

  init() throws {
    folder = try PluginFolder()
    library = try folder.write(Compiler.probe())
    process = try folder.write(Compiler.counter(), .counter)
    try folder.trust([library, process])
  }

  /// A learner whose plugins are new in all, and have its own processes.
  private func learner(
    library: Bool = true, process: Bool = true, number: Double = 0.2
  ) throws -> Learner {
    var plugins: [any Callback] = []
    if library {
      plugins.append(
        try Plugin(
          self.library, ["mode": "decay", "number": .number(number)], lock: folder.lock,
          rehearses: false))
    }
    if process { plugins.append(try Plugin(self.process, lock: folder.lock)) }
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(), optimizer: SGD(), metrics: [Accuracy()],
      callbacks: plugins, batchSize: 5, prefetch: 0)
    // Time would make two runs differ.
    learner.now = { .zero }
    return learner
  }

  private func uninterrupted() throws -> (states: [RunState], end: RunState) {
    try learner().fitSavingStates(epochs: Self.epochs)
  }

  private func resumed(_ learner: Learner, from state: RunState) throws -> RunState {
    try learner.fitResuming(from: state, path: "run", epochs: Self.epochs)
  }

  @Test
  func `ends with the bits it would have had, from every batch, those of the plugins included`()
    throws
  {
    let (states, end) = try uninterrupted()
    // 5 training and 2 validation batches, and the end of the epoch.
    #expect(states.count == 8 * Self.epochs)
    let disk = SimulatedDisk()
    for (place, state) in states.enumerated() {
      try CheckpointFile.write(state, to: "d/run", on: disk)
      let got = try resumed(learner(), from: CheckpointFile.read("d/run", on: disk))
      #expect(got == end, "from state \(place)")
    }
  }

  /// The control: what a plugin remembers does show at the end.
  @Test(arguments: ["Probe", "Counter"]) func `ends otherwise when a plugin has forgotten`(
    plugin: String
  ) throws {
    let (states, end) = try uninterrupted()
    var state = states[11]
    let path = StateValue.Path(["callbacks", plugin, "state", "bytes"])
    guard case .array(let bytes)? = state.fields[path] else {
      Issue.record("there is no \(path)")
      return
    }
    state.fields[path] = .array(Tensor(zeros: bytes.shape, elementType: .uint8))
    let got = try resumed(learner(), from: state)
    let weights = StateValue.Path(["model", "parameters"])
    #expect(got.fields[weights] != end.fields[weights])
  }

  private func refusal(_ learner: Learner, _ state: RunState) -> String? {
    #expect(throws: CheckpointError.self) { try resumed(learner, from: state) }?.description
  }

  @Test func `needs each of its plugins, and says which is missing`() throws {
    let state = try uninterrupted().states[11]
    for (learner, name) in [
      (try learner(library: false), "Probe"), (try learner(process: false), "Counter"),
    ] {
      #expect(
        refusal(learner, state)
          == "run: the saved state has callbacks.\(name), which nothing here uses; restore it "
          + "with the parts it was saved with, or skip callbacks.\(name)")
    }
  }

  @Test func `needs their versions, hashes and settings, and says which differs`() throws {
    let state = try uninterrupted().states[11]
    func advice(_ path: String, _ saved: String, _ now: String) -> String {
      "run: \(path) of the saved state is \"\(saved)\", but here it is \"\(now)\"; restore it "
        + "where they are equal, or skip \(path)"
    }
    #expect(
      refusal(try learner(number: 0.5), state)
        == advice(
          "callbacks.Probe.settings.configuration",
          #"{\"mode\":\"decay\",\"number\":0.2}"#, #"{\"mode\":\"decay\",\"number\":0.5}"#))
    let digest = String(repeating: "ab", count: 32)
    for name in ["Probe", "Counter"] {
      for (field, other) in [("version", "0.9.0"), ("sha256", digest)] {
        var changed = state
        let path = StateValue.Path(["callbacks", name, "settings", field])
        guard case .text(let now)? = state.fields[path] else {
          Issue.record("there is no \(path)")
          return
        }
        changed.fields[path] = .text(other)
        #expect(
          refusal(try learner(), changed)
            == advice("callbacks.\(name).settings.\(field)", other, now))
      }
    }
  }

  /// Every field of a plugin, left out one after the other.
  @Test func `needs every field of their states`() throws {
    let state = try uninterrupted().states[11]
    let leaves = state.leaves.filter {
      $0.components.first == "callbacks" && ["Probe", "Counter"].contains($0.components[1])
    }
    // Three settings and four fields of the state.
    #expect(leaves.count == 2 * 7)
    for leaf in leaves {
      var changed = state
      changed.fields[leaf] = nil
      #expect(
        refusal(try learner(), changed)
          == "run: the saved state has no \(leaf); it comes from a run with other parts, or from "
          + "another version: restore it with the parts it was saved with, or skip \(leaf)")
    }
  }

  @Test func `is not saved when a plugin can't say what it remembers`() throws {
    let path = try folder.write(Compiler.chaos.get(), .chaos())
    try folder.trust([path])
    let plugin = try Plugin(path, ["fault": "bad-state", "at": 1000], lock: folder.lock)
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), callbacks: [plugin], batchSize: 5, prefetch: 0)
    let save = CallbackOf(
      .afterBatch { _ = try $0.learner.runState() }, name: "Save", order: .max)
    let error = #expect(throws: PluginError.self) { try learner.fit(epochs: 1, callbacks: [save]) }
    #expect(
      error?.description
        == "plugin Chaos failed in saving its state: expected \"state\" in Base64")
  }
}
