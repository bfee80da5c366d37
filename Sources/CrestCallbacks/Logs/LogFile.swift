#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A text file that grows line by line, each in the system's hands when `write` returns.
final class LogFile {
  let path: String
  private let descriptor: CInt
  private var byteCount: Int?

  /// Opens the file, which is made unless it is there, and changes nothing of it yet.
  init(path: String) throws(CallbackError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path) }
  }

  deinit { close(descriptor) }

  /// Writes a line after the first `byteCount` bytes, which is moved behind it; what was there goes.
  ///
  /// So a log that is gone on with has each line once, whatever was written after the checkpoint.
  func write(line: String, at byteCount: inout Int) throws(CallbackError) {
    if self.byteCount != byteCount { try cut(to: byteCount) }
    try append(line)
    byteCount += line.utf8.count + 1
    self.byteCount = byteCount
  }

  private func cut(to count: Int) throws(CallbackError) {
    let size = lseek(descriptor, 0, SEEK_END)
    // What can't be sought, as a pipe, can't be cut either, and is only written to.
    if size < 0 && errno == ESPIPE { return }
    guard size >= count else {
      throw .unwritable(
        path: path,
        reason: "it has \(size) bytes, but \(count) were written before the checkpoint")
    }
    // Devices have no length to be cut to.
    guard ftruncate(descriptor, off_t(count)) == 0 || errno == EINVAL,
      lseek(descriptor, off_t(count), SEEK_SET) >= 0
    else { throw Self.failure(path) }
  }

  private func append(_ line: String) throws(CallbackError) {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { systemWrite(descriptor, $0) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(path) }
      bytes.removeFirst(count)
    }
  }

  private static func failure(_ path: String) -> CallbackError {
    .unwritable(path: path, reason: String(cString: strerror(errno)))
  }
}

private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}
