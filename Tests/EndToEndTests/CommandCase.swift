import Foundation
import ProcessSupport

/// A copy of a folder of `Tests/Fixtures/cases`, for the command to run in, so that paths in messages are short.
struct CommandCase {
  let folder: TemporaryFolder

  private static let cases = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/cases")

  init(_ name: String) throws {
    folder = try TemporaryFolder()
    let source = Self.cases.appending(path: name)
    for file in try FileManager.default.contentsOfDirectory(atPath: source.path) {
      try FileManager.default.copyItem(at: source.appending(path: file), to: folder[file])
    }
  }

  /// Runs the command to its end, with the folder as its working directory.
  func run(_ arguments: String...) throws -> ProcessResult {
    try CrestProcess.run(arguments, in: folder)
  }
}
