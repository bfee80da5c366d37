import Crest
import CrestPlugins
import Foundation
import ProcessSupport

/// Plugins that leave processes behind, ended in every way in which a run or its plugin ends: nothing stays.
struct ChildCampaign {
  let folder: String

  /// How a run with a plugin ends.
  private enum End: String, CaseIterable {
    /// The run finishes; the plugin ends when its input does.
    case finished
    /// The plugin reports a failure, and the run ends with it.
    case error
    /// The plugin crashes, and the run ends with an error.
    case trap
    /// The plugin ends, and the run goes on without it.
    case disabled
    /// The trainer is killed.
    case killed

    var fault: String {
      switch self {
      case .finished, .killed: "none"
      case .error: "error"
      case .trap: "trap"
      case .disabled: "exit"
      }
    }
  }

  /// Runs every way × end `count` times.
  func run(count: Int) throws {
    let data = try DataSource.digits.load()
    var failures: [String] = []
    var runs = 0
    for end in End.allCases {
      for way in LeftBehind.allCases where way != .nothing {
        for number in 0..<count {
          runs += 1
          let mark = "left\(getpid() % 100_000)n\(runs)"
          let objection = try objection(way, end, mark, data)
          if let objection {
            failures.append("\(way.rawValue), \(end), run \(number): \(objection)")
          }
        }
      }
    }
    print(
      "\(runs) runs, \((LeftBehind.allCases.count - 1) * End.allCases.count) modes: \(failures.count) left something"
    )
    for failure in failures { print("  \(failure)") }
    if !failures.isEmpty { exit(1) }
  }

  private func objection(
    _ way: LeftBehind, _ end: End, _ mark: String, _ data: DataSplit
  ) throws -> String? {
    defer { LeftBehind.end(named: mark) }
    if end == .killed { try killTrainer(way, mark) } else { try? train(way, end, mark, data) }
    // A run that is over has ended them already; after kill -9 nobody waits for that.
    let left = LeftBehind.count(named: mark, afterAtMost: end == .killed ? 5 : 0)
    return left == 0 ? nil : "\(left) processes"
  }

  private func train(_ way: LeftBehind, _ end: End, _ mark: String, _ data: DataSplit) throws {
    let plugin = try Plugin(
      folder,
      [
        "leave": .text(way.rawValue), "mark": .text(mark), "fault": .text(end.fault),
        "at": .number(3),
      ], onFailure: end == .disabled ? .disable : .stop, lock: folder + "/../crest-plugins.lock",
      log: { _, _ in })
    let model = try BuiltInModel.make("mlp", input: [1, 8, 8], classes: 10)
    try Learner(model, data: data, callbacks: [plugin]).fit(epochs: 1, learningRate: 0.01)
  }

  /// Trains for ever in another process, and kills it once the plugin has left what it leaves.
  private func killTrainer(_ way: LeftBehind, _ mark: String) throws {
    let trainer = try Executable.own.start(["child-trainer", folder, way.rawValue, mark])
    _ = try trainer.wait(seconds: 20) { try trainer.output().contains("left") }
    trainer.send(SIGKILL)
    _ = try trainer.finish()
  }

  /// The trainer that is killed.
  func trainUntilKilled(_ way: String, _ mark: String) throws {
    let plugin = try Plugin(
      folder, ["leave": .text(way), "mark": .text(mark), "at": .number(3)],
      lock: folder + "/../crest-plugins.lock", log: { _, _ in })
    var batchCount = 0
    let watch = CallbackOf(
      .afterBatch { _ in
        batchCount += 1
        guard batchCount == 4 else { return }
        print("left")
        fflush(nil)
        sleep(60)
      }, order: .max)
    let model = try BuiltInModel.make("mlp", input: [1, 8, 8], classes: 10)
    try Learner(model, data: DataSource.digits.load(), callbacks: [plugin, watch])
      .fit(epochs: 1, learningRate: 0.01)
  }

  /// The same processes with a process group for all protection, as a host has it that forks and kills.
  func control() throws {
    var escaped: [String] = []
    for (number, way) in LeftBehind.allCases.enumerated() where way != .nothing {
      // Nobody stands between, whom these attack.
      if way.rawValue.hasPrefix("supervisor") { continue }
      let mark = "ctrl\(getpid() % 100_000)n\(number)"
      let host = Process()
      // In a process group of its own, as Foundation starts every process.
      host.executableURL = URL(filePath: folder + "/Chaos")
      host.environment = ["CREST_PLUGIN_COOKIE": "1"]
      let input = Pipe()
      host.standardInput = input
      host.standardOutput = FileHandle.nullDevice
      host.standardError = FileHandle.nullDevice
      try host.run()
      let lines =
        "{\"crest\":1,\"create\":\"Chaos\",\"configuration\":{\"leave\":\"\(way.rawValue)\",\"mark\":\"\(mark)\","
        + "\"at\":1}}\n{\"event\":1,\"hook\":\"afterBatch\"}\n"
      try input.fileHandleForWriting.write(contentsOf: Data(lines.utf8))
      usleep(200_000)
      guard getpgid(host.processIdentifier) == host.processIdentifier else {
        fatalError("it has no process group of its own")
      }
      kill(-host.processIdentifier, SIGKILL)
      kill(host.processIdentifier, SIGKILL)
      usleep(100_000)
      if LeftBehind.count(named: mark) > 0 { escaped.append(way.rawValue) }
      LeftBehind.end(named: mark)
    }
    print(
      "with a process group alone, of \(LeftBehind.allCases.count - 4) ways \(escaped.count) leave something:"
    )
    print("  \(escaped.joined(separator: ", "))")
    if escaped.isEmpty { exit(1) }
  }
}
