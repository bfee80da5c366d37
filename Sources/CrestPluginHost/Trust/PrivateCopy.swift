import CCrestPluginHost
import CrestFiles
import CrestPlatform

/// A copy of a checked file that nobody else can have changed between the check and its use.
///
/// It lies in sealed memory that only a descriptor leads to, and so goes with the process. Where the system has no such
/// memory, it lies in a new folder of this user alone, in a folder where nobody else can put another in its place.
package final class PrivateCopy {
  /// What it is loaded or run by.
  package let path: String
  /// The descriptor of sealed memory; nil for a file.
  package let descriptor: CInt?
  private let folder: String?
  private var isThere = true

  /// Copies a file.
  ///
  /// - Throws: ``PluginError/unreadable(path:reason:)`` when there is no room for it, or no safe place.
  package convenience init(of file: TrustedFile) throws(PluginError) {
    let name = FilePath.split(file.path).name
    let descriptor = file.bytes.withUnsafeBytes { bytes in
      crest_sealed_copy(
        "crest-plugin-\(name)".prefix(200).description, bytes.baseAddress, bytes.count)
    }
    if descriptor >= 0 {
      self.init(sealed: descriptor)
      return
    }
    // What the system doesn't have or allow can be had another way; a lack of memory can't.
    guard [ENOSYS, EINVAL, EACCES, EPERM].contains(errno) else {
      throw .unreadable(path: file.path, reason: "it can't be copied: \(systemMessage())")
    }
    let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    try self.init(of: file, named: name, below: temporary.isEmpty ? "/tmp" : temporary)
  }

  private init(sealed descriptor: CInt) {
    self.descriptor = descriptor
    path = "/proc/self/fd/\(descriptor)"
    folder = nil
  }

  /// Copies a file to a new folder in `parent`.
  package init(of file: TrustedFile, named name: String, below parent: String) throws(PluginError) {
    do throws(PluginError) { _ = try TrustedPath.check(parent) } catch {
      throw .unreadable(
        path: parent,
        reason:
          "a plugin can't be copied to where others could change it (\(error)); set TMPDIR to "
          + "a folder of your own")
    }
    var template = Array(
      FilePath.join(parent, "crest-plugin-\(file.digest.prefix(16))-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      throw .unreadable(
        path: parent, reason: "a plugin can't be copied: \(systemMessage()); set TMPDIR")
    }
    let folder = text(template)
    self.folder = folder
    descriptor = nil
    path = FilePath.join(folder, name)
    let copy = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o500)
    var failure = copy < 0 ? systemMessage() : nil
    if copy >= 0 {
      let code = SystemFiles.writeAll(file.bytes, to: copy)
      if code != 0 { failure = systemMessage(code) }
      if close(copy) != 0 { failure = failure ?? systemMessage() }
    }
    if let failure {
      remove()
      throw .unreadable(path: path, reason: failure)
    }
  }

  deinit { remove() }

  /// Its code is mapped, and stays so: a file has done its work, but the number of a descriptor is the library's name.
  func wasLoaded() {
    if descriptor == nil { remove() }
  }

  private func remove() {
    guard isThere else { return }
    isThere = false
    if let descriptor { close(descriptor) }
    if let folder {
      unlink(path)
      rmdir(folder)
    }
  }
}
