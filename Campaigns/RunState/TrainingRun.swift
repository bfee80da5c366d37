import ArgumentParser
import Foundation
import ProcessSupport

/// What the campaigns that disturb `crest train` are given.
struct TrainingRunOptions: ParsableArguments {
  @Option var count = 200
  @Option var seed: UInt64 = 1
  @Option(help: "The command crest; beside this program unless given.") var crest: String?

  /// The command.
  var executable: Executable { crest.map { Executable(path: $0) } ?? Executable("crest") }
}

/// A run of `crest train` that writes a log of its steps.
struct TrainingRun {
  let run: RunningProgram
  /// The log of its steps.
  let log: String

  /// Starts a program with arguments for a run whose log is `log`.
  init(_ executable: Executable, _ arguments: [String], log: String) throws {
    self.log = log
    run = try executable.start(arguments)
  }

  /// The steps in the log, under its header; 0 as long as there is none.
  var loggedSteps: Int {
    let lines = (try? Data(contentsOf: URL(filePath: log)))?.count { $0 == UInt8(ascii: "\n") }
    return max(0, (lines ?? 0) - 1)
  }

  /// Waits until the log has so many steps, or for the end.
  func wait(untilSteps count: Int) throws {
    guard try run.wait(until: { loggedSteps >= count }) || !run.isRunning else {
      throw ValidationError("a run took no \(count) steps in a minute: \(try run.errors())")
    }
  }
}
