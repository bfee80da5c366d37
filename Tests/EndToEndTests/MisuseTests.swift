import Foundation
import ProcessSupport
import Testing

/// What the library says, in any build, to a caller who misuses it: `misuse-program` does each in a process of its
/// own.
@Suite struct `Misuses of the library` {
  private static let program = Executable("misuse-program")

  /// A line of `misuse-program list`.
  private struct Row {
    let name: String
    let words: String
  }

  /// What `programmer-errors.txt` says of a misuse: the file that ends the program, and how its message begins.
  private struct Site {
    let file: String
    let start: Substring
  }

  private static func sites() throws -> [String: [Site]] {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "ProjectTests/programmer-errors.txt")
    var sites: [String: [Site]] = [:]
    for line in try String(contentsOf: path, encoding: .utf8).split(separator: "\n") {
      let cells = line.components(separatedBy: " | ")
      guard cells.count == 3 else { continue }
      let start = cells[1].prefix { $0 != "\\" }
      for name in cells[2].components(separatedBy: ", ") {
        sites[name, default: []].append(Site(file: cells[0], start: start))
      }
    }
    return sites
  }

  @Test func `each end the program with the caller's values`() throws {
    let list = try Self.program.run(["list"]).output.split(separator: "\n").map { line in
      let cells = line.split(separator: "\t").map(String.init)
      return Row(name: cells[0], words: cells[1])
    }
    #expect(list.count > 150)
    let sites = try Self.sites()
    for start in stride(from: 0, to: list.count, by: 4) {
      let rows = list[start..<min(start + 4, list.count)]
      let running = try rows.map { try Self.program.start([$0.name]) }
      for (row, process) in zip(rows, running) {
        let result = try process.finish()
        check(result, row, sites[row.name] ?? [])
      }
    }
  }

  private func check(_ result: ProcessResult, _ row: Row, _ sites: [Site]) {
    guard case .signal = result.end,
      let fatal = result.error.firstMatch(
        of: /(?s)Crest\w*\/(?<file>[^\/\n]+\.swift):\d+: Fatal error: (?<message>.*)/)
    else {
      Issue.record("\(row.name): \(result.end), and no message of the library's: \(result.error)")
      return
    }
    #expect(fatal.message.contains(row.words), "\(row.name)")
    #expect(
      sites.contains { $0.file == fatal.file && fatal.message.hasPrefix($0.start) },
      "\(row.name) ends in \(fatal.file), which isn't where programmer-errors.txt has it")
  }
}
