import CrestData
import CrestLayers
import CrestOptimizers
import CrestPluginHost
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import Testing
import TrainingTestSupport

@Suite struct `A library at work` {
  private let folder: PluginFolder
  private let path: String
  private let lines = LogLines()

  init() throws {
    folder = try PluginFolder()
    path = try folder.write(BadBinaryTestsProbe.bytes.get())
    try folder.trust(in: path)
  }

  private func plugin(
    _ mode: String, number: Double = 0.5, onFailure: PluginFailurePolicy = .stop
  ) throws -> Plugin {
    try Plugin(
      path, ["mode": .text(mode), "number": .number(number)], onFailure: onFailure,
      lock: folder.lock, rehearses: false, log: lines.add)
  }

  private func learner(_ callbacks: [any Callback]) throws -> Learner {
    try Learner(
      TinyModel.linear(), data: TinyData.split(), metrics: [Accuracy()], callbacks: callbacks,
      batchSize: 16)
  }

  @Test func `is called at every hook, with what happens there`() throws {
    try learner([plugin("watch")]).fit(epochs: 1, learningRate: 0.1)
    let events = lines.lines.map { $0.replacing(#/loss 0x\S+/#, with: "loss L") }
    let none = "loss -0x1p+0 rate 0.1 metrics 0"
    let loss = "loss L rate 0.1 metrics 0"
    func batch(
      _ hook: Int, _ index: Int, _ count: Int, _ step: Int, outcome: Int = 0, _ rest: String
    )
      -> String
    {
      "\(hook) purpose 1 outcome \(outcome) epoch 0/1 batch \(index)/2 step \(step)/2 count \(count) \(rest)"
    }
    func trained(_ index: Int, _ count: Int) -> [String] {
      [
        batch(3, index, count, index, none), batch(4, index, count, index, none),
        batch(5, index, count, index, loss), batch(6, index, count, index, loss),
        batch(7, index, count, index, outcome: 1, loss), batch(8, index, count, index, loss),
        batch(9, index, count, index, outcome: 1, loss),
        batch(10, index, count, index, outcome: 1, loss),
      ]
    }
    let validated = [(3, 0, none), (4, 0, none), (5, 0, loss), (10, 1, loss)].map {
      "\($0.0) purpose 2 outcome \($0.1) epoch 0/1 batch 0/1 step 2/2 count 9 \($0.2)"
    }
    let measured = "loss L rate 0.1 metrics 1"
    let expected =
      [
        "0 purpose 0 outcome 0 epoch -1/1 batch -1/2 step 0/2 count 0 \(none)",
        "1 purpose 0 outcome 0 epoch 0/1 batch -1/2 step 0/2 count 0 \(none)",
        "2 purpose 1 outcome 0 epoch 0/1 batch -1/2 step 0/2 count 0 \(none)",
      ] + trained(0, 16) + trained(1, 6)
      + [
        "11 purpose 1 outcome 1 epoch 0/1 batch -1/2 step 2/2 count 22 \(loss)",
        "12 purpose 2 outcome 0 epoch 0/1 batch -1/1 step 2/2 count 0 \(none)",
      ] + validated
      + [
        "13 purpose 2 outcome 1 epoch 0/1 batch -1/1 step 2/2 count 9 \(measured)",
        "14 purpose 0 outcome 1 epoch 0/1 batch -1/2 step 2/2 count 0 loss -0x1p+0 rate 0.1 metrics 1",
        "15 purpose 0 outcome 1 epoch -1/1 batch -1/2 step 2/2 count 0 \(none)",
      ]
    #expect(events == expected)
  }

  @Test func `looks at tensors as they are in memory`() throws {
    var sums: [String] = []
    func add(_ what: String, _ name: String, _ tensor: Tensor) {
      let sum = tensor.array(as: Float.self).reduce(0) { $0 + Double($1) }
      let shape = tensor.shape.dimensions.map(String.init).joined(separator: ",")
      sums.append("\(what): \(name) [\(shape)] \(hexadecimal(sum))")
    }
    let reader = CallbackOf(
      .afterBackward { batch in
        guard batch.index == 1 else { return }
        let store = batch.learner.model.store
        for entry in store.parameters { add("parameter", entry.name, store.value(of: entry)) }
        for entry in store.parameters { add("gradient", entry.name, store.gradient(of: entry)) }
        add("prediction", "predictions", batch.read(.predictions))
        add("loss", "losses", batch.read(.losses))
        add("activation", "dense", batch.read(.activation("dense")))
      }, reads: [.predictions, .losses, .activation("dense")])
    try learner([reader, plugin("views")]).fit(epochs: 1, learningRate: 0.1)
    #expect(
      lines.lines
        == [
          "gradient: 4 gradients are available in training batches, from afterBackward to "
            + "afterBatch",
          "prediction: 4 predictions are available from afterPrediction to afterBatch",
        ] + sums
        + [
          "statistic: 2 the plugin has not declared that it reads statistics; declare it",
          "nothing: 3 there is no kind of tensor 9, expected 0 to 5",
        ])
  }

  /// As C's `%a`.
  private func hexadecimal(_ value: Double) -> String { String(format: "%a", value) }

  @Test func `sets what it owns, and is refused what it doesn't`() throws {
    var rates: [Double] = []
    let watch = CallbackOf(
      .afterStep { rates.append($0.hyperparameters.learningRate) }, order: 100)
    try learner([plugin("schedule", number: 0.25), watch]).fit(epochs: 1)
    #expect(rates == [0.25, 0.25])
    rates = []
    try learner([plugin("factor", number: 0.5), watch]).fit(epochs: 1, learningRate: 0.1)
    #expect(rates == [0.05, 0.05])
    try learner([plugin("refused")]).fit(epochs: 1, learningRate: 0.1)
    #expect(
      lines.lines
        == ["2", "2", "3", "3", "3", "2", "4", "3", "there is no phase 12, expected 0 to 6"])
  }

