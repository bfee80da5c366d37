import CrestFiles
import CrestPlatform

/// The file of a model, open for reading.
final class ModelFile {
  let path: String
  private let file: RegularFile

  init(_ path: String) throws(JudgeError) {
    do throws(RegularFile.Failure) { file = try RegularFile(path) } catch {
      throw switch error {
      case .notRegular: .notAFile(path)
      case .system, .shortened, .changed: .unreadable(path, reason: error.message)
      }
    }
    self.path = path
  }

  var byteCount: Int { file.byteCount }

  /// The folder it is in, which side files are relative to.
  var folder: String { FilePath.split(path).folder }

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
    do throws(RegularFile.Failure) {
      try file.read(into: UnsafeMutableRawBufferPointer(start: start, count: byteCount), at: 0)
    } catch {
      throw switch error {
      case .shortened, .changed: .changed(path)
      case .system, .notRegular: .unreadable(path, reason: error.message)
      }
    }
    return try body(UnsafeRawBufferPointer(start: start, count: byteCount))
  }
}
