import CCrestFiles
import CrestTensor

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The folder of a model, from which side files are opened and nothing else.
///
/// The four layers of ONNX's own scheme: the location is checked as text, the path is resolved below
/// the folder through no symbolic link, the file is a regular one with a single name, and offset and
/// length lie within it.
package struct ExternalDataFolder: Sendable {
  /// Who resolves a path below the folder.
  package enum Resolution: Sendable, CaseIterable {
    /// The kernel, in one step; component by component where it can't.
    case system
    /// This process, component by component, following no symbolic link.
    case componentwise
  }

  package let path: String
  private let resolution: Resolution

  package init(path: String, resolution: Resolution = .system) {
    self.path = path
    self.resolution = resolution
  }

  /// Opens the side file at `location`.
  func open(_ location: String) throws(ExternalDataFailure) -> RegularFile {
    let components = try Self.components(of: location)
    let root = openFolder(AT_FDCWD, path, following: true)
    guard root >= 0 else { throw .init(.unreadable(reason: systemMessage())) }
    defer { close(root) }

    var descriptor: CInt = -1
    var reason = ENOSYS
    if resolution == .system {
      descriptor = crest_open_beneath(root, components.joined(separator: "/"))
      reason = errno
    }
    // EPERM is what sandboxes that don't know the call say.
    if descriptor < 0, [ENOSYS, EPERM, EAGAIN].contains(reason) {
      descriptor = openComponents(components, in: root)
      reason = errno
    }
    guard descriptor >= 0 else {
      switch reason {
      case ENOENT: throw .init(.missing)
      case ELOOP, EXDEV: throw .init(.leavesFolder)
      // A pipe, a socket or a device that can't be opened like a file.
      case ENXIO, ENOTDIR: throw .init(.notARegularFile)
      default: throw .init(.unreadable(reason: String(cString: strerror(reason))))
      }
    }
    let file = try regularFile(descriptor)
    guard file.linkCount == 1 else { throw .init(.hardLinked(count: file.linkCount)) }
    return file
  }

  private func regularFile(_ descriptor: CInt) throws(ExternalDataFailure) -> RegularFile {
    do throws(RegularFile.Refusal) {
      return try RegularFile(taking: descriptor)
    } catch {
      switch error {
      case .notRegular: throw .init(.notARegularFile)
      case .system(let reason): throw .init(.unreadable(reason: reason))
      }
    }
  }

  /// The components of a location that is a plain relative path.
  private static func components(
    of location: String
  ) throws(ExternalDataFailure) -> [String] {
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.utf8.isEmpty, location.utf8.count <= 4096,
      !location.utf8.contains(0), !location.utf8.contains(UInt8(ascii: "\\")),
      parts.allSatisfy({ !$0.isEmpty && $0 != ".." }), parts.last != "."
    else { throw .init(.forbiddenLocation) }
    return parts.filter { $0 != "." }.map(String.init)
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
    programmerError("a location without components")
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

/// Why a side file isn't opened; the model's place is added where it is known.
struct ExternalDataFailure: Error {
  let problem: ExternalDataProblem

  init(_ problem: ExternalDataProblem) {
    self.problem = problem
  }
}