  @Test func `and another that owns the same are refused before training`() throws {
    let second = try folder.write(
      Compiler.probe(["-DIDENTIFIER=\"Second\""]), Manifest(identifier: "Second"))
    let first = try plugin("schedule")
    try folder.trust("Second", in: second)
    let other = try Plugin(
      second, ["mode": "schedule"], lock: folder.lock, rehearses: false, log: lines.add)
    var isTrained = false
    let watch = CallbackOf(.beforeFit { _ in isTrained = true })
    let error = #expect(throws: LearnerError.self) {
      try learner([first, other, watch]).fit(epochs: 1)
    }
    #expect(
      error?.description == "Probe and Second both set the learning rate; remove one of them")
    #expect(!isTrained)
  }

  @Test func `ends a fit with its reason`() throws {
    let outcome = try learner([plugin("cancel")]).fit(epochs: 5, learningRate: 0.1)
    guard case .cancelled(let cancellation) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect("\(cancellation)" == "fit cancelled by Probe: seen enough")
  }

  @Test func `that fails ends the fit, or goes without it`() throws {
    let error = #expect(throws: PluginError.self) {
      try learner([plugin("fail")]).fit(epochs: 1, learningRate: 0.1)
    }
    #expect(error?.description == "plugin Probe failed in afterLoss: it broke")
    let outcome = try learner([plugin("fail", onFailure: .disable)])
      .fit(epochs: 2, learningRate: 0.1)
    #expect(outcome.isFinished)
    #expect(
      lines.lines == ["plugin Probe failed in afterLoss: it broke; training continues without it"])
  }

  @Test func `that failed does not go unnoticed into another fit`() throws {
    let learner = try learner([plugin("fail")])
    for _ in 0..<2 {
      let error = #expect(throws: PluginError.self) {
        try learner.fit(epochs: 1, learningRate: 0.1)
      }
      #expect(error?.description == "plugin Probe failed in afterLoss: it broke")
    }
  }

  @Test func `says why it can't be made`() throws {
    let error = #expect(throws: PluginError.self) { try plugin("no-create") }
    #expect(error?.description == "plugin Probe failed in create: there is nothing to watch")
    let rehearsal = #expect(throws: PluginError.self) {
      try Plugin(path, ["mode": "no-create"], lock: folder.lock)
    }
    #expect(
      rehearsal?.description
        == "\(path)/libProbe.so failed in a trial run: there is nothing to watch")
  }

  @Test func `reports numbers beside the metrics`() throws {
    var reports: [Double?] = []
    let watch = CallbackOf(
      .afterEpoch { reports.append($0.reports["probe_events"]) }, order: 100)
    let learner = try learner([plugin("count"), watch])
    try learner.fit(epochs: 2, learningRate: 0.1)
    #expect(reports == [27, 53])
  }

  @Test func `keeps its state through a snapshot, bit for bit`() throws {
    let plugin = try plugin("count")
    let learner = try learner([plugin])
    try learner.fit(epochs: 1, learningRate: 0.1)
    let state = plugin.state
    #expect(state.bytes == [28, 0, 0, 0, 0, 0, 0, 0])
    let snapshot = learner.snapshot()
    try learner.fit(epochs: 1, learningRate: 0.1)
    #expect(plugin.state != state)
    learner.restore(snapshot)
    #expect(plugin.state == state)
    // As a checkpoint does: through text, into another instance.
    let copy = try JSONDecoder().decode(Plugin.State.self, from: JSONEncoder().encode(state))
    let other = try self.plugin("count")
    try other.restore(copy)
    #expect(other.state == state)
  }

  @Test(arguments: [
    ("huge-state", "its state has more than 67108864 bytes"),
    ("endless-state", "its state has more than 67108864 bytes"),
    ("no-bytes", "it wrote 3 bytes from nowhere"),
  ]) func `writes no state beyond all measure`(mode: String, reason: String) throws {
    let plugin = try plugin(mode)
    let error = PluginError.failed(plugin: "Probe", during: "save_state", reason: reason)
    let state = plugin.state
    #expect(state.bytes == [])
    #expect(state.failure == error)
    #expect(throws: error) { try JSONEncoder().encode(state) }
    #expect(throws: error) { try learner([plugin]).fit(epochs: 1, learningRate: 0.1) }
  }

  @Test func `that nobody named is not called`() throws {
    let plugin = try plugin("count")
    try learner([]).fit(epochs: 1, learningRate: 0.1)
    #expect(plugin.state.bytes == [0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test(arguments: ["watch", "fail"]) func `keeps no learner when it is done`(
    mode: String
  ) throws {
    weak var learner: Learner?
    do {
      let own = try self.learner([plugin(mode)])
      learner = own
      _ = Result { try own.fit(epochs: 1, learningRate: 0.1) }
    }
    #expect(learner == nil)
  }

  @Test func `takes no state of another plugin, or of itself in another version`() throws {
    let plugin = try plugin("count")
    let text = try String(decoding: JSONEncoder().encode(plugin.state), as: UTF8.self)
    func state(_ old: String, _ new: String) throws -> Plugin.State {
      try JSONDecoder().decode(
        Plugin.State.self, from: Data(text.replacing(old, with: new).utf8))
    }
    let other = #expect(throws: PluginError.self) {
      try plugin.restore(state("\"Probe\"", "\"Guard\""))
    }
    #expect(
      other?.description == "the state of plugin Probe: it belongs to the plugin Guard")
    let digest = String(repeating: "ab", count: 32)
    let changed = #expect(throws: PluginError.self) {
      try plugin.restore(state(plugin.digest, digest))
    }
    #expect(
      changed?.description
        == "the state of plugin Probe: it belongs to version 1.0.0 with SHA-256 \(digest), but "
        + "this is version 1.0.0 with \(plugin.digest); install the plugin that the run was "
        + "started with")
  }

  @Test func `asks for nothing that its manifest doesn't say`() throws {
    try folder.write(try BadBinaryTestsProbe.bytes.get(), Manifest(permissions: "[]"))
    try folder.trust(in: path)
    let error = #expect(throws: PluginError.self) { try plugin("views") }
    #expect(
      error?.description
        == "\(path)/crest-plugin.json is wrong: the plugin asks for activations, gradients, "
        + "losses, metrics, parameters, predictions, which its permissions lack; add them, and "
        + "lock it again")
    let many = #expect(throws: PluginError.self) {
      try folder.write(try BadBinaryTestsProbe.bytes.get())
      try folder.trust(in: path)
      _ = try plugin("many-reports")
    }
    #expect(
      many?.description
        == "\(path)/crest-plugin.json is wrong: it reports 65 numbers, expected at most 64"
    )
    let unknown = #expect(throws: PluginError.self) { try plugin("unknown-hook") }
    #expect(
      unknown?.description
        == "\(path)/libProbe.so is refused: it asks for hooks 1\(String(repeating: "0", count: 40)), of "
        + "which some are unknown")
  }

  @Test func `is called what its manifest calls it`() throws {
    let path = try folder.write(Compiler.probe(["-DIDENTIFIER=\"Other\""]))
    try folder.trust(in: path)
    let error = #expect(throws: PluginError.self) { try plugin("none") }
    #expect(
      error?.description
        == "\(path)/crest-plugin.json is wrong: identifier is Probe, but the library says Other; "
        + "correct one of them")
  }
}

