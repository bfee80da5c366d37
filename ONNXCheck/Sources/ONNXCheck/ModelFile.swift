#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The file of a model, open for reading.
final class ModelFile {
  let path: String
  let byteCount: Int
  private let descriptor: CInt
  private let identity: stat

  init(_ path: String) throws(JudgeError) {
    // Without O_NONBLOCK, opening a pipe would wait for somebody to write it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path, reason: systemError()) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let reason = systemError()
      close(descriptor)
      throw .unreadable(path, reason: reason)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .notAFile(path)
    }
    self.path = path
    byteCount = Int(status.st_size)
    self.descriptor = descriptor
    identity = status
  }

  deinit { close(descriptor) }

  /// The folder it is in, which side files are relative to.
  var folder: String { splitPath(path).folder }

  /// Whether `status` describes this very file.
  func isSame(as status: stat) -> Bool {
    status.st_dev == identity.st_dev && status.st_ino == identity.st_ino
  }

  /// Calls `body` with a copy of all bytes: a map of a file that shrinks is a crash.
  func withBytes<Result>(
    memoryLimit: Int, _ body: (UnsafeRawBufferPointer) throws(JudgeError) -> Result
  ) throws(JudgeError) -> Result {
    guard byteCount > 0 else { throw .empty(path) }
    guard byteCount <= memoryLimit << 19 else {
      throw .tooLarge(path, byteCount: byteCount, memoryLimit: memoryLimit)
    }
    guard let start = malloc(byteCount) else { throw .memory(path, limit: memoryLimit) }
    defer { free(start) }
    var position = 0
    while position < byteCount {
      let count = pread(descriptor, start + position, byteCount - position, off_t(position))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .unreadable(path, reason: systemError()) }
      guard count > 0 else { throw .changed(path) }
      position += count
    }
    return try body(UnsafeRawBufferPointer(start: start, count: byteCount))
  }
}

/// Why the system call that has just returned failed.
func systemError() -> String { String(cString: strerror(errno)) }

/// The folder of a path, "." if it names none, and the rest.
func splitPath(_ path: String) -> (folder: String, name: String) {
  guard let slash = path.lastIndex(of: "/") else { return (".", path) }
  let folder = path[..<slash]
  return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
}
