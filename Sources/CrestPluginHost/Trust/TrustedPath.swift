import CrestFiles
import CrestPlatform

/// Paths that lead to the same file whatever other users do.
package enum TrustedPath {
  /// Checks that nobody but root and this user can change what is at `path`.
  ///
  /// Neither it, nor a folder or a symbolic link on the way there. In a folder with the sticky bit, as /tmp, others can't replace what isn't theirs.
  ///
  /// - Returns: The path without links.
  /// - Throws: ``PluginError/refused(path:reason:)`` naming what could be changed;
  ///   ``PluginError/unreadable(path:reason:)`` when there is nothing.
  package static func check(_ path: String) throws(PluginError) -> String {
    var left = components(of: try absolute(path))
    var reached = "/"
    var linkCount = 0
    try check(status(of: reached), reached)
    while let name = left.popLast() {
      if name == "." { continue }
      if name == ".." {
        reached = FilePath.split(reached).folder
        continue
      }
      let next = FilePath.join(reached, name)
      let status = try status(of: next)
      try check(status, next)
      guard status.st_mode & S_IFMT == S_IFLNK else {
        reached = next
        continue
      }
      linkCount += 1
      guard linkCount <= 40 else {
        throw .unreadable(path: path, reason: systemMessage(ELOOP))
      }
      let target = try destination(of: next)
      if target.hasPrefix("/") { reached = "/" }
      left += components(of: target)
    }
    return reached
  }

  /// The names of a path, the last one first.
  private static func components(of path: String) -> [String] {
    path.split(separator: "/").reversed().map(String.init)
  }

  private static func absolute(_ path: String) throws(PluginError) -> String {
    if path.hasPrefix("/") { return path }
    guard let folder = getcwd(nil, 0) else {
      throw .unreadable(path: path, reason: systemMessage())
    }
    defer { free(folder) }
    return FilePath.join(String(cString: folder), path)
  }

  private static func status(of path: String) throws(PluginError) -> stat {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      throw .unreadable(path: path, reason: systemMessage())
    }
    return status
  }

  private static func destination(of link: String) throws(PluginError) -> String {
    var characters = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    guard readlink(link, &characters, characters.count - 1) >= 0 else {
      throw .unreadable(path: link, reason: systemMessage())
    }
    return text(characters)
  }

  private static func check(_ status: stat, _ path: String) throws(PluginError) {
    guard status.st_uid == 0 || status.st_uid == geteuid() else {
      throw .refused(
        path: path,
        reason: "it belongs to user \(status.st_uid), expected \(geteuid()) or root; choose another"
      )
    }
    let kind = status.st_mode & S_IFMT
    // The permissions of a link mean nothing: its folder's count.
    if kind == S_IFLNK { return }
    let isSticky = kind == S_IFDIR && status.st_mode & S_ISVTX != 0
    guard status.st_mode & 0o022 == 0 || isSticky else {
      throw .refused(
        path: path, reason: "users other than its owner may write to it; run chmod go-w \(path)")
    }
  }
}
