import CrestFiles
import CrestPlatform

/// A file as it was when it was read, from a trusted owner.
package struct TrustedFile: Sendable {
  package let path: String
  package let bytes: [UInt8]
  /// The SHA-256 of the bytes.
  package let digest: String

  /// Reads a file once.
  ///
  /// - Throws: ``PluginError`` when it or its folder belongs to another user than this one and root, or can
  ///   be written by others than its owner; when it is not a regular file, or larger than `limit` bytes.
  package init(_ name: String, in folder: String, limit: Int) throws(PluginError) {
    path = FilePath.join(folder, name)
    try Self.check(folder: folder)
    // Not through a link: what it points to has another folder, which nobody looked at.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else {
      throw errno == ELOOP
        ? .refused(path: path, reason: "it is a symbolic link; put the file itself there")
        : .unreadable(path: path, reason: systemMessage())
    }
    let file: RegularFile
    do throws(RegularFile.Failure) {
      file = try RegularFile(taking: descriptor, path)
    } catch {
      throw PluginError(path, error)
    }
    try Self.check(file.status, path)
    guard file.byteCount <= limit else {
      throw .refused(
        path: path, reason: "it has \(file.byteCount) bytes, expected at most \(limit)")
    }
    do throws(RegularFile.Failure) {
      bytes = try file.bytes(count: file.byteCount)
    } catch {
      throw PluginError(path, error)
    }
    digest = sha256(bytes)
  }

  /// Checks a folder that files are to be trusted in.
  static func check(folder: String) throws(PluginError) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { throw .unreadable(path: folder, reason: systemMessage()) }
    defer { close(descriptor) }
    let status: FileStatus
    do throws(SystemError) {
      status = try SystemFiles().status(descriptor, folder)
    } catch {
      throw .unreadable(path: folder, reason: error.message)
    }
    try check(status, folder)
  }

  private static func check(_ status: FileStatus, _ path: String) throws(PluginError) {
    guard status.owner == 0 || status.owner == geteuid() else {
      throw .refused(
        path: path,
        reason: "it belongs to user \(status.owner), expected \(geteuid()) or root; copy it")
    }
    guard status.permissions & 0o022 == 0 else {
      throw .refused(
        path: path, reason: "users other than its owner may write to it; run chmod go-w \(path)")
    }
  }
}

extension PluginError {
  /// Why the file at `path` can't be read.
  fileprivate init(_ path: String, _ failure: RegularFile.Failure) {
    self =
      switch failure {
      case .notRegular: .refused(path: path, reason: "it is not a regular file")
      case .system, .shortened, .changed: .unreadable(path: path, reason: failure.message)
      }
  }
}
