import CCrestFiles
import CrestPlatform

/// A folder from which files below it are opened, through no symbolic link, and nothing else.
package struct ConfinedFolder: Sendable {
  /// Who resolves a path below the folder.
  package enum Resolution: Sendable, CaseIterable {
    /// The kernel, in one step; component by component where it can't.
    case system
    /// This process, component by component, following no symbolic link.
    case componentwise
  }

  /// Why a file can't be opened.
  package enum Failure: Error {
    /// There is no such file.
    case missing
    /// A part of the path is a symbolic link, or leads out of the folder.
    case leavesFolder
    /// It is a folder, a pipe or a device.
    case notRegular
    /// Somebody writes to it.
    case changed
    /// A system call failed.
    case system(SystemError)
  }

  private let path: String
  private let resolution: Resolution

  package init(path: String, resolution: Resolution = .system) {
    self.path = path
    self.resolution = resolution
  }

  /// Opens the file that `components` lead to, names of folders and a file of which none is empty, `.` or `..`.
  package func open(_ components: [String]) throws(Failure) -> RegularFile {
    let root = openFolder(AT_FDCWD, path, following: true)
    guard root >= 0 else { throw .system(SystemError(call: "open", path: path)) }
    defer { close(root) }

    var descriptor: CInt = -1
    var reason = ENOSYS
    let below = components.joined(separator: "/")
    if resolution == .system {
      descriptor = crest_open_beneath(root, below)
      reason = errno
    }
    // EPERM is what sandboxes that don't know the call say.
    if descriptor < 0, [ENOSYS, EPERM, EAGAIN].contains(reason) {
      descriptor = openComponents(components, in: root)
      reason = errno
    }
    let file = FilePath.join(path, below)
    guard descriptor >= 0 else {
      switch reason {
      case ENOENT: throw .missing
      case ELOOP, EXDEV: throw .leavesFolder
      // A pipe, a socket or a device that can't be opened like a file.
      case ENXIO, ENOTDIR: throw .notRegular
      default: throw .system(SystemError(call: "openat", path: file, code: reason))
      }
    }
    do throws(RegularFile.Failure) {
      var opened = try RegularFile(taking: descriptor, file)
      try opened.settle()
      return opened
    } catch {
      switch error {
      case .notRegular: throw .notRegular
      case .system(let error): throw .system(error)
      case .shortened, .changed: throw .changed
      }
    }
  }

  /// A descriptor, or -1 with `errno`.
  private func openComponents(_ components: [String], in root: CInt) -> CInt {
    var folder = root
    for (index, component) in components.enumerated() {
      let isLast = index == components.count - 1
      let next =
        isLast
        ? openat(folder, component, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        : openFolder(folder, component, following: false)
      var reason = errno
      // A link that isn't followed where a folder is asked for counts as "not a folder".
      if next < 0, reason == ENOTDIR, isLink(component, in: folder) { reason = ELOOP }
      if folder != root { close(folder) }
      guard next >= 0, !isLast else {
        errno = reason
        return next
      }
      folder = next
    }
    errno = ENOENT
    return -1
  }

  private func isLink(_ name: String, in folder: CInt) -> Bool {
    var status = stat()
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0
      && status.st_mode & S_IFMT == S_IFLNK
  }

  private func openFolder(_ folder: CInt, _ name: String, following: Bool) -> CInt {
    openat(folder, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY | (following ? 0 : O_NOFOLLOW))
  }
}
