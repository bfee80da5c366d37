import CrestFiles
import CrestPlatform

#if !_endian(little)
  #error("ONNX keeps numbers in little-endian order, and they are read here as they lie")
#endif

/// The bytes of a model: a mapped file, or memory.
///
/// A mapped file is neither copied nor read ahead. Whoever shortens it while it is mapped makes the
/// system end this process when it touches the missing part; replacing the file by another, as
/// ``ModelOutputFile`` does, is harmless.
package final class ByteSource: Sendable {
  /// The path as given, or a name for bytes that came without.
  package let name: String
  /// The path of the folder that holds the file; nil for bytes that came without.
  package let folder: String?
  package let byteCount: Int

  // The memory is written once, before it is published here, and freed by deinit.
  private nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  /// Maps a regular file.
  ///
  /// - Throws: ``ONNXError/unreadable(file:reason:)`` or ``ONNXError/notARegularFile(file:)``.
  package init(path: String) throws(ONNXError) {
    let file: RegularFile
    do throws(RegularFile.Failure) {
      file = try RegularFile(path)
    } catch {
      switch error {
      case .notRegular: throw .notARegularFile(file: path)
      case .system(let error): throw .unreadable(file: path, reason: error.message)
      case .shortened: throw .unreadable(file: path, reason: error.reason)
      }
    }
    name = path
    folder = FilePath.split(path).folder
    byteCount = file.byteCount
    // Mapping nothing is an error to mmap.
    guard file.byteCount > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      isMapped = false
      return
    }
    let address = mmap(nil, file.byteCount, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
    guard let address, address != MAP_FAILED else {
      throw .unreadable(file: path, reason: systemMessage())
    }
    bytes = UnsafeRawBufferPointer(start: address, count: file.byteCount)
    isMapped = true
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
