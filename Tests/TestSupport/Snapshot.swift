import Foundation
import Testing

/// A text committed in the project that a test derives anew.
///
/// With `CREST_APPROVE=1` the file is rewritten, and the test fails so that it can't pass unseen.
package struct Snapshot {
  private let url: URL
  private let heading: String

  /// The file at `path` from the package's root.
  package init(_ path: String, heading: String, filePath: String = #filePath) {
    url = URL(filePath: filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: path)
    self.heading = heading
  }

  /// Expects the file to hold the heading and `lines`.
  package func expect(_ lines: [String]) throws {
    let text = ([heading] + lines).joined(separator: "\n") + "\n"
    if ProcessInfo.processInfo.environment["CREST_APPROVE"] == "1" {
      try text.write(to: url, atomically: true, encoding: .utf8)
      Issue.record(
        "\(url.lastPathComponent) was rewritten; look at it and run again without CREST_APPROVE")
      return
    }
    let committed = try String(contentsOf: url, encoding: .utf8)
    let known = Set(committed.split(separator: "\n").map(String.init))
    let changed = text.split(separator: "\n").map(String.init).filter { !known.contains($0) }
    #expect(
      committed == text,
      "\(url.lastPathComponent) differs, first here: \(changed.first ?? "a line is gone")")
  }
}
