import CrestPlatform

/// A system call that failed.
package struct SystemError: Error, Equatable, CustomStringConvertible {
  /// Its name.
  package let call: String
  /// The file it was about.
  package let path: String
  /// `errno`.
  package let code: CInt

  /// The failure of the call that has just returned, unless another `code` is given.
  package init(call: String, path: String, code: CInt = errno) {
    self.call = call
    self.path = path
    self.code = code
  }

  /// The system's words for it.
  package var message: String { systemMessage(code) }

  /// As in `No space left on device (write)`.
  package var description: String { "\(message) (\(call))" }

  /// The same with what to do, of a file that can't be written.
  package var explanation: String { "\(self); \(OutputFailure.advice(code))" }

  /// Whether it says that there is no such file.
  package var isMissingFile: Bool { code == ENOENT }
}

/// The system's words for an error: that of the call that has just returned, unless another is given.
package func systemMessage(_ code: CInt = errno) -> String { String(cString: strerror(code)) }

/// The bytes that one call reads or writes: Linux does at most 2 GiB at once, and other systems refuse more.
let writtenAtOnce = 1 << 26
