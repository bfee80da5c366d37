import CrestFiles

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The files of this machine.
package struct SystemFiles: FileSystem {
  package init() {}

  /// The system's words for an error.
  static func message(_ code: CInt) -> String { String(cString: strerror(code)) }

  /// The number of this process.
  static var processNumber: CInt { getpid() }

  package func create(_ path: String) throws(SystemError) -> CInt {
    try call("open", path) {
      systemOpen(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    }
  }

  package func open(_ path: String) throws(SystemError) -> CInt {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    try call("open", path) { systemOpen(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0) }
  }

  package func byteCount(_ descriptor: CInt, _ path: String) throws(SystemError) -> Int {
    var status = stat()
    _ = try call("fstat", path) { fstat(descriptor, &status) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw SystemError(
        call: "fstat", path: path, code: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : ESPIPE)
    }
    return Int(status.st_size)
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
      throw SystemError(call: "close", path: path, code: errno)
    }
  }

  package func destination(of path: String) throws(SystemError) -> String {
    let place: OutputPlace
    do throws(OutputFailure) { place = try OutputPlace(path) } catch {
      throw SystemError(call: "open", path: path, code: error.code)
    }
    guard case .file = place.kind else {
      throw SystemError(call: "open", path: path, code: ENOTSUP)
    }
    return place.destination
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
      _ = try call("fsync", path) { fsync(descriptor) }
    } catch {
      try? close(descriptor, path)
      throw error
    }
    try close(descriptor, path)
  }

  package func names(inFolder path: String) throws(SystemError) -> [String] {
    guard let folder = opendir(path) else {
      throw SystemError(call: "opendir", path: path, code: errno)
    }
    defer { closedir(folder) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = readdir(folder) else {
        if errno != 0 { throw SystemError(call: "readdir", path: path, code: errno) }
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
      throw SystemError(call: "mkdir", path: path, code: errno)
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
      if errno != EINTR { throw SystemError(call: name, path: path, code: errno) }
    }
  }
}

extension SystemError {
  /// Whether it says that there is no such file.
  var isMissingFile: Bool { code == ENOENT }
}

// The system's own, which methods hide.
private func systemOpen(_ path: String, _ flags: CInt, _ mode: mode_t) -> CInt {
  open(path, flags, mode)
}
private func systemClose(_ descriptor: CInt) -> CInt { close(descriptor) }
private func systemRename(_ path: String, _ newPath: String) -> CInt { rename(path, newPath) }
