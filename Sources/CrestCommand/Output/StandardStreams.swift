import CrestFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What can't be written.
struct OutputError: Error, Equatable, CustomStringConvertible {
  let target: String
  let reason: String

  /// The failure of the system call that has just returned.
  init(target: String) {
    self.target = target
    reason = String(cString: strerror(errno))
  }

  /// The failure of a file.
  init(_ failure: OutputFailure) {
    target = failure.path.isEmpty ? "\"\"" : failure.path
    reason = failure.reason
  }

  var description: String {
    "\(target) can't be written: \(reason); choose another place or make room"
  }
}

/// Results.
enum StandardOutput {
  static func write(_ text: String) throws(OutputError) {
    guard writeAll(text, to: STDOUT_FILENO) else {
      throw OutputError(target: "standard output")
    }
  }
}

/// Progress and errors.
enum StandardError {
  static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes, or doesn't: there is nowhere left to report a failure to.
  static func write(_ text: String) { _ = writeAll(text, to: STDERR_FILENO) }
}

/// Replaces the file at `path` by `text`, whole; links are followed, and pipes and devices written to.
func writeFile(_ text: String, to path: String) throws(OutputError) {
  try writeFile(Array(text.utf8), to: path)
}

/// Replaces the file at `path` by `bytes`, whole; links are followed, and pipes and devices written to.
func writeFile(_ bytes: [UInt8], to path: String) throws(OutputError) {
  do throws(OutputFailure) { try OutputFile.write(bytes, to: path) } catch {
    throw OutputError(error)
  }
}

private func writeAll(_ text: String, to descriptor: CInt) -> Bool {
  writeAll(Array(text.utf8)[...], to: descriptor)
}

private func writeAll(_ all: ArraySlice<UInt8>, to descriptor: CInt) -> Bool {
  var bytes = all
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count > 0 else { return false }
    bytes.removeFirst(count)
  }
  return true
}
