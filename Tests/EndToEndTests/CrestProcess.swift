import Foundation

/// The built command, run as a process of its own.
enum CrestProcess {
  /// How a run ended, and what it wrote.
  struct Result {
    let status: Int32
    let output: String
    let error: String

    /// Each line of the output as a JSON object.
    func objects() throws -> [[String: Any]] {
      try output.split(separator: "\n").map { line in
        guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        else { throw NotAnObject(line: String(line)) }
        return object
      }
    }
  }

  /// A line that is JSON but no object.
  struct NotAnObject: Error {
    let line: String
  }

  /// The command was ended by a signal, as a crash is.
  struct Crashed: Error {
    let signal: Int32
    let error: String
  }

  /// A program that is built beside the tests.
  static func executable(_ name: String) -> URL {
    #if os(Linux)
      let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    #else
      let tests =
        Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
        ?? Bundle.main.bundleURL
    #endif
    return tests.deletingLastPathComponent().appending(path: name)
  }

  static func run(_ arguments: [String], program: String = "crest") throws -> Result {
    try Running(arguments, program: program).finish()
  }

  static func start(_ arguments: [String]) throws -> Running {
    try Running(arguments, program: "crest")
  }

  /// A run that has not ended yet.
  ///
  /// Output goes to files, so that no pipe can fill up.
  final class Running {
    private let process = Process()
    private let folder: TemporaryFolder
    private let files: [FileHandle]

    fileprivate init(_ arguments: [String], program: String) throws {
      folder = try TemporaryFolder()
      files = try ["output", "error"].map { [folder] name in
        try Data().write(to: folder[name])
        return try FileHandle(forWritingTo: folder[name])
      }
      process.executableURL = CrestProcess.executable(program)
      process.arguments = arguments
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = files[0]
      process.standardError = files[1]
      try process.run()
    }

    /// What was written to standard output so far.
    func output() throws -> String { try String(contentsOf: folder["output"], encoding: .utf8) }

    var isRunning: Bool { process.isRunning }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits for the end.
    func finish() throws -> Result {
      process.waitUntilExit()
      let error = withoutDebugNotice(
        try String(contentsOf: folder["error"], encoding: .utf8))
      guard process.terminationReason == .exit else {
        throw Crashed(signal: process.terminationStatus, error: error)
      }
      return Result(
        status: process.terminationStatus, output: withoutDebugNotice(try output()), error: error)
    }

    /// What a release build writes: a debug build says in addition that it is slow.
    private func withoutDebugNotice(_ text: String) -> String {
      text.split(separator: "\n", omittingEmptySubsequences: false)
        .filter { !$0.contains("slow, kernels were built without optimisation") }
        .joined(separator: "\n")
    }
  }
}

/// A folder that goes when this does.
final class TemporaryFolder {
  private let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appending(path: "crest-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  var path: String { url.path }

  subscript(name: String) -> URL { url.appending(path: name) }

  func lines(of name: String) throws -> [Substring] {
    try String(contentsOf: self[name], encoding: .utf8).split(separator: "\n")
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: self[name])
  }
}
