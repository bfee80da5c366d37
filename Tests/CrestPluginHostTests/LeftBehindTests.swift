import CrestLayers
import CrestPluginHost
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

#if os(Linux)
  /// Whatever a plugin in a process of its own starts; the campaign child-misbehaviours does it in every way ten times.
  @Suite struct `What a process leaves behind` {
    private let folder: PluginFolder
    private let path: String
    private let lines = LogLines()

    init() throws {
      folder = try PluginFolder()
      // Beside all other tests an answer may take long.
      path = try folder.write(Compiler.chaos.get(), .chaos(#"{"answer_seconds": 60}"#))
      try folder.trust("Chaos", in: path)
    }

    /// Where the process can't answer, a short wait for it.
    private func waitsShortly() throws {
      _ = try folder.write(Compiler.chaos.get(), .chaos())
      try folder.trust("Chaos", in: path)
    }

    /// A fit with a plugin that leaves something behind; the name of that.
    private func fit(
      _ way: LeftBehind, _ fault: String, _ policy: PluginFailurePolicy = .stop
    ) throws -> (mark: String, error: (any Error)?) {
      let mark = "left" + String(UInt32.random(in: .min ... .max), radix: 36)
      if [.supervisorKilled, .supervisorStopped].contains(way) { try waitsShortly() }
      do {
        let plugin = try Plugin(
          path,
          [
            "leave": .text(way.rawValue), "mark": .text(mark), "fault": .text(fault),
            "at": .number(2),
          ], onFailure: policy, lock: folder.lock, log: lines.add)
        try Learner(
          TinyModel.linear(), data: TinyData.split(), callbacks: [plugin], batchSize: 8
        ).fit(epochs: 2, learningRate: 0.1)
        return (mark, nil)
      } catch {
        return (mark, error)
      }
    }

    private func expectNothing(_ mark: String, _ way: LeftBehind) {
      let count = LeftBehind.count(named: mark)
      #expect(count == 0, "\(way.rawValue)")
      LeftBehind.end(named: mark)
    }

    @Test(arguments: LeftBehind.allCases) func `ends with a run that finishes`(_ way: LeftBehind)
      throws
    {
      let (mark, error) = try fit(way, "none")
      expectNothing(mark, way)
      // What is attacked notices; all else is no error.
      if ![.supervisorKilled, .supervisorStopped].contains(way) {
        #expect(error == nil, "\(way.rawValue): \(String(describing: error))")
      }
    }

    @Test(arguments: LeftBehind.allCases) func `ends with a plugin that fails`(_ way: LeftBehind)
      throws
    {
      let (mark, error) = try fit(way, "error")
      expectNothing(mark, way)
      #expect(error is PluginError, "\(way.rawValue)")
    }

    @Test(arguments: LeftBehind.allCases) func `ends with a plugin that is disabled`(
      _ way: LeftBehind
    ) throws {
      let (mark, error) = try fit(way, "trap", .disable)
      expectNothing(mark, way)
      #expect(error == nil, "\(way.rawValue): \(String(describing: error))")
    }

    @Test func `ends before the plugin is started again`() throws {
      let (mark, error) = try fit(.daemon, "trap", .restart(atMost: 2))
      expectNothing(mark, .daemon)
      #expect(error is PluginError)
    }

    @Test func `is looked after by a process that keeps none of this one's memory`() throws {
      // Changed while the plugin runs, so that a copy would be kept of what it was.
      var memory = [UInt8](repeating: 1, count: 1 << 28)
      let mark = "left" + String(UInt32.random(in: .min ... .max), radix: 36)
      let plugin = try Plugin(
        path, ["mark": .text(mark)], lock: folder.lock, log: lines.add)
      for place in stride(from: 0, to: memory.count, by: 4096) { memory[place] = 2 }
      let supervisors = try Self.supervisors(of: getpid(), watching: mark)
      #expect(supervisors.count == 1)
      for process in supervisors {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") })
        let kibibytes = try #require(
          Int(line.split { $0 == " " || $0 == "\t" }[1]), "\(line)")
        #expect(kibibytes < 8192)
      }
      withExtendedLifetime((memory, plugin)) {}
    }

    /// The children of a process whose child has a name.
    private static func supervisors(of parent: pid_t, watching name: String) throws -> [Int] {
      func fields(_ number: Int) -> (name: String, parent: Int)? {
        guard let text = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
          let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")")
        else { return nil }
        let rest = text[close...].dropFirst(2).split(separator: " ")
        return (String(text[open..<close].dropFirst()), Int(rest[1]) ?? 0)
      }
      let numbers = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap {
        Int($0)
      }
      let parents = numbers.compactMap { fields($0) }.filter { $0.name == name }.map(\.parent)
      return parents.filter { fields($0)?.parent == Int(parent) }
    }
  }
