import CrestFiles

/// The system calls by which files are saved and found again.
///
/// One method is one call, so that tests can let each fail, keep a record, or lose power between any two.
package protocol FileSystem: Sendable {
  /// Creates a file for writing where nothing is (`open` with `O_CREAT | O_EXCL`).
  func create(_ path: String) throws(SystemError) -> CInt
  /// Opens a regular file for reading.
  func open(_ path: String) throws(SystemError) -> CInt
  /// The size of an open file (`fstat`).
  func byteCount(_ descriptor: CInt, _ path: String) throws(SystemError) -> Int
  /// Reads into `buffer` from `offset` on, perhaps less than fits; 0 at the end (`pread`).
  func read(
    _ descriptor: CInt, _ path: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int
  /// Writes perhaps a part of `bytes`, at least one, from `offset` on (`pwrite`).
  func write(
    _ descriptor: CInt, _ path: String, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int
  /// Waits until a file's bytes are on the disk (`fsync`; on macOS `F_FULLFSYNC`).
  func synchronize(_ descriptor: CInt, _ path: String) throws(SystemError)
  /// Closes a file, also when it fails.
  func close(_ descriptor: CInt, _ path: String) throws(SystemError)
  /// The path of the file that `path` leads to once links are followed, there or not; an error when that is a
  /// pipe, a device or a folder (`readlink`).
  func destination(of path: String) throws(SystemError) -> String
  /// Gives a file another name, in place of what has it.
  func rename(_ path: String, to newPath: String) throws(SystemError)
  /// Removes a file (`unlink`).
  func remove(_ path: String) throws(SystemError)
  /// Waits until the names in a folder are on the disk.
  func synchronizeFolder(_ path: String) throws(SystemError)
  /// The names in a folder, in no order.
  func names(inFolder path: String) throws(SystemError) -> [String]
  /// Makes a folder unless it is there; the one it is in must be.
  func makeFolder(_ path: String) throws(SystemError)
  /// Takes the exclusive lock of a file, which is made if need be, without waiting; nil when another has it
  /// (`flock`).
  func lock(_ path: String) throws(SystemError) -> CInt?
  /// Whether there is a process of that number.
  func isRunning(process: CInt) -> Bool
}

/// A system call that failed.
package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// Its name.
  package let call: String
  /// The file it was about.
  package let path: String
  /// `errno`.
  package let code: CInt

  package init(call: String, path: String, code: CInt) {
    self.call = call
    self.path = path
    self.code = code
  }

  /// As in `No space left on device (write)`.
  package var description: String { "\(SystemFiles.message(code)) (\(call))" }

  /// The same with what to do, of a file that can't be written.
  package var explanation: String { "\(self); \(OutputFailure.advice(code))" }
}

extension FileSystem {
  /// The path: there are no links.
  package func destination(of path: String) throws(SystemError) -> String { path }

  /// Puts a file in its place so that after a crash or a loss of power there is either the new one, whole, or
  /// what was there before; once this returns, it is the new one.
  ///
  /// A temporary file in the same folder is written and brought to the disk, renamed, and the folder brought
  /// to the disk. Whatever fails, nothing that was there is lost, and no temporary file stays unless removing
  /// it fails too.
  ///
  /// - Parameters:
  ///   - path: Where it shall be; what is there is replaced, of a link what it leads to.
  ///   - write: Hands the contents over, piece by piece, each with its offset in the file.
  /// - Throws: What failed.
  package func replaceFile(
    at path: String,
    _ write: (_ put: (UnsafeRawBufferPointer, Int) throws(SystemError) -> Void)
      throws(SystemError) -> Void
  ) throws(SystemError) {
    let path = try destination(of: path)
    let (folder, name) = FilePath.split(path)
    let temporary = FilePath.join(folder, TemporaryName.new(for: name))
    let descriptor = try create(temporary)
    var isOpen = true
    do throws(SystemError) {
      try write { (bytes, offset) throws(SystemError) in
        var rest = bytes[...]
        while !rest.isEmpty {
          // Linux writes at most 2 GiB at once, and other systems refuse more.
          let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 26))
          let done = bytes.count - rest.count
          rest = rest.dropFirst(
            try self.write(descriptor, temporary, part, at: offset + done))
        }
      }
      try synchronize(descriptor, temporary)
      isOpen = false
      try close(descriptor, temporary)
      try rename(temporary, to: path)
    } catch {
      // Best effort: the error that counts is under way.
      if isOpen { try? close(descriptor, temporary) }
      try? remove(temporary)
      throw error
    }
    try synchronizeFolder(folder)
  }

  /// Opens a file, lets `body` read it, and closes it.
  func withFile<Result, Failure: Error>(
    _ path: String, wrapping wrap: (SystemError) -> Failure,
    _ body: (_ descriptor: CInt, _ byteCount: Int) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let opened: (CInt, Int)
    do throws(SystemError) {
      let descriptor = try open(path)
      do throws(SystemError) {
        opened = (descriptor, try byteCount(descriptor, path))
      } catch {
        try? close(descriptor, path)
        throw error
      }
    } catch {
      throw wrap(error)
    }
    // Nothing is lost when closing a file that was only read fails.
    defer { try? close(opened.0, path) }
    return try body(opened.0, opened.1)
  }

  /// Fills `buffer` from `offset` on; the number of bytes read, fewer where the file ends.
  func fill(
    _ buffer: UnsafeMutableRawBufferPointer, _ descriptor: CInt, _ path: String, at offset: Int
  ) throws(SystemError) -> Int {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...].prefix(1 << 26))
      let count = try read(descriptor, path, into: rest, at: offset + done)
      if count == 0 { break }
      done += count
    }
    return done
  }
}

/// The names of files in the making: hidden, and telling whose they are.
enum TemporaryName {
  private static let prefix = ".tmp-"

  /// A new name.
  static func new(for name: String) -> String {
    let random = String(UInt32.random(in: .min ... .max), radix: 16)
    return "\(prefix)\(SystemFiles.processNumber)-\(random)-\(name)"
  }

  /// The number of the process that made a file of that name; nil for files of another kind.
  static func owner(of name: String) -> CInt? {
    guard name.hasPrefix(prefix) else { return nil }
    return name.dropFirst(prefix.count).split(separator: "-").first.flatMap { CInt($0) }
  }
}

/// Paths as text.
enum FilePath {
  /// The folder that holds the file at `path`, and the file's name.
  static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (
      slash == path.startIndex ? "/" : String(path[..<slash]),
      String(path[path.index(after: slash)...])
    )
  }

  /// `name` in `folder`.
  static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}
