import Crest

extension ProgressBar.Output {
  /// The live line and notes on standard error, and rows of results on standard output.
  ///
  /// A row that can't be written is noted in `failure`, because a full disk is no reason to end
  /// training; the command fails when it is done.
  static func splitting(failure: WriteFailure) -> ProgressBar.Output {
    let standardError = ProgressBar.Output.standardError
    return ProgressBar.Output(
      isTerminal: standardError.isTerminal, isUnicode: standardError.isUnicode,
      width: standardError.width, note: { Notes.write(String($0.dropLast())) }
    ) { text in
      // Only whole rows end in a line feed.
      guard text.hasSuffix("\n") else { return StandardError.writeLive(text) }
      failure.noting { () throws(OutputError) in try StandardOutput.write(text) }
    }
  }
}

extension ProgressBar.Output {
  /// Only notes and, on a terminal, the live line, both on standard error.
  static var liveLineOnly: ProgressBar.Output {
    let standardError = ProgressBar.Output.standardError
    return ProgressBar.Output(
      isTerminal: standardError.isTerminal, isUnicode: standardError.isUnicode,
      width: standardError.width, note: { Notes.write(String($0.dropLast())) }
    ) { text in
      if !text.hasSuffix("\n") { StandardError.writeLive(text) }
    }
  }
}

extension ProgressBar.Output {
  /// All on standard error, beside results in JSON; notes are events too.
  static var besideJSON: ProgressBar.Output {
    let standardError = ProgressBar.Output.standardError
    return ProgressBar.Output(
      isTerminal: standardError.isTerminal, isUnicode: standardError.isUnicode,
      width: standardError.width, note: { Notes.write(String($0.dropLast())) }
    ) { text in
      text.hasSuffix("\n") ? StandardError.write(text) : StandardError.writeLive(text)
    }
  }

  /// A callback's warning, with the option that added the callback in place of its name: on
  /// standard error and, with `--json`, also as an event.
  static func warnings(of callback: String, as option: String) -> ProgressBar.Output {
    let standardError = ProgressBar.Output.standardError
    return ProgressBar.Output(
      isTerminal: standardError.isTerminal, isUnicode: standardError.isUnicode,
      width: standardError.width, note: { Notes.write(String($0.dropLast())) }
    ) { text in
      let own = text.hasPrefix(callback + ":") ? option + text.dropFirst(callback.count) : text
      StandardError.write(own)
      Notes.writeEvent(String(own.dropLast()))
    }
  }

  /// Notes of callbacks.
  static var notes: ProgressBar.Output { warnings(of: "", as: "") }
}

/// The first error of writing results during a fit.
final class WriteFailure {
  private var error: OutputError?

  /// Notes why `write` failed.
  func noting(_ write: () throws(OutputError) -> Void) {
    do throws(OutputError) { try write() } catch { self.error = self.error ?? error }
  }

  /// Throws the error if there was one.
  func check() throws(OutputError) {
    if let error { throw error }
  }
}
