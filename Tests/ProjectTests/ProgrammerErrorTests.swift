import Foundation
import Testing

/// Each way in which Sources end the program because of a mistake in its code, and how a caller gets there.
@Suite struct `Programmer errors` {
  private static let path = "Tests/ProjectTests/programmer-errors.txt"
  private static let unknown = "?"
  private static let reason = "internal: "

  /// The table's lines, `FILE | MESSAGE | NAMES OF MISUSES` or `FILE | MESSAGE | internal: WHY`.
  private static func table() throws -> [ProgrammerErrorSite: String] {
    let lines = try Project.text(path).split(separator: "\n").filter { !$0.hasPrefix("#") }
    let rows = try lines.map { line in
      let cells = line.components(separatedBy: " | ")
      try #require(cells.count == 3, "\(path): \(line)")
      return (ProgrammerErrorSite(file: cells[0], message: cells[1]), cells[2])
    }
    return Dictionary(rows, uniquingKeysWith: { first, _ in first })
  }

  /// Writes the table for the sites there are: a new one has no way yet, one whose file was renamed keeps its own.
  private static func approve(_ sites: Set<ProgrammerErrorSite>) throws {
    let old = try table()
    let gone = Dictionary(
      old.filter { !sites.contains($0.key) }.map { ($0.key.message, $0.value) },
      uniquingKeysWith: { _, _ in unknown })
    let head = try Project.text(path).split(separator: "\n").filter { $0.hasPrefix("#") }
    let lines = sites.sorted().map { site in
      "\(site.file) | \(site.message) | \(old[site] ?? gone[site.message] ?? unknown)"
    }
    let text = (head.map(String.init) + lines).joined(separator: "\n") + "\n"
    try Data(text.utf8).write(to: Project.root.appending(path: path))
  }

  @Test func `are reached by a misuse each, or by none for a reason`() throws {
    let sites = try ProgrammerErrorSite.all()
    #expect(sites.count > 100)
    if ProcessInfo.processInfo.environment["CREST_APPROVE"] == "1" { try Self.approve(sites) }
    let table = try Self.table()
    for site in sites.sorted() where table[site] ?? Self.unknown == Self.unknown {
      Issue.record(
        """
        \(site.file) ends the program with "\(site.message)", and \(Self.path) doesn't say how a caller gets there. \
        CREST_APPROVE=1 adds its line; add a row to Tests/MisuseProgram and write its name there, or \
        "\(Self.reason)" and why no caller can.
        """)
    }
    for site in table.keys.sorted() where !sites.contains(site) {
      Issue.record(
        "\(Self.path): \(site.file) has no message \"\(site.message)\"; CREST_APPROVE=1 removes the line"
      )
    }
    for (site, way) in table where way.hasPrefix(Self.reason) {
      #expect(way.count > Self.reason.count + 10, "\(site.file), \(site.message): why?")
    }
  }

  @Test func `are named by every misuse, and by those alone`() throws {
    let ways = try Self.table().values.filter { !$0.hasPrefix(Self.reason) && $0 != Self.unknown }
    let named = ways.flatMap { $0.components(separatedBy: ", ") }
    let misuses = try Project.sources(in: "Tests/MisuseProgram").flatMap { _, source in
      source.matches(of: /Misuse\(\s*"([^"]+)"/).map { String($0.output.1) }
    }
    #expect(misuses.count == Set(misuses).count)
    #expect(Set(named).subtracting(misuses) == [], "misuses that there aren't")
    #expect(Set(misuses).subtracting(named) == [], "misuses that reach no line of \(Self.path)")
  }

  /// Why a file ends the program in its own way.
  private static let exceptions = [
    "ProgrammerError.swift": "the one place that does it for all others",
    "Export.swift": "the plugin SDK is built without the library's modules",
  ]

  @Test func `are the only traps in Sources`() throws {
    let trap =
      #/\b(?:precondition|preconditionFailure|assert|assertionFailure|fatalError)\(|\btry!|\bas! /#
    for (file, source) in try Project.sources() where Self.exceptions[file] == nil {
      for line in source.split(separator: "\n")
      where !line.trimmingPrefix(while: \.isWhitespace).hasPrefix("//") && line.contains(trap) {
        Issue.record(
          "\(file): \(line.trimmingPrefix(while: \.isWhitespace)); call programmerError, whose message release builds print"
        )
      }
    }
    for file in Self.exceptions.keys {
      #expect(
        try Project.sources().contains { $0.name == file && $0.text.contains(trap) }, "\(file)")
    }
  }
}
