import Synchronization

/// What is no result and should be known: a line on standard error, and with `--json` an event too.
enum Notes {
  private struct State {
    var areEvents = false
    var failure: OutputError?
  }

  private static let state = Mutex(State())

  /// Makes notes events too.
  static func areEvents(_ are: Bool) { state.withLock { $0.areEvents = are } }

  /// Says something.
  ///
  /// - Parameters:
  ///   - text: What, for people, which names some arrays of many.
  ///   - arrays: The names of all arrays that it is about, for programs.
  static func write(_ text: String, arrays: [String] = []) {
    StandardError.write("Note: \(text)\n")
    writeEvent(text, arrays: arrays)
  }

  /// Says something, which has been written to standard error already, in an event.
  static func writeEvent(_ text: String, arrays: [String] = []) {
    guard state.withLock({ $0.areEvents }) else { return }
    do throws(OutputError) {
      try StandardOutput.write(JSONLine(note: text, arrays: arrays).text)
    } catch {
      // No reason to end a training; the command fails when it is done.
      state.withLock { $0.failure = $0.failure ?? error }
    }
  }

  /// Throws the first error of writing notes, if there was one.
  static func check() throws(OutputError) {
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }
}
