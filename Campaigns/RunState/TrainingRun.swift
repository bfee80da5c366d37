import Foundation

/// A run of `crest train` that writes a log of its steps, as a process without output.
final class TrainingRun {
  private let process = Process()
  /// The log of its steps.
  let log: String

  /// The command `crest`: the one at `path`, or the one beside this program.
  static func crest(_ path: String?) -> URL {
    path.map { URL(filePath: $0) }
      ?? Child.own.deletingLastPathComponent().appending(path: "crest")
  }

  /// Starts a program with arguments for a run whose log is `log`.
  init(_ executable: URL, _ arguments: [String], log: String) throws {
    self.log = log
    process.executableURL = executable
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  /// The steps in the log, under its header; 0 as long as there is none.
  var loggedSteps: Int { max(0, Self.lineCount(log) - 1) }

  private static func lineCount(_ path: String) -> Int {
    (try? Data(contentsOf: URL(filePath: path)))?.count { $0 == UInt8(ascii: "\n") } ?? 0
  }

  /// Waits until the log has so many steps, or for the end.
  func wait(untilSteps count: Int) {
    while process.isRunning, loggedSteps < count { usleep(500) }
  }

  /// Waits until the log has so many steps more than now, or for the end.
  func wait(forMoreSteps count: Int) { wait(untilSteps: loggedSteps + count) }

  /// Sends a signal; false when it was over.
  @discardableResult
  func send(_ signal: Int32) -> Bool {
    guard process.isRunning else { return false }
    kill(process.processIdentifier, signal)
    return true
  }

  /// How it ended: by its exit code, or by a signal.
  func finish() -> (status: Int32, isSignal: Bool) {
    process.waitUntilExit()
    return (process.terminationStatus, process.terminationReason == .uncaughtSignal)
  }
}
