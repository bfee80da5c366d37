import Foundation

/// A folder of files for a reader, removed with the last reference to it.
final class FuzzFolder {
  let path: String

  /// An empty folder that its owner alone may write, in TMPDIR.
  init() throws {
    let parent = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path
    path = "\(parent)/crest-fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, and gives its path.
  @discardableResult
  func write(_ bytes: some Collection<UInt8>, as name: String) throws -> String {
    let path = self.path + "/" + name
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { throw ReaderFault("\(path) can't be made: errno \(errno)") }
    defer { close(descriptor) }
    let bytes = Array(bytes)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress, $0.count)
      }
      guard count > 0 else { throw ReaderFault("\(path) can't be written: errno \(errno)") }
      done += count
    }
    return path
  }

  /// Removes a file, if it is there.
  func remove(_ name: String) { unlink(path + "/" + name) }
}
