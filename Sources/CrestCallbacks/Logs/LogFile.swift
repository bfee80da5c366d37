import CrestFiles

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
  /// Whether it has a length; a pipe or device is only written to.
  private let isRegular: Bool
  /// Where it was made, as nothing was there.
  private let madePath: String?
  private var byteCount: Int?

  /// Opens the file, which is made unless it is there, and changes nothing of it yet.
  init(path: String) throws(CallbackError) {
    self.path = path
    do throws(OutputFailure) {
      let place = try OutputPlace(path, inPlace: true)
      if case .file(let permissions) = place.kind {
        isRegular = true
        madePath = permissions == nil ? place.destination : nil
        descriptor = open(place.destination, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
      } else {
        isRegular = false
        madePath = nil
        descriptor = try place.open()
      }
    } catch {
      throw .unwritable(path: path, reason: error.reason)
    }
    guard descriptor >= 0 else { throw Self.failure(path) }
  }

  /// Checks that all that was written before a checkpoint is there, for `callback` to go on with.
  func check(has count: Int, for callback: String) throws(CallbackError) {
    guard isRegular else { return }
    let size = lseek(descriptor, 0, SEEK_END)
    guard size >= 0 else { throw Self.failure(path) }
    guard size < count else { return }
    // An empty file in the place of one that is gone would only be in the way of who puts it back.
    if let madePath { unlink(madePath) }
    throw .logTooShort(
      path: path, byteCount: madePath == nil ? Int(size) : nil, expected: count, callback: callback)
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
    guard isRegular else { return }
    let size = lseek(descriptor, 0, SEEK_END)
    guard size >= count else {
      throw .unwritable(
        path: path, reason: "it has \(size) bytes, but \(count) were written to it before")
    }
    guard ftruncate(descriptor, off_t(count)) == 0, lseek(descriptor, off_t(count), SEEK_SET) >= 0
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
