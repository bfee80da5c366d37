import Foundation
import ProcessSupport

/// The command `crest`, run as a process of its own.
enum CrestProcess {
  private static let program = Executable("crest")

  /// Where it is, for what starts it in other ways.
  static var path: String { program.path }

  static func run(
    _ arguments: [String], in folder: TemporaryFolder? = nil
  ) throws -> ProcessResult {
    try program.run(arguments, in: folder?.url)
  }

  static func start(
    _ arguments: [String], in folder: TemporaryFolder? = nil, environment: [String: String] = [:]
  ) throws -> RunningProgram {
    try program.start(arguments, in: folder?.url, environment: environment)
  }
}
