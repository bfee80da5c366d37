import Crest

extension ProgressOutput {
  /// The live line and notes on standard error, and rows of results on standard output.
  ///
  /// A row that can't be written is noted in `failure`, since a full disk is no reason to end a training;
  /// the command fails when it is done.
  static func splitting(failure: WriteFailure) -> ProgressOutput {
    let standardError = ProgressOutput.standardError
    return ProgressOutput(
      isTerminal: standardError.isTerminal, isUnicode: standardError.isUnicode,
      width: standardError.width, note: { Notes.write(String($0.dropLast())) }
    ) { text in
      // Only whole rows end in a line feed.
      guard text.hasSuffix("\n") else { return standardError.write(text) }
      do throws(OutputError) {
        try StandardOutput.write(text)
      } catch {
        failure.error = failure.error ?? error
      }
    }
  }
}

extension ProgressOutput {
  /// The live line on standard error if that is a terminal, notes, and nothing else.
  static var liveLineOnly: ProgressOutput {
    let standardError = ProgressOutput.standardError
    return ProgressOutput(
      isTerminal: standardError.isTerminal, isUnicode: standardError.isUnicode,
      width: standardError.width, note: { Notes.write(String($0.dropLast())) }
    ) { text in
      if !text.hasSuffix("\n") { standardError.write(text) }
    }
  }
}

extension ProgressOutput {
  /// All on standard error, beside results in JSON; notes are events too.
  static var besideJSON: ProgressOutput {
    let standardError = ProgressOutput.standardError
    return ProgressOutput(
      isTerminal: standardError.isTerminal, isUnicode: standardError.isUnicode,
      width: standardError.width, note: { Notes.write(String($0.dropLast())) },
      write: standardError.write)
  }

  /// What callbacks warn of: on standard error, and with `--json` in events too.
  static var warnings: ProgressOutput {
    let standardError = ProgressOutput.standardError
    return ProgressOutput(
      isTerminal: standardError.isTerminal, isUnicode: standardError.isUnicode,
      width: standardError.width
    ) { text in
      standardError.write(text)
      Notes.writeEvent(String(text.dropLast()))
    }
  }
}

/// The first error of writing results during a fit.
final class WriteFailure {
  var error: OutputError?

  /// Throws the error if there was one.
  func check() throws(OutputError) {
    if let error { throw error }
  }
}
