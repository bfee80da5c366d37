#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that is replaced as a whole or not at all.
final class OutputFile {
  private let path: String
  private let name: String
  /// Open from the start, so that a folder that isn't there is found before any work.
  private let folder: CInt

  init(_ path: String, apartFrom source: ModelFile) throws(JudgeError) {
    let parts = splitPath(path)
    folder = open(parts.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    name = parts.name
    self.path = path
    guard folder >= 0 else { throw .unwritable(path, reason: systemError()) }
    var status = stat()
    if fstatat(folder, name, &status, 0) == 0, source.isSame(as: status) {
      throw .outputIsSource(path)
    }
  }

  deinit { if folder >= 0 { close(folder) } }

  /// Writes beside the file, makes sure it is on the disk, and renames.
  func replace(by bytes: UnsafeRawBufferPointer) throws(JudgeError) {
    let temporary = ".\(name).\(getpid()).part"
    let file = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw .unwritable(path, reason: systemError()) }
    let written = writeAll(bytes, to: file) && fsync(file) == 0
    let reason = written ? "" : systemError()
    let closed = close(file) == 0
    guard written, closed, renameat(folder, temporary, folder, name) == 0 else {
      let error = JudgeError.unwritable(path, reason: written ? systemError() : reason)
      unlinkat(folder, temporary, 0)
      throw error
    }
    guard fsync(folder) == 0 else { throw .unwritable(path, reason: systemError()) }
  }
}

/// Results.
enum StandardOutput {
  static func write(_ text: String) throws(JudgeError) {
    var text = text
    guard text.withUTF8({ writeAll(UnsafeRawBufferPointer($0), to: STDOUT_FILENO) }) else {
      throw .unwritable("standard output", reason: systemError())
    }
  }
}

/// Errors.
enum StandardError {
  /// Writes, or doesn't: there is nowhere left to report a failure to.
  static func write(_ text: String) {
    var text = text
    _ = text.withUTF8 { writeAll(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
  }
}

private func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return false }
    rest.removeFirst(count)
  }
  return true
}
