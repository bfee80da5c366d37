#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A text file that is begun once and then grows, each line in the system's hands when `write` returns.
final class LogFile {
  let path: String
  private let descriptor: CInt

  /// Begins the file anew.
  init(path: String) throws(CallbackError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path) }
  }

  deinit { close(descriptor) }

  /// Appends a line.
  func write(line: String) throws(CallbackError) {
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
