public import Foundation

/// A folder that goes when this does.
public final class TemporaryFolder: Sendable {
  /// Where it is.
  public let url: URL

  /// A new folder among the system's temporary ones.
  public init() throws {
    url = FileManager.default.temporaryDirectory
      .appending(path: "crest-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  /// A folder called `name` in another.
  package init(named name: String, in folder: TemporaryFolder) throws {
    url = folder[name]
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    // Best effort: what stays behind lies in the system's temporary folder.
    try? FileManager.default.removeItem(at: url)
  }

  /// Runs `body` with the path of a new folder, which is there until it returns.
  package static func lent<Result>(to body: (String) throws -> Result) throws -> Result {
    let folder = try TemporaryFolder()
    return try withExtendedLifetime(folder) { try body(folder.path) }
  }

  /// The path.
  public var path: String { url.path(percentEncoded: false) }

  /// Where a file of this folder is.
  public subscript(name: String) -> URL { url.appending(path: name) }

  /// A file's lines without the empty ones.
  package func lines(of name: String) throws -> [Substring] {
    try String(contentsOf: self[name], encoding: .utf8).split(separator: "\n")
  }

  /// Writes a file, with the folders it needs.
  ///
  /// - Returns: Its path.
  @discardableResult
  package func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = self[name]
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: file)
    return file.path(percentEncoded: false)
  }

  /// Writes a text.
  ///
  /// - Returns: Its path.
  @discardableResult
  package func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  /// An empty file, to be written.
  func create(_ name: String) throws -> FileHandle {
    try write([], to: name)
    return try FileHandle(forWritingTo: self[name])
  }

  /// The names of all files, hidden ones too.
  package var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}
