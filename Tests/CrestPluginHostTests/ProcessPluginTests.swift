import CrestLayers
import CrestOptimizers
import CrestPluginHost
import CrestRuntime
import CrestTraining
import Foundation
import Testing
import TrainingTestSupport

/// Faults of plugins in processes of their own; the campaign plugin-faults does a thousand.
@Suite struct `A process at fault` {
  private let folder: PluginFolder
  private let path: String
  private let lines = LogLines()

  init() throws {
    folder = try PluginFolder()
    path = try folder.write(Compiler.chaos.get(), .chaos())
    try folder.trust("Chaos", in: path)
  }

  private func limit(_ limits: String) throws {
    try folder.write(Compiler.chaos.get(), .chaos(limits))
    try folder.trust("Chaos", in: path)
  }

  private func plugin(
    _ fault: String, at event: Double = 2, onFailure: PluginFailurePolicy = .stop
  ) throws -> Plugin {
    try Plugin(
      path, ["fault": .text(fault), "at": .number(event)], onFailure: onFailure, lock: folder.lock,
      log: lines.add)
  }

  private func fit(_ plugin: Plugin) throws -> PhaseContext.Outcome {
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), callbacks: [plugin], batchSize: 8)
    return try learner.fit(epochs: 2, learningRate: 0.1)
  }

  static let faults: [(fault: String, reason: String)] = [
    ("trap", "its process ended by signal 4 (Illegal instruction)"),
    ("abort", "its process ended by signal 6 (Aborted)"),
    ("null", "its process ended by signal 11 (Segmentation fault)"),
    ("kill", "its process ended by signal 9 (Killed)"),
    ("exit", "its process ended with exit code 0"),
    // Its child, which holds the pipe open, goes with it.
    ("child", "its process ended with exit code 0"),
    ("hang", "it did not answer within 0.3 s, and was killed"),
    ("ignore-signals", "it did not answer within 0.3 s, and was killed"),
    ("half-line", "it did not answer within 0.3 s, and was killed"),
    ("close", "its process closed its output without ending, and was killed"),
    ("list", "it sent \"[1,2,3]\", but it is not JSON at byte 0: expected an object"),
    (
      "twice",
      "it sent \"{\\\"event\\\":2,\\\"event\\\":2}\", but it is not JSON at byte 20: expected "
        + "\"event\" once"
    ),
    ("other-event", "it answered event 1002, which nothing was waiting for"),
    ("unknown-action", "there is no action {\"delete\":\"everything\"}"),
    ("not-owned", "the plugin has not declared that it owns the learning rate; declare it"),
    ("not-a-number", "it sent the action report whose value is \"many\", expected a number"),
    ("error", "it is broken"),
    ("long-line", "it sent a line of more than 1048576 bytes, and was killed"),
    ("messages", "it sent 1000 messages at once"),
    ("long-messages", "it did not answer within 0.3 s, and was killed"),
    ("escapes", "\\u{1b}[2Jall is well\\u{a}Error: not so"),
    (
      "surroundings",
      "descriptors 0 1 2, variables PATH LANG SWIFT_BACKTRACE PYTHONDONTWRITEBYTECODE "
        + "CREST_PLUGIN_COOKIE"
    ),
  ]

  @Test(arguments: faults) func `ends the fit with an error, and nothing else`(
    _ fault: (fault: String, reason: String)
  ) throws {
    if ["long-line", "messages", "surroundings"].contains(fault.fault) {
      try limit(#"{"answer_seconds": 60}"#)
    }
    let plugin = try plugin(fault.fault)
    let error = #expect(throws: PluginError.self) { try fit(plugin) }
    #expect(error?.description == "plugin Chaos failed in afterBatch: \(fault.reason)")
  }

  @Test(arguments: ["garbage", "deep"]) func `that sends what is no JSON is told so`(
    _ fault: String
  ) throws {
    let plugin = try plugin(fault)
    let error = #expect(throws: PluginError.self) { try fit(plugin) }
    let message = error?.description ?? ""
    #expect(message.hasPrefix("plugin Chaos failed in afterBatch: it sent "), "\(message)")
    #expect(message.contains("but it is not JSON at byte "), "\(message)")
  }

  @Test func `that ends after its answer is missed at the next event`() throws {
    let plugin = try plugin("exit-late")
    let error = #expect(throws: PluginError.self) { try fit(plugin) }
    #expect(
      error?.description == "plugin Chaos failed in afterBatch: its process ended with exit code 3")
  }

  @Test func `that wants too much memory is ended`() throws {
    try limit(#"{"answer_seconds": 60, "memory_mib": 64}"#)
    let plugin = try plugin("memory")
    let error = #expect(throws: PluginError.self) { try fit(plugin) }
    #expect(
      error?.description
        == "plugin Chaos failed in afterBatch: its process ended by signal 6 (Aborted)")
  }

  @Test func `that uses too much of the processor is ended`() throws {
    try limit(#"{"answer_seconds": 60, "processor_seconds": 1}"#)
    let plugin = try plugin("processor")
    let error = #expect(throws: PluginError.self) { try fit(plugin) }
    let message = error?.description ?? ""
    // SIGXCPU, or SIGKILL where soft and hard limit are one.
    #expect(
      message.hasPrefix("plugin Chaos failed in afterBatch: its process ended by signal "),
      "\(message)")
  }

  @Test(arguments: [
    ("early-exit", "its process ended with exit code 1"),
    ("early-trap", "its process ended by signal 4 (Illegal instruction)"),
    ("early-garbage", "it sent \"Hello!\", but it is not JSON at byte 0: expected a digit"),
  ]) func `when it starts is not begun with`(fault: String, reason: String) throws {
    let error = #expect(throws: PluginError.self) { try plugin(fault) }
    #expect(error?.description == "plugin Chaos failed in create: \(reason)")
  }

  @Test func `that starts too slowly is not waited for`() throws {
    try limit(#"{"start_seconds": 0.1}"#)
    let error = #expect(throws: PluginError.self) { try plugin("slow-start") }
    #expect(
      error?.description
        == "plugin Chaos failed in create: it did not answer within 0.1 s, and was killed")
  }

  @Test func `that doesn't know its cookie was not started by us`() throws {
    let error = #expect(throws: PluginError.self) { try plugin("wrong-cookie") }
    #expect(
      error?.description
        == "the first message of \(path)/chaos is refused: cookie: expected the value of "
        + "CREST_PLUGIN_COOKIE")
  }

  @Test func `is disabled where that is the policy`() throws {
    let outcome = try fit(plugin("trap", onFailure: .disable))
    #expect(outcome.isFinished)
    #expect(
      lines.lines == [
        "plugin Chaos failed in afterBatch: its process ended by signal 4 (Illegal instruction); "
          + "training continues without it"
      ])
  }

  @Test func `is started again, but not for ever`() throws {
    let plugin = try plugin("trap", onFailure: .restart(atMost: 2))
    let error = #expect(throws: PluginError.self) { try fit(plugin) }
    let reason =
      "plugin Chaos failed in afterBatch: its process ended by signal 4 (Illegal instruction)"
    #expect(error?.description == reason)
    #expect(
      lines.lines == [
        "\(reason); it is restarted, 1 of 2 times",
        "\(reason); it is restarted, 2 of 2 times",
      ])
  }
}

