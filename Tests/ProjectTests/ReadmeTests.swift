import Foundation
import Testing

/// A block of code on a page follows `<!-- from PATH -->`, and must be what the file at PATH says.
///
/// The whole of it, or a part. The package or the tests build those files, so the page's code compiles.
@Suite struct `Code in the README` {
  static let pages = [
    "README.md", "docs/layers.md", "docs/own-parts.md", "docs/tables.md", "docs/text.md",
  ]

  /// A block of Swift code and the file it is from.
  struct Block {
    let path: String
    let text: String

    var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count - 1 }
  }

  @Test(arguments: pages) func `is what the examples say`(page: String) throws {
    for block in try blocks(page) {
      #expect(try Project.text(block.path).contains(block.text), "the block from \(block.path)")
    }
  }

  @Test(arguments: pages) func `is from an example, each block`(page: String) throws {
    let blocks = try Project.text(page).components(separatedBy: "```swift\n").count - 1
    #expect(try self.blocks(page).count == blocks)
  }

  @Test(arguments: ["loss", "metric", "optimizer", "schedule", "callback"])
  func `has a part of one's own of each kind in under 25 lines`(kind: String) throws {
    let block = try #require(
      try blocks("docs/own-parts.md").first {
        $0.path == "Tests/ProjectTests/Programs/\(kind).swift"
      })
    #expect(block.lineCount < 25)
  }

  @Test func `begins with a whole program of under 40 lines`() throws {
    let first = try #require(try blocks().first)
    #expect(first.path == "Examples/digits/main.swift")
    #expect(first.text == (try Project.text(first.path)))
    #expect(first.lineCount < 40)
  }

  @Test func `has a callback of one's own in under 10 lines`() throws {
    let callback = try #require(try blocks().first { $0.path == "Examples/callback/main.swift" })
    #expect(callback.text.contains(": Callback {"))
    #expect(callback.lineCount < 10)
  }

  private func blocks(_ page: String = "README.md") throws -> [Block] {
    try Project.text(page).components(separatedBy: "<!-- from ").dropFirst().map { part in
      let path = try #require(part.components(separatedBy: " -->").first)
      let code = try #require(part.components(separatedBy: "```swift\n").dropFirst().first)
      let text = try #require(code.components(separatedBy: "```").first)
      return Block(path: path, text: text)
    }
  }
}