/// One build for all suites.
enum BadBinaryTestsProbe {
  static var bytes: Result<[UInt8], any Error> { `Bad binaries`.good }
}

@Suite struct `The sample NanGuard` {
  private let folder: PluginFolder
  private let path: String
  private let lines = LogLines()

  init() throws {
    folder = try PluginFolder()
    let manifest = Manifest(
      identifier: "NanGuard", file: "libNanGuard.so",
      permissions: #"["gradients", "metrics", "cancel"]"#,
      configuration: #"""
        {"limit": {"type": "integer", "summary": "", "default": 3},
         "statistics": {"type": "boolean", "summary": "", "default": false}}
        """#)
    path = try folder.write(Compiler.nanGuard(), manifest)
    try folder.trust("NanGuard", in: path)
  }

  /// Makes the first gradient infinite in some steps.
  private func poison(_ steps: Set<Int>) -> CallbackOf {
    CallbackOf(
      .afterBackward { batch in
        guard steps.contains(batch.learner.batchesTrained) else { return }
        batch.learner.model.store.withBuffer(.gradients) { $0[0] = .infinity }
      })
  }

  private func fit(_ steps: Set<Int>) throws -> (outcome: PhaseContext.Outcome, learner: Learner) {
    let guardian = try Plugin(
      path, ["limit": 2], lock: folder.lock, rehearses: false, log: lines.add)
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), callbacks: [poison(steps), guardian], batchSize: 8
    )
    return (try learner.fit(epochs: 2, learningRate: 0.1), learner)
  }

  @Test func `skips the steps whose gradients are not finite`() throws {
    let (outcome, learner) = try fit([1, 3])
    #expect(outcome.isFinished)
    #expect(learner.stepsTaken == 4)
    let isFinite = learner.model.store.withBuffer(.parameters) { $0.allSatisfy(\.isFinite) }
    #expect(isFinite)
    #expect(
      lines.lines == [
        "1 gradients are not finite in step 0, the first in dense.weight",
        "1 gradients are not finite in step 1, the first in dense.weight",
      ])
  }

  @Test func `ends training after its limit in a row`() throws {
    let (outcome, _) = try fit([2, 3])
    guard case .cancelled(let cancellation) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(cancellation.phase == .fit)
    #expect(
      cancellation.reason == "1 gradients are not finite in step 1, the first in dense.weight")
  }
}
