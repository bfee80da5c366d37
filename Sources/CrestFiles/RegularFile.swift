import CCrestFiles
import CrestPlatform

/// An open regular file, read by offset and within its bounds; closed when it goes out of scope.
package struct RegularFile: ~Copyable {
  /// Why a file can't be read.
  package enum Failure: Error {
    /// It is a folder, a pipe or a device; the error says it as the system would.
    case notRegular(SystemError)
    /// A system call failed.
    case system(SystemError)
    /// It ended after so many bytes, which it can only do when somebody shortens it meanwhile.
    case shortened(byteCount: Int)
    /// Somebody wrote to it since it was opened, so that what was read may be part old and part new.
    case changed

    /// The reason in words, with the call that failed.
    package var reason: String {
      switch self {
      case .notRegular(let error), .system(let error): error.description
      case .shortened: "it was shortened while it was read"
      case .changed: "it was changed while it was read"
      }
    }

    /// The reason without the name of the call.
    package var message: String {
      switch self {
      case .notRegular(let error), .system(let error): error.message
      case .shortened, .changed: reason
      }
    }
  }

  package let path: String
  package let descriptor: CInt
  /// What it was when it was opened, or when it had settled.
  package private(set) var status: FileStatus
  private let files: any FileSystem

  /// Its size in bytes then.
  package var byteCount: Int { status.byteCount }

  /// Opens a file for reading.
  package init(_ path: String, on files: any FileSystem = SystemFiles()) throws(Failure) {
    let descriptor: CInt
    do throws(SystemError) { descriptor = try files.open(path) } catch { throw .system(error) }
    try self.init(taking: descriptor, path, on: files)
  }

  /// Owns `descriptor`, which is closed also when this throws.
  package init(
    taking descriptor: CInt, _ path: String, on files: any FileSystem = SystemFiles()
  ) throws(Failure) {
    let status: FileStatus
    do throws(SystemError) {
      status = try files.status(descriptor, path)
    } catch {
      try? files.close(descriptor, path)
      throw .system(error)
    }
    guard status.kind == .regular else {
      try? files.close(descriptor, path)
      throw .notRegular(SystemError(unreadable: path, isFolder: status.kind == .folder))
    }
    self.path = path
    self.descriptor = descriptor
    self.status = status
    self.files = files
  }

  // Nothing is lost when closing a file that was only read fails.
  deinit { try? files.close(descriptor, path) }

  /// Opens a file that has to be read as one piece.
  package static func settled(_ path: String) throws(Failure) -> RegularFile {
    var file = try RegularFile(path)
    try file.settle()
    return file
  }

  /// How long file systems may give writes the same time, in nanoseconds: a tick of Linux takes up to 10 ms.
  private static let tick = 10_000_000

  /// Waits until the last write is so long ago that a further one would have another time.
  ///
  /// Without it, what somebody is just writing could be read half old and half new, and nothing would tell.
  ///
  /// - Throws: ``Failure/changed`` when somebody writes on and on, for a second.
  package mutating func settle() throws(Failure) {
    for _ in 0..<100 {
      var now = timespec()
      clock_gettime(CLOCK_REALTIME, &now)
      let age = (now.tv_sec &* 1_000_000_000 &+ now.tv_nsec) &- status.modified
      // Times in the future are of another clock, and of no use.
      guard (0..<Self.tick).contains(age) else { return }
      usleep(UInt32((Self.tick - age) / 1000 + 1))
      do throws(SystemError) { status = try files.status(descriptor, path) } catch {
        throw .system(error)
      }
    }
    throw .changed
  }

  /// Fills `buffer` with the bytes from `offset` on.
  ///
  /// - Throws: ``Failure/changed`` also for what was read before, when somebody has written to the file since it
  ///   was opened.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(Failure) {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(
        rebasing: buffer[done...].prefix(writtenAtOnce))
      let count: Int
      do throws(SystemError) {
        count = try files.read(descriptor, path, into: rest, at: offset + done)
      } catch {
        throw .system(error)
      }
      if count == 0 { throw .shortened(byteCount: offset + done) }
      done += count
    }
    try checkUnchanged()
  }

  /// Fills `zeros`, of the file's size, with its bytes; the memory of its holes is not touched.
  package func read(intoZeros zeros: UnsafeMutableRawBufferPointer) throws(Failure) {
    var offset = 0
    while offset < byteCount {
      var (start, end) = (Int64(0), Int64(0))
      guard
        crest_stored_range(descriptor, Int64(offset), Int64(byteCount), &start, &end) == 0
      else { throw .system(SystemError(call: "lseek", path: path)) }
      let range = Int(start)..<Int(end)
      try read(into: UnsafeMutableRawBufferPointer(rebasing: zeros[range]), at: range.lowerBound)
      offset = range.upperBound
    }
  }

  private func checkUnchanged() throws(Failure) {
    let now: FileStatus
    do throws(SystemError) { now = try files.status(descriptor, path) } catch {
      throw .system(error)
    }
    guard now.hasContent(of: status) else { throw .changed }
  }

  /// `count` bytes from `offset` on.
  package func bytes(count: Int, at offset: Int = 0) throws(Failure) -> [UInt8] {
    try [UInt8](count: count) { (buffer) throws(Failure) in try read(into: buffer, at: offset) }
  }
}

extension [UInt8] {
  /// An array of `count` bytes that `fill` writes in place.
  package init<Failure: Error>(
    count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    var failure: Failure?
    self.init(unsafeUninitializedCapacity: count) { buffer, initializedCount in
      do throws(Failure) {
        try fill(
          UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
        initializedCount = count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }
}
