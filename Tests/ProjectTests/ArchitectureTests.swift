import Foundation
import Testing

@Suite struct `The target map of docs/architecture.md` {
  /// A row of the table.
  struct Row: Equatable {
    let target: String
    let imports: [String]
  }

  @Test func `says what Package.swift says`() throws {
    let rows = try rows()
    let shipped = try Project.manifest().targets.filter {
      $0.type != "test" && !$0.folder.hasPrefix("Tests/")
    }
    #expect(rows.map(\.target).sorted() == shipped.map(\.name).sorted())
    for target in shipped {
      let row = try #require(rows.first { $0.target == target.name })
      #expect(
        row.imports.sorted() == target.dependencies.map(\.name).sorted(),
        "the row of \(target.name)")
    }
  }

  @Test func `is in order, from the bottom up`() throws {
    let rows = try rows()
    let names = rows.map(\.target)
    for (place, row) in rows.enumerated() {
      for name in row.imports where names.contains(name) {
        #expect(names[..<place].contains(name), "\(row.target) imports \(name), a later row")
      }
    }
  }

  @Test func `keeps libonnx out of the package`() throws {
    #expect(
      try !Project.text("Package.swift").contains(/linkedLibrary\("(?!jpeg|png16)|cxxSettings/))
  }

  @Test func `names folders that are there`() throws {
    for target in try Project.manifest().targets where target.type != "test" {
      let path = Project.root.appending(path: target.folder).path
      #expect(FileManager.default.fileExists(atPath: path), "\(target.folder)")
    }
  }

  private func rows() throws -> [Row] {
    let lines = try Project.text("docs/architecture.md").split(separator: "\n")
    let start = try #require(lines.firstIndex { $0.hasPrefix("| target |") })
    return lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let imports = cells[2] == "–" ? [] : cells[2].components(separatedBy: ", ")
      return Row(target: unquoted(cells[0]), imports: imports.map(unquoted))
    }
  }

  private func unquoted(_ text: String) -> String {
    text.trimmingCharacters(in: ["`"])
  }
}