@Suite struct `A process at work` {
  private func plugin(_ settings: [String: PluginValue] = [:]) throws -> (PluginFolder, Plugin) {
    let folder = try PluginFolder()
    let path = try folder.write(Compiler.chaos.get(), .chaos())
    try folder.trust("Chaos", in: path)
    return (folder, try Plugin(path, settings, lock: folder.lock))
  }

  @Test func `keeps its state`() throws {
    let (folder, plugin) = try plugin()
    defer { withExtendedLifetime(folder) {} }
    #expect(plugin.state.bytes == [1, 2, 3])
    try plugin.restore(plugin.state)
  }

  @Test func `whose state can't be read fails at the next event`() throws {
    let (folder, plugin) = try plugin(["fault": "bad-state"])
    defer { withExtendedLifetime(folder) {} }
    #expect(plugin.state.bytes == [])
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), callbacks: [plugin], batchSize: 8)
    let error = #expect(throws: PluginError.self) { try learner.fit(epochs: 1, learningRate: 0.1) }
    #expect(
      error?.description
        == "plugin Chaos failed in saving its state: expected \"state\" in Base64")
  }

  @Test func `is asked for by an interpreter that is there`() throws {
    let folder = try PluginFolder()
    var manifest = Manifest.chaos()
    manifest.more += #", "interpreter": ["no-such-program-of-crest"]"#
    let path = try folder.write(Compiler.chaos.get(), manifest)
    try folder.trust("Chaos", in: path)
    let error = #expect(throws: PluginError.self) { try Plugin(path, lock: folder.lock) }
    #expect(
      error?.description
        == "\(path)/crest-plugin.json is refused: interpreter: there is no program "
        + "no-such-program-of-crest in /usr/local/bin, /usr/bin, /bin; install it, or give its full path"
    )
  }

  @Test func `is all that can be started again`() throws {
    let folder = try PluginFolder()
    let path = try folder.write(BadBinaryTestsProbe.bytes.get())
    try folder.trust(in: path)
    let error = #expect(throws: PluginError.self) {
      try Plugin(path, onFailure: .restart(atMost: 1), lock: folder.lock)
    }
    #expect(
      error?.description
        == "plugin Probe: a library can't be started again; use the policy stop or disable")
  }
}
