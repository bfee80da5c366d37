import Foundation

/// The built `crest-onnx-check`, run as a process of its own.
enum CheckerProcess {
  /// How a run ended, and what it wrote.
  struct Result {
    enum End: Equatable {
      case exit(Int32)
      case signal(Int32)
    }

    let end: End
    let output: String
    let error: String

    /// The output as one JSON object.
    func object() throws -> NSDictionary {
      guard
        let object = try JSONSerialization.jsonObject(with: Data(output.utf8)) as? NSDictionary
      else { throw NotAnObject(output: output) }
      return object
    }
  }

  struct NotAnObject: Error {
    let output: String
  }

  /// It is built beside the tests.
  static var executable: URL {
    #if os(Linux)
      let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    #else
      let tests =
        Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
        ?? Bundle.main.bundleURL
    #endif
    return tests.deletingLastPathComponent().appending(path: "crest-onnx-check")
  }

  /// Runs in `folder`, so that paths in messages are short.
  ///
  /// Output goes to files: no pipe can fill up.
  static func run(
    _ arguments: [String], in folder: ModelFolder, of program: URL = executable
  ) throws -> Result {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.currentDirectoryURL = folder.url
    process.standardInput = FileHandle.nullDevice
    let logs = try ModelFolder()
    let names = ["output", "error"]
    let files = try names.map { name in
      try logs.write([], to: name)
      return try FileHandle(forWritingTo: logs[name])
    }
    process.standardOutput = files[0]
    process.standardError = files[1]
    try process.run()
    process.waitUntilExit()
    let texts = try names.map { try String(contentsOf: logs[$0], encoding: .utf8) }
    let status = process.terminationStatus
    return Result(
      end: process.terminationReason == .exit ? .exit(status) : .signal(status),
      output: texts[0], error: texts[1])
  }

  /// Writes `model` to m.onnx, and runs `arguments` on it.
  static func run(_ arguments: String, on model: [UInt8]) throws -> Result {
    let folder = try ModelFolder()
    try folder.write(model, to: "m.onnx")
    return try run(arguments.split(separator: " ").map(String.init), in: folder)
  }
}

/// A folder that goes when this does.
final class ModelFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appending(path: "crest-onnx-check-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  subscript(name: String) -> URL { url.appending(path: name) }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: self[name])
  }

  /// The names of all files, hidden ones too.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
  }
}
