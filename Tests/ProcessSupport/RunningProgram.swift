import Foundation

/// A run that has not ended yet.
///
/// Output goes to files, so that no pipe can fill up, unless it is wanted as it comes.
public final class RunningProgram {
  private let process = Process()
  private let logs: TemporaryFolder
  private let stream: (pipe: Pipe, onOutput: (String) -> Void)?

  init(
    _ program: Executable, _ arguments: [String], in folder: URL?, environment: [String: String],
    onOutput: ((String) -> Void)?
  ) throws {
    logs = try TemporaryFolder()
    let (output, errors) = (try logs.create("output"), try logs.create("error"))
    stream = onOutput.map { (Pipe(), $0) }
    process.executableURL = program.url
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = folder }
    if !environment.isEmpty {
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    }
    process.standardInput = FileHandle.nullDevice
    if let stream { process.standardOutput = stream.pipe } else { process.standardOutput = output }
    process.standardError = errors
    try process.run()
  }

  /// What was written to standard output so far.
  public func output() throws -> String { try text("output") }

  /// What was written to standard error so far.
  public func errors() throws -> String { try text("error") }

  /// Whether it has not ended.
  public var isRunning: Bool { process.isRunning }

  /// Its number in the system.
  public var processIdentifier: Int32 { process.processIdentifier }

  /// Waits until `condition` holds or the run has ended, for at most `seconds`.
  ///
  /// - Returns: Whether it holds.
  public func wait(seconds: Double = 60, until condition: () throws -> Bool) throws -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
      if !isRunning || ContinuousClock.now > end { return try condition() }
      usleep(2000)
    }
    return true
  }

  /// Sends a signal; false when the run was over.
  @discardableResult
  public func send(_ signal: Int32) -> Bool {
    guard isRunning else { return false }
    kill(processIdentifier, signal)
    return true
  }

  /// Waits for the end.
  public func finish() throws -> ProcessResult {
    if let stream {
      let log = try FileHandle(forWritingTo: logs["output"])
      while case let data = stream.pipe.fileHandleForReading.availableData, !data.isEmpty {
        stream.onOutput(String(decoding: data, as: UTF8.self))
        try log.write(contentsOf: data)
      }
    }
    process.waitUntilExit()
    let status = process.terminationStatus
    return ProcessResult(
      end: process.terminationReason == .exit ? .exit(status) : .signal(status),
      output: try text("output"), error: try text("error"))
  }

  /// What a release build writes: a debug build says in addition that it is slow.
  private func text(_ name: String) throws -> String {
    try String(contentsOf: logs[name], encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.contains("slow, kernels were built without optimisation") }
      .joined(separator: "\n")
  }
}