#endif

/// What a process may say.
@Suite struct `Messages of a process` {
  private let folder: PluginFolder
  private let path: String
  private let lines = LogLines()

  init() throws {
    folder = try PluginFolder()
    path = try folder.write(Compiler.chaos.get(), .chaos(#"{"answer_seconds": 60}"#))
    try folder.trust("Chaos", in: path)
  }

  private func error(_ settings: [String: PluginValue]) throws -> (any Error)? {
    do {
      let plugin = try Plugin(path, settings, lock: folder.lock, log: lines.add)
      try Learner(
        TinyModel.linear(), data: TinyData.split(), callbacks: [plugin], batchSize: 8
      ).fit(epochs: 2, learningRate: 0.1)
      return nil
    } catch {
      return error
    }
  }

  /// Answers with ' for " and # for the event's number, and why they are refused.
  static let refused: [(answer: String, reason: String)] = [
    (
      "{'event':#,'note':1}",
      "it sent a message with \"note\", which the protocol does not have; remove it"
    ),
    (
      "{'event':#,'stop':true,'also':1}",
      "it sent a message with \"also\", which the protocol does not have; remove it"
    ),
    ("{'event':'#'}", "it sent a message whose event is \"2\", expected a whole number"),
    ("{'event':1.5}", "it sent a message whose event is 1.5, expected a whole number"),
    ("{'event':#,'error':5}", "it sent a message whose error is 5, expected a string"),
    ("{'event':#,'state':[]}", "it sent a message whose state is a list, expected a string"),
    ("{'event':#,'actions':{}}", "it sent a message whose actions is an object, expected a list"),
    ("{'event':#,'actions':[7]}", "it sent an action that is 7, expected an object"),
    (
      "{'event':#,'actions':[{'log':'x','colour':'red'}]}",
      "it sent the action log with \"colour\", which the protocol does not have; remove it"
    ),
    (
      "{'event':#,'actions':[{'log':'x','level':3}]}",
      "it sent the action log whose level is 3, expected one of debug, info, warning, error"
    ),
    (
      "{'event':#,'actions':[{'log':null}]}",
      "it sent the action log whose log is null, expected a string"
    ),
    (
      "{'event':#,'actions':[{'report':'chaos'}]}",
      "it sent the action report without value, expected a number"
    ),
    (
      "{'event':#,'actions':[{'set':'speed','value':1}]}",
      "it sent the action set whose set is \"speed\", expected one of learning_rate, "
        + "learning_rate_factor, momentum, momentum_factor, weight_decay, weight_decay_factor"
    ),
    (
      "{'event':#,'actions':[{'cancel':'fit','reason':1}]}",
      "it sent the action cancel whose reason is 1, expected a string"
    ),
    (
      "{'event':#,'actions':[{'cancel':'world'}]}",
      "it sent the action cancel whose cancel is \"world\", expected one of "
        + Phase.allCases.map { "\($0)" }.joined(separator: ", ")
    ),
    ("{'event':#,'actions':[{'delete':'x'}]}", "there is no action {\"delete\":\"x\"}"),
  ]

  @Test(arguments: refused.indices) func `are refused by the member that is wrong`(_ row: Int)
    throws
  {
    let (answer, reason) = Self.refused[row]
    let error = try error(["fault": "answer", "answer": .text(answer), "at": .number(2)])
    #expect("\(try #require(error))" == "plugin Chaos failed in afterBatch: \(reason)")
  }

  @Test func `with all that there is are taken`() throws {
    let answer =
      "{'event':#,'actions':[{'log':'x','level':'warning'},{'log':'y'},{'report':'chaos','value':'nan'}]}"
    let error = try error(["fault": "answer", "answer": .text(answer), "at": .number(2)])
    #expect(error == nil, "\(String(describing: error))")
    #expect(lines.lines == ["x", "y"])
  }

  @Test func `are logged up to a limit in all, with a line that says so`() throws {
    let error = try error(["fault": "chatter", "at": .number(1)])
    #expect(error == nil, "\(String(describing: error))")
    let bytes = lines.lines.reduce(0) { $0 + $1.utf8.count }
    #expect(bytes < 1 << 20)
    #expect(bytes > 1_000_000)
    #expect(
      lines.lines.last
        == "(it logged 1 MiB in this fit; what it logs until the fit ends is left out)")
    #expect(lines.lines.count { $0.hasPrefix("(it logged") } == 1)
  }
}
