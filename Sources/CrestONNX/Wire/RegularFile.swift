#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An open regular file, closed when it goes out of scope.
struct RegularFile: ~Copyable {
  /// Why a descriptor isn't that of a readable regular file.
  enum Refusal: Error {
    case notRegular
    case system(String)
  }

  let descriptor: CInt
  /// The size when it was opened, in bytes.
  let byteCount: Int
  /// How many bytes it takes on the disk: fewer when it has holes, which read as zeros.
  let storedByteCount: Int
  /// The number of names the file has.
  let linkCount: Int

  /// Opens a file for reading.
  init(path: String) throws(ONNXError) {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(file: path, reason: systemMessage()) }
    do throws(Refusal) {
      try self.init(taking: descriptor)
    } catch {
      switch error {
      case .notRegular: throw .notARegularFile(file: path)
      case .system(let reason): throw .unreadable(file: path, reason: reason)
      }
    }
  }

  /// Owns `descriptor`, which is closed also when this throws.
  init(taking descriptor: CInt) throws(Refusal) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let reason = systemMessage()
      close(descriptor)
      throw .system(reason)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .notRegular
    }
    self.descriptor = descriptor
    byteCount = Int(status.st_size)
    // Blocks of 512 bytes, whatever the file system's own are.
    storedByteCount = Int(status.st_blocks) * 512
    linkCount = Int(status.st_nlink)
  }

  deinit { close(descriptor) }

  /// Fills `buffer` from `offset` on; false when the file ends before.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Refusal) -> Bool {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count > 0 {
        done += count
      } else if count == 0 {
        return false
      } else if errno != EINTR {
        throw .system(systemMessage())
      }
    }
    return true
  }
}

/// Paths as text.
enum FilePath {
  /// The folder that holds the file at `path`.
  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last component.
  static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// `name` in `folder`.
  static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}

/// The system's words for the last error.
func systemMessage() -> String {
  String(cString: strerror(errno))
}
