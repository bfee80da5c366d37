import CrestFiles
import CrestPlatform

/// A copy of a checked file that nobody else can have changed between the check and its use.
///
/// It lies in a new folder of this user alone, and goes with this object.
final class PrivateCopy {
  let path: String
  private let folder: String
  private var isThere = true

  init(of plugin: CheckedPlugin) throws(PluginError) {
    let temporary = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    let parent = temporary.isEmpty ? "/tmp" : temporary
    var template = Array(
      FilePath.join(parent, "crest-plugin-\(plugin.digest.prefix(16))-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      throw .unreadable(
        path: parent, reason: "a plugin can't be copied: \(systemMessage()); set TMPDIR")
    }
    folder = text(template)
    path = FilePath.join(folder, plugin.manifest.file)
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o500)
    var failure = descriptor < 0 ? systemMessage() : nil
    if descriptor >= 0 {
      let code = SystemFiles.writeAll(plugin.file.bytes, to: descriptor)
      if code != 0 { failure = systemMessage(code) }
      if close(descriptor) != 0 { failure = failure ?? systemMessage() }
    }
    if let failure {
      remove()
      throw .unreadable(path: path, reason: failure)
    }
  }

  deinit { remove() }

  /// Removes the copy; what is mapped or running goes on.
  func remove() {
    guard isThere else { return }
    isThere = false
    unlink(path)
    rmdir(folder)
  }
}
