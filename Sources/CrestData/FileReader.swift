import CrestFiles
import CrestPlatform

/// An open file of data.
struct FileReader: ~Copyable {
  let path: String
  /// The size of the file when it was opened.
  var byteCount: Int { file.byteCount }
  private let file: RegularFile

  /// Opens a regular file.
  ///
  /// - Throws: ``DataError/missingFile(path:)``, ``DataError/notARegularFile(path:)`` or
  ///   ``DataError/unreadable(path:reason:)``.
  init(_ path: String) throws(DataError) {
    do throws(RegularFile.Failure) {
      file = try .settled(path)
    } catch {
      throw switch error {
      case .system(let error) where error.isMissingFile: .missingFile(path: path)
      default: DataError(path, error, expected: 0)
      }
    }
    self.path = path
  }

  /// Fills `buffer` with the bytes from `offset` on.
  ///
  /// - Throws: ``DataError/truncated(path:expected:got:)`` if the file ends earlier, which can only
  ///   happen if it is truncated meanwhile.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DataError) {
    do throws(RegularFile.Failure) {
      try file.read(into: buffer, at: offset)
    } catch {
      throw DataError(path, error, expected: offset + buffer.count)
    }
  }

  /// `count` bytes from `offset` on.
  ///
  /// - Throws: ``DataError/tooLarge(path:byteCount:memory:)`` before memory is taken that there isn't.
  func bytes(count: Int, at offset: Int = 0) throws(DataError) -> [UInt8] {
    try DataError.checkMemory(count, path)
    do throws(RegularFile.Failure) {
      return try file.bytes(count: count, at: offset)
    } catch {
      throw DataError(path, error, expected: offset + count)
    }
  }

  /// The whole file.
  ///
  /// - Throws: ``DataError/fileTooLarge(path:byteCount:limit:)`` before anything is read.
  func allBytes(limit: Int = .max) throws(DataError) -> [UInt8] {
    guard byteCount <= limit else {
      throw .fileTooLarge(path: path, byteCount: byteCount, limit: limit)
    }
    return try bytes(count: byteCount)
  }
}

extension DataError {
  /// Refuses contents of the file at `path` that take more memory than there is.
  static func checkMemory(_ byteCount: Int, _ path: String) throws(DataError) {
    // Little is not worth asking the system.
    guard byteCount > 1 << 20 else { return }
    let memory = AvailableMemory.byteCount()
    guard byteCount <= memory else {
      throw .tooLarge(path: path, byteCount: byteCount, memory: memory)
    }
  }

  /// Why the file at `path` can't be read, of which so many bytes are needed.
  init(_ path: String, _ failure: RegularFile.Failure, expected: Int) {
    self =
      switch failure {
      case .notRegular: .notARegularFile(path: path)
      case .system, .changed: .unreadable(path: path, reason: failure.message)
      case .shortened(let byteCount): .truncated(path: path, expected: expected, got: byteCount)
      }
  }
}

/// The names in a folder in ascending order, without those that begin with a dot.
func fileNames(inFolder path: String) throws(DataError) -> [String] {
  do throws(SystemError) {
    return try SystemFiles().names(inFolder: path).filter { !$0.hasPrefix(".") }.sorted()
  } catch {
    throw .unreadable(path: path, reason: error.message)
  }
}
