import CrestFiles
import CrestPlatform

#if !_endian(little)
  #error("ONNX keeps numbers in little-endian order, and they are read here as they lie")
#endif

/// The bytes of a model, in memory of their own.
///
/// A mapped file would be neither copied nor read ahead, but it would change with the file: who writes to it
/// changes the network in the middle of training, and who shortens it ends the process.
package final class ByteSource: Sendable {
  /// The path as given, or a name for bytes that came without.
  package let name: String
  /// The path of the folder that holds the file; nil for bytes that came without.
  package let folder: String?
  package let byteCount: Int

  // The memory is written once, before it is published here, and freed by deinit.
  private nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  /// Reads a regular file of at most `limit` bytes.
  ///
  /// - Throws: ``ONNXError/unreadable(file:reason:)``, ``ONNXError/notARegularFile(file:)``, or
  ///   ``ONNXError/overLimit(_:limit:)`` before anything is read.
  package init(path: String, limit: Int = WireLimits.standard.modelByteCount) throws(ONNXError) {
    let file: RegularFile
    do throws(RegularFile.Failure) { file = try .settled(path) } catch {
      throw ONNXError(path, error)
    }
    name = path
    folder = FilePath.split(path).folder
    byteCount = file.byteCount
    guard byteCount <= limit else {
      throw WireFault(at: 0, limit: "\(limit) bytes").error(in: path)
    }
    // Mapping nothing is an error to mmap.
    guard byteCount > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      isMapped = false
      return
    }
    // Unlike the allocator of Swift, the system says when there is no memory left.
    let address = mmap(
      nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let address, address != MAP_FAILED else {
      throw .unreadable(file: path, reason: "\(systemMessage()) for its \(byteCount) bytes")
    }
    bytes = UnsafeRawBufferPointer(start: address, count: byteCount)
    isMapped = true
    do throws(RegularFile.Failure) {
      try file.read(
        intoZeros: UnsafeMutableRawBufferPointer(start: address, count: byteCount))
    } catch {
      throw ONNXError(path, error)
    }
  }

  /// A copy of `bytes`, called `name` in messages.
  package init(_ bytes: UnsafeRawBufferPointer, name: String) {
    self.name = name
    folder = nil
    byteCount = bytes.count
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
    copy.copyMemory(from: bytes)
    self.bytes = UnsafeRawBufferPointer(copy)
    isMapped = false
  }

  deinit {
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    } else {
      bytes.deallocate()
    }
  }

  /// Calls `body` with all bytes, which must not escape.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Without this the last use of `self` would be the load of the pointer.
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }

  /// Calls `body` with the bytes of a range, which must not escape.
  package func withBytes<Result, Failure: Error>(
    in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withBytes { (bytes) throws(Failure) in
      try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
    }
  }

  /// The text of a range, as of a string attribute; nil when it isn't UTF-8.
  package func text(in range: Range<Int>) -> String? {
    withBytes(in: range) { String(validating: $0, as: UTF8.self) }
  }
}

extension ONNXError {
  /// Why a model's file can't be read.
  fileprivate init(_ path: String, _ failure: RegularFile.Failure) {
    self =
      switch failure {
      case .notRegular: .notARegularFile(file: path)
      case .system, .shortened, .changed: .unreadable(file: path, reason: failure.message)
      }
  }
}
