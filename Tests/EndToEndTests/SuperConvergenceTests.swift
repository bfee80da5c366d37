import Foundation
import ProcessSupport
import Testing

@Suite struct `The page on super-convergence` {
  private let program = Executable("convergence-campaign")
  private let results = "docs/super-convergence"

  private static let header =
    "command\tsource\taccuracy\tvalidation loss\ttraining loss\n"

  @Test func `says what the results say`() throws {
    let result = try program.run(["report", "--check"])
    #expect(result.status == 0, "\(result.error)")
    #expect(result.output == "passed report: docs/super-convergence and its page agree\n")
  }

  @Test func `is found stale when a result differs`() throws {
    let folder = try copy { $0.replacing(/\t0\.\d/, with: "\t0.0", maxReplacements: 1) }
    let result = try program.run(["report", "--check", "--results", "results"], in: folder.url)
    #expect(result.status == 1)
    #expect(result.error.contains(".svg"))
    #expect(result.error.contains("must be made anew: script/campaign super-convergence-report"))
  }

  @Test(arguments: [
    ("command\tsource\n", "isn't a table of command, source, accuracy"),
    (header + "c\ts\thigh\t1\t1\n", "has other than numbers for c"),
    (header + "c\ts\t1\t1\t1\nc\ts\t0\t1\t1\n", "has a command twice"),
  ])
  func `refuses a damaged table`(text: String, message: String) throws {
    let folder = try copy { _ in text }
    let result = try program.run(["report", "--results", "results"], in: folder.url)
    #expect(result.status == 1)
    #expect(result.error.contains(message), "\(result.error)")
  }

  /// The page and its results elsewhere, with other runs.
  private func copy(_ change: (String) -> String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let target = folder.url.appending(path: "results")
    try FileManager.default.copyItem(at: URL(filePath: results), to: target)
    try FileManager.default.copyItem(
      at: URL(filePath: results + ".md"), to: folder.url.appending(path: "results.md"))
    let runs = target.appending(path: "runs.tsv")
    let text = try String(contentsOf: runs, encoding: .utf8)
    let changed = change(text)
    #expect(changed != text)
    try Data(changed.utf8).write(to: runs)
    return folder
  }
}
