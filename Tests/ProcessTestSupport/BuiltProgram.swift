package import Foundation

/// A program of the package, run as a process of its own.
package struct BuiltProgram {
  package let url: URL

  /// The program of a name, which is built beside the tests.
  package init(_ name: String) {
    #if os(Linux)
      let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    #else
      let tests =
        Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
        ?? Bundle.main.bundleURL
    #endif
    url = tests.deletingLastPathComponent().appending(path: name)
  }

  /// Any other program, by its path.
  package init(path: String) { url = URL(filePath: path) }

  private static let checkerVariable = "CREST_ONNX_CHECK"

  /// `crest-onnx-check`, from a package of its own: the one that the environment names, or a release build.
  package static let onnxCheck = BuiltProgram(
    path: ProcessInfo.processInfo.environment[checkerVariable]
      ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "ONNXCheck/.build/release/crest-onnx-check").path
  )

  /// What a skipped test says.
  package static let whyNoONNXCheck =
    "crest-onnx-check is not built: script/bootstrap, then swift build -c release --package-path ONNXCheck"

  /// Whether it is built; one that the environment names has to be.
  package var isThere: Bool {
    ProcessInfo.processInfo.environment[Self.checkerVariable] != nil
      || FileManager.default.isExecutableFile(atPath: url.path)
  }

  /// Runs to the end, in `folder` where there is one, so that paths in messages are short.
  package func run(
    _ arguments: [String], in folder: TemporaryFolder? = nil
  ) throws -> ProcessResult {
    try start(arguments, in: folder).finish()
  }

  package func start(
    _ arguments: [String], in folder: TemporaryFolder? = nil
  ) throws -> RunningProgram {
    try RunningProgram(url, arguments, in: folder)
  }
}

/// A run that has not ended yet.
///
/// Output goes to files, so that no pipe can fill up.
package final class RunningProgram {
  private let process = Process()
  private let logs: TemporaryFolder
  private let files: [FileHandle]

  fileprivate init(_ program: URL, _ arguments: [String], in folder: TemporaryFolder?) throws {
    logs = try TemporaryFolder()
    files = try ["output", "error"].map { [logs] name in
      try logs.write([], to: name)
      return try FileHandle(forWritingTo: logs[name])
    }
    process.executableURL = program
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = folder.url }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = files[0]
    process.standardError = files[1]
    try process.run()
  }

  /// What was written to standard output so far.
  package func output() throws -> String { try text("output") }

  /// What was written to standard error so far.
  package func errors() throws -> String { try text("error") }

  package var isRunning: Bool { process.isRunning }

  package var processIdentifier: Int32 { process.processIdentifier }

  /// Waits until `condition` holds or the run has ended, for at most `seconds`.
  ///
  /// - Returns: Whether it holds.
  package func wait(seconds: Double = 60, until condition: () throws -> Bool) throws -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
      if !isRunning || ContinuousClock.now > end { return try condition() }
      usleep(2000)
    }
    return true
  }

  package func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Waits for the end.
  package func finish() throws -> ProcessResult {
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
