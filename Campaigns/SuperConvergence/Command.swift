import Foundation

/// A program that runs in a folder.
struct Command {
  let executable: URL
  let folder: URL

  /// Runs to the end, and returns all lines that were printed.
  ///
  /// - Throws: ``CommandFailure`` when its exit code isn't 0.
  @discardableResult
  func run(_ arguments: [String]) throws -> [String] {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    // One pipe for both, since a second one could fill up while the first is read.
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw CommandFailure(
        command: ([executable.lastPathComponent] + arguments).joined(separator: " "),
        status: process.terminationStatus, lines: lines)
    }
    return lines
  }
}

/// A program that ended otherwise than with 0.
struct CommandFailure: Error, CustomStringConvertible {
  let command: String
  let status: Int32
  let lines: [String]

  var description: String {
    "\(command) ended with \(status): \(lines.suffix(5).joined(separator: " "))"
  }

  /// Whether `crest train` ended because a loss was no finite number: a result, and no fault.
  var isDivergence: Bool {
    status == 65
      && lines.contains { $0.contains(/loss is -?(nan|inf) in step .*; lower the learning rate/) }
  }
}
