import CrestFiles
import CrestPlatform

/// A file that is replaced as a whole or not at all; of a link, what it leads to.
struct ReplacedFile {
  private let path: String

  /// Where that is, found before any work.
  init(_ path: String, apartFrom source: ModelFile) throws(JudgeError) {
    do throws(OutputFailure) { _ = try OutputPlace(path) } catch {
      throw .unwritable(path, reason: error.explanation)
    }
    self.path = path
    if let place = OutputPlace.identity(ofExisting: path),
      place == OutputPlace.identity(ofExisting: source.path)
    {
      throw .outputIsSource(path)
    }
  }

  /// Writes beside the file, makes sure it is on the disk, and renames.
  func replace(by bytes: UnsafeRawBufferPointer) throws(JudgeError) {
    do throws(OutputFailure) {
      var file = try OutputFile(replacing: path)
      try file.write(bytes)
      try file.commit()
    } catch {
      throw .unwritable(path, reason: error.explanation)
    }
  }
}

/// Results.
enum StandardOutput {
  static func write(_ text: String) throws(JudgeError) {
    var text = text
    guard text.withUTF8({ writeAll(UnsafeRawBufferPointer($0), to: STDOUT_FILENO) }) else {
      throw .unwritable("standard output", reason: systemMessage())
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
