import Foundation
import Testing

/// Every promise of `docs/security.md` names suites that hold it, and they are there.
@Suite struct `The page on security` {
  @Test func `names suites that there are`() throws {
    let suites = try Set(
      Project.sources(in: "Tests").flatMap { source in
        source.text.matches(of: #/struct (?:`([^`\n]+)`|(\w+Tests)) \{/#)
          .map { String($0.1 ?? $0.2 ?? "") }
      })
    var promises = 0
    for line in try Project.text("docs/security.md").split(separator: "\n") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 3, !cells[2].hasPrefix("-"), cells[2] != "held by" else { continue }
      let names = cells[2].matches(of: #/`([^`]+)`/#).map { String($0.1) }
      #expect(!names.isEmpty, "\(line)")
      for name in names {
        #expect(suites.contains(name), "\(name), of the promise on \(cells[0])")
      }
      promises += 1
    }
    #expect(promises > 10)
  }
}
