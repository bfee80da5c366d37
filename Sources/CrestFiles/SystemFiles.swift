import CrestPlatform

/// The files of this machine.
package struct SystemFiles: FileSystem {
  package init() {}

  /// The number of this process.
  static var processNumber: CInt { getpid() }

  package func create(_ path: String) throws(SystemError) -> CInt {
    try call("open", path) {
      systemOpen(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    }
  }

  package func setPermissions(
    _ descriptor: CInt, _ path: String, _ permissions: UInt32
  ) throws(SystemError) {
    _ = try call("fchmod", path) { fchmod(descriptor, mode_t(permissions)) }
  }

  package func open(_ path: String) throws(SystemError) -> CInt {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    try call("open", path) { systemOpen(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0) }
  }

  package func status(_ descriptor: CInt, _ path: String) throws(SystemError) -> FileStatus {
    var status = stat()
    _ = try call("fstat", path) { fstat(descriptor, &status) }
    return FileStatus(status)
  }

  package func read(
    _ descriptor: CInt, _ path: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int {
    try call("pread", path) { pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
  }

  package func write(
    _ descriptor: CInt, _ path: String, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int {
    try call("write", path) {
      pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset))
    }
  }

  package func synchronize(_ descriptor: CInt, _ path: String) throws(SystemError) {
    #if canImport(Darwin)
      // A plain fsync leaves the bytes in the drive's own memory.
      if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
    #endif
    _ = try call("fsync", path) { fsync(descriptor) }
  }

  package func close(_ descriptor: CInt, _ path: String) throws(SystemError) {
    // Not again after EINTR: the descriptor is closed by then and may be another file's.
    if systemClose(descriptor) != 0 && errno != EINTR {
      throw SystemError(call: "close", path: path)
    }
  }

  package func destination(
    of path: String
  ) throws(SystemError) -> (path: String, permissions: UInt32?) {
    let place: OutputPlace
    do throws(OutputFailure) { place = try OutputPlace(path) } catch {
      throw SystemError(call: "open", path: path, code: error.code)
    }
    guard case .file(let permissions) = place.kind else {
      throw SystemError(call: "open", path: path, code: ENOTSUP)
    }
    return (place.destination, permissions)
  }

  package func rename(_ path: String, to newPath: String) throws(SystemError) {
    _ = try call("rename", newPath) { systemRename(path, newPath) }
  }

  package func remove(_ path: String) throws(SystemError) {
    _ = try call("unlink", path) { unlink(path) }
  }

  package func synchronizeFolder(_ path: String) throws(SystemError) {
    let descriptor = try call("open", path) {
      systemOpen(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY, 0)
    }
    do throws(SystemError) {
      try synchronize(descriptor, path)
    } catch {
      try? close(descriptor, path)
      throw error
    }
    try close(descriptor, path)
  }

  package func names(inFolder path: String) throws(SystemError) -> [String] {
    guard let folder = opendir(path) else {
      throw SystemError(call: "opendir", path: path)
    }
    defer { closedir(folder) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        if errno != 0 { throw SystemError(call: "readdir", path: path) }
        return names
      }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  package func makeFolder(_ path: String) throws(SystemError) {
    if mkdir(path, 0o777) != 0 && errno != EEXIST {
      throw SystemError(call: "mkdir", path: path)
    }
  }

  package func lock(_ path: String) throws(SystemError) -> CInt? {
    let descriptor = try call("open", path) {
      systemOpen(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    }
    do throws(SystemError) {
      _ = try call("flock", path) { flock(descriptor, LOCK_EX | LOCK_NB) }
      return descriptor
    } catch {
      try? close(descriptor, path)
      if error.code == EWOULDBLOCK { return nil }
      throw error
    }
  }

  package func isRunning(process: CInt) -> Bool {
    kill(process, 0) == 0 || errno != ESRCH
  }

  /// Calls `body` until no signal interrupts it; -1 is a failure.
  private func call<Result: SignedInteger>(
    _ name: String, _ path: String, _ body: () -> Result
  ) throws(SystemError) -> Result {
    while true {
      let result = body()
      if result >= 0 { return result }
      if errno != EINTR { throw SystemError(call: name, path: path) }
    }
  }
}

extension SystemFiles {
  /// Writes all bytes to a file, pipe or device, however often signals interrupt it.
  ///
  /// - Returns: 0, or `errno`.
  package static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> CInt {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(writtenAtOnce))
      let count = systemWrite(descriptor, part.baseAddress, part.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return errno }
      rest = rest.dropFirst(count)
    }
    return 0
  }

  /// Writes all bytes; 0, or `errno`.
  package static func writeAll(_ bytes: [UInt8], to descriptor: CInt) -> CInt {
    bytes.withUnsafeBytes { writeAll($0, to: descriptor) }
  }
}

extension FileStatus {
  init(_ status: stat) {
    #if canImport(Darwin)
      let modified = status.st_mtimespec
    #else
      let modified = status.st_mtim
    #endif
    self.init(
      kind: Kind(status), byteCount: Int(status.st_size),
      // Blocks of 512 bytes, whatever the file system's own are.
      storedByteCount: Int(status.st_blocks) * 512, linkCount: Int(status.st_nlink),
      owner: UInt32(status.st_uid), permissions: UInt32(status.st_mode & 0o7777),
      // Times before 1970 and after 2262 only have to differ.
      modified: modified.tv_sec &* 1_000_000_000 &+ modified.tv_nsec)
  }

  /// What `path` leads to once links are followed; nil when there is nothing.
  package init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}

extension FileStatus.Kind {
  fileprivate init(_ status: stat) {
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .folder
    default: self = .other
    }
  }
}

extension SystemError {
  /// What the system says who reads what is no regular file.
  init(unreadable path: String, isFolder: Bool) {
    self.init(call: "fstat", path: path, code: isFolder ? EISDIR : ESPIPE)
  }
}

// The system's own, which methods hide.
func systemOpen(_ path: String, _ flags: CInt, _ mode: mode_t) -> CInt {
  open(path, flags, mode)
}
private func systemClose(_ descriptor: CInt) -> CInt { close(descriptor) }
private func systemRename(_ path: String, _ newPath: String) -> CInt { rename(path, newPath) }
private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
