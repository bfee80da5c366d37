import CrestPlatform

/// Where an output goes: what its path leads to once symbolic links are followed.
///
/// A file that exists is replaced whole, at the end of the links that lead to it; so the links stay. A pipe or a
/// character device (as `/dev/null` or a terminal) is written to and never replaced.
package struct OutputPlace: Sendable {
  /// What receives the bytes.
  package enum Kind: Sendable, Hashable {
    /// A file with these permissions, to be replaced; nil when there is none yet.
    case file(permissions: UInt32?)
    /// A pipe, which somebody must read.
    case pipe
    /// A character device.
    case device
  }

  /// What two outputs that would overwrite each other have in common, however their paths are spelt.
  package enum Identity: Sendable, Hashable {
    /// Something that exists.
    case node(device: UInt64, number: UInt64)
    /// A name in a folder that exists.
    case name(String, device: UInt64, folder: UInt64)
  }

  /// The path as it was given.
  package let path: String
  /// The path at the end of all links.
  package let destination: String
  /// What receives the bytes.
  package let kind: Kind
  /// What it shares with other spellings of the path.
  package let identity: Identity

  /// The links that are followed at most, as Linux does.
  private static let mostLinks = 40

  /// Finds out where `path` leads, and whether it can be written there.
  ///
  /// - Parameters:
  ///   - path: The path.
  ///   - inPlace: Whether a file that exists is written to, and not replaced by a new one from its folder.
  /// - Throws: ``OutputFailure`` when it leads to a folder, a socket or a disk, or to a file or into a folder that
  ///   can't be written.
  package init(_ path: String, inPlace: Bool = false) throws(OutputFailure) {
    self.path = path
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT else { throw OutputFailure(path: path) }
      destination = try Self.missingDestination(of: path)
      kind = .file(permissions: nil)
      let (folder, name) = FilePath.split(destination)
      guard !name.isEmpty, name != ".", name != "..", stat(folder, &status) == 0 else {
        throw .noFolder(path)
      }
      identity = .name(
        name, device: UInt64(truncatingIfNeeded: status.st_dev),
        folder: UInt64(truncatingIfNeeded: status.st_ino))
      try checkFolder()
      return
    }
    identity = Self.node(status)
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      // What /dev/stdout leads to has a name only as long as nobody removes it.
      guard let real = Self.real(path), Self.leads(real, to: status) else {
        destination = path
        kind = .device
        return
      }
      destination = real
      kind = .file(permissions: UInt32(status.st_mode & 0o7777))
      guard access(real, W_OK) == 0 else { throw OutputFailure(path: path) }
      if !inPlace { try checkFolder() }
    case S_IFIFO:
      destination = path
      kind = .pipe
    case S_IFCHR:
      destination = path
      kind = .device
      guard access(path, W_OK) == 0 else { throw OutputFailure(path: path) }
    case S_IFDIR: throw OutputFailure(path: path, code: EISDIR)
    case S_IFBLK: throw OutputFailure(path: path, reason: "it is a disk", code: ENOTSUP)
    default:
      throw OutputFailure(path: path, reason: "it is neither a file nor a pipe", code: ENOTSUP)
    }
  }

  /// What a file or folder has in common with its other spellings; nil when there is none.
  package static func identity(ofExisting path: String) -> Identity? {
    var status = stat()
    return stat(path, &status) == 0 ? node(status) : nil
  }

  /// What a folder that need not be there yet has in common with its other spellings; nil when it can't be
  /// told, as the folder that holds it isn't there either.
  package static func identity(ofFolder path: String) -> Identity? {
    var status = stat()
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    if stat(path, &status) == 0 { return node(status) }
    guard errno == ENOENT, let destination = try? missingDestination(of: path) else { return nil }
    let (folder, name) = FilePath.split(destination)
    guard stat(folder, &status) == 0 else { return nil }
    return .name(
      name, device: UInt64(truncatingIfNeeded: status.st_dev),
      folder: UInt64(truncatingIfNeeded: status.st_ino))
  }

  /// The folder of the file.
  package var folder: String { FilePath.split(destination).folder }

  /// Opens a pipe or device for writing, without waiting for a reader.
  ///
  /// - Throws: ``OutputFailure`` when nobody reads a pipe.
  package func open() throws(OutputFailure) -> CInt {
    while true {
      // Without O_NONBLOCK, opening a pipe that nobody reads would wait for ever.
      let descriptor = systemOpen(destination, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0)
      if descriptor >= 0 {
        // Writing shall wait for the reader.
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) == 0 else {
          let failure = OutputFailure(path: path)
          close(descriptor)
          throw failure
        }
        return descriptor
      }
      if errno == ENXIO {
        throw OutputFailure(path: path, reason: "nobody reads the pipe", code: ENXIO)
      }
      if errno != EINTR { throw OutputFailure(path: path) }
    }
  }

  // MARK: Links

  private static func node(_ status: stat) -> Identity {
    .node(
      device: UInt64(truncatingIfNeeded: status.st_dev),
      number: UInt64(truncatingIfNeeded: status.st_ino))
  }

  private func checkFolder() throws(OutputFailure) {
    guard access(folder, W_OK | X_OK) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { throw .noFolder(path) }
      throw OutputFailure(
        path: path, reason: "its folder is not writable: \(systemMessage())",
        code: errno)
    }
  }

  /// Where a file will be that isn't there: `path`, or what the links there lead to.
  private static func missingDestination(of path: String) throws(OutputFailure) -> String {
    var place = path
    for _ in 0..<mostLinks {
      guard let target = link(place) else {
        let (folder, name) = FilePath.split(place)
        guard let real = real(folder) else {
          throw .noFolder(path)
        }
        return FilePath.join(real, name)
      }
      place = target.hasPrefix("/") ? target : FilePath.join(FilePath.split(place).folder, target)
    }
    throw OutputFailure(path: path, code: ELOOP)
  }

  private static func link(_ path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink(path, start, buffer.count)
      guard count > 0, count < buffer.count else { return nil }
      return String(
        decoding: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]),
        as: UTF8.self)
    }
  }

  private static func real(_ path: String) -> String? {
    guard let text = realpath(path, nil) else { return nil }
    defer { free(text) }
    return String(cString: text)
  }

  private static func leads(_ path: String, to expected: stat) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_dev == expected.st_dev
      && status.st_ino == expected.st_ino
  }
}

/// Why an output can't be written.
package struct OutputFailure: Error, Equatable, CustomStringConvertible {
  /// The path as it was given.
  package let path: String
  /// Why, in words.
  package let reason: String
  /// The same as `errno`.
  package let code: CInt

  init(path: String, reason: String, code: CInt) {
    self.path = path
    self.reason = reason
    self.code = code
  }

  static func noFolder(_ path: String) -> OutputFailure {
    OutputFailure(path: path, code: ENOENT)
  }

  /// The failure of the system call that left `code`, by default the one that has just returned.
  package init(path: String, code: CInt = errno) {
    self.init(path: path, reason: systemMessage(code), code: code)
  }

  /// The reason and what to do.
  package var explanation: String { "\(reason); \(Self.advice(code))" }

  /// What to do about a failure of the system: room helps only where there is none.
  package static func advice(_ code: CInt) -> String {
    switch code {
    case ENOSPC, EDQUOT, EFBIG: "choose another path or make room"
    default: "choose another path"
    }
  }

  /// As in `a.csv can't be written: it is a folder`.
  package var description: String { "\(path) can't be written: \(reason)" }
}
