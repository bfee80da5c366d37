import CrestFiles
import CrestPlatform
import CrestTraining

/// A file that grows line by line, or record by record; each has reached the system when `write` returns.
final class LogFile {
  /// What it consists of.
  enum Content {
    case text
    /// Bytes, each of which is a scalar of ``CSVLogger/Record/unwritten``.
    case bytes
  }

  let path: String
  private let content: Content
  private let descriptor: CInt
  /// Whether it has a length; a pipe or device is only written to.
  private let isRegular: Bool
  /// Where it is, links followed.
  private let destination: String
  /// Whether it was made, as nothing was there.
  private let isNew: Bool
  /// The bytes that lie before the place where the next go; nil when that has to be found.
  private var position: Int?

  /// Opens the file, which is made unless it is there, and changes nothing of it yet.
  init(path: String, content: Content = .text) throws(CallbackError) {
    self.path = path
    self.content = content
    do throws(OutputFailure) {
      let place = try OutputPlace(path, inPlace: true)
      destination = place.destination
      if case .file(let permissions) = place.kind {
        isRegular = true
        isNew = permissions == nil
        descriptor = open(place.destination, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
      } else {
        isRegular = false
        isNew = false
        descriptor = try place.open()
      }
    } catch {
      throw .unwritable(path: path, reason: error.explanation)
    }
    guard descriptor >= 0 else { throw failure() }
    // A reader that stops reading may delay a line, but not the end of the run.
    if !isRegular { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
  }

  deinit { close(descriptor) }

  /// Checks that all that was written before a checkpoint is there, for `callback` to go on with.
  func check(has record: CSVLogger.Record, for callback: String) throws(CallbackError) {
    guard isRegular, record.byteCount > 0 else { return }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    guard size >= 0 else { throw failure() }
    let isSame =
      size >= record.byteCount ? try digest(of: record.byteCount) == record.digest : false
    guard !isSame else { return }
    // An empty file in the place of one that is gone would only be in the way of who puts it back.
    if isNew { unlink(destination) }
    if record.path != path {
      throw .otherLog(
        path: path, written: record.path, expected: record.byteCount, callback: callback)
    }
    guard size < record.byteCount else {
      throw .logChanged(path: path, expected: record.byteCount, callback: callback)
    }
    throw .logTooShort(
      path: path, byteCount: isNew ? nil : size, expected: record.byteCount, callback: callback)
  }

  /// The fingerprint of the first `count` bytes.
  private func digest(of count: Int) throws(CallbackError) -> LogDigest {
    do throws(RegularFile.Failure) {
      let file = try RegularFile(destination)
      var digest = LogDigest()
      var done = 0
      while done < count {
        let part = try file.bytes(count: min(count - done, 1 << 16), at: done)
        digest.add(part)
        done += part.count
      }
      return digest
    } catch {
      throw .unwritable(path: path, reason: "its content can't be read: \(error.message)")
    }
  }

  /// Writes a line after those that `record` has, which then has it too; what else was there goes.
  ///
  /// So the log of a resumed run has each line once, whatever was written after the checkpoint. A line that can't be
  /// written is kept in the record, and comes before the next.
  ///
  /// - Parameters:
  ///   - line: The line.
  ///   - record: What the log holds.
  ///   - flag: What ends the wait for a reader who has stopped reading.
  /// - Throws: ``CallbackError/unwritable(path:reason:)``.
  func write(
    line: String, to record: inout CSVLogger.Record, unless flag: Learner.InterruptionFlag
  ) throws(CallbackError) {
    record.unwritten += line + "\n"
    try flush(&record, unless: flag)
  }

  /// Writes bytes in the same way.
  func write(
    _ bytes: [UInt8], to record: inout CSVLogger.Record, unless flag: Learner.InterruptionFlag
  ) throws(CallbackError) {
    record.unwritten.unicodeScalars.append(contentsOf: bytes.map { Unicode.Scalar($0) })
    try flush(&record, unless: flag)
  }

  /// Writes what could not be written before.
  func flush(_ record: inout CSVLogger.Record, unless flag: Learner.InterruptionFlag)
    throws(CallbackError)
  {
    guard !record.unwritten.isEmpty else { return }
    if isRegular { try checkIsOurs() }
    if position != record.byteCount { try cut(to: record.byteCount) }
    // What fails half-way is cut off before the next line.
    position = nil
    let bytes =
      switch content {
      case .text: Array(record.unwritten.utf8)
      case .bytes: record.unwritten.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
      }
    try append(bytes, unless: flag)
    record.path = path
    record.digest.add(bytes)
    record.byteCount += bytes.count
    record.unwritten = ""
    position = record.byteCount
  }

  /// Refuses to write where nobody finds it any more, and among what others write.
  private func checkIsOurs() throws(CallbackError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure() }
    var found = stat()
    errno = 0
    guard stat(destination, &found) == 0, found.st_ino == status.st_ino,
      found.st_dev == status.st_dev
    else {
      let isGone = errno == ENOENT && status.st_nlink == 0
      throw .unwritable(
        path: path, reason: "it was \(isGone ? "removed" : "renamed or replaced") during the run")
    }
    guard let position, Int(status.st_size) != position else { return }
    throw .unwritable(
      path: path,
      reason:
        "it has \(status.st_size) bytes, but this run has written \(position): something else writes to it"
    )
  }

  private func cut(to count: Int) throws(CallbackError) {
    guard isRegular else { return }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    guard size >= count else {
      throw .unwritable(
        path: path, reason: "it has \(size) bytes, but \(count) were written to it before")
    }
    guard ftruncate(descriptor, off_t(count)) == 0, lseek(descriptor, off_t(count), SEEK_SET) >= 0
    else { throw failure() }
  }

  private func append(_ all: [UInt8], unless flag: Learner.InterruptionFlag) throws(CallbackError) {
    var bytes = all[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { systemWrite(descriptor, $0) }
      if count < 0 && errno == EINTR { continue }
      if count < 0 && errno == EAGAIN {
        guard !flag.isRaised else {
          throw .unwritable(path: path, reason: "its reader has stopped reading")
        }
        var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = poll(&waited, 1, 50)
        continue
      }
      guard count > 0 else { throw failure() }
      bytes.removeFirst(count)
    }
  }

  /// The failure of the system call that has just returned.
  private func failure() -> CallbackError {
    .unwritable(path: path, reason: OutputFailure(path: path).explanation)
  }
}

/// The system's own, which a method hides.
private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawBufferPointer) -> Int {
  write(descriptor, bytes.baseAddress, bytes.count)
}
