package import Foundation

/// A folder that goes when this does.
package final class TemporaryFolder {
  package let url: URL

  package init() throws {
    url = FileManager.default.temporaryDirectory
      .appending(path: "crest-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    // Best effort: what stays behind lies in the system's temporary folder.
    try? FileManager.default.removeItem(at: url)
  }

  package var path: String { url.path }

  package subscript(name: String) -> URL { url.appending(path: name) }

  package func lines(of name: String) throws -> [Substring] {
    try String(contentsOf: self[name], encoding: .utf8).split(separator: "\n")
  }

  package func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: self[name])
  }

  /// The names of all files, hidden ones too.
  package func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
  }
}
