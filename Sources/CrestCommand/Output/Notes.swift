import Synchronization

/// What is no result and should be known: a line on standard error, and with `--json` an event too.
enum Notes {
  private struct State {
    var areEvents = false
    var hasResult = false
    var failure: OutputError?
  }

  private static let state = Mutex(State())

  /// Makes notes events too; the last event is then a result, whatever comes.
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

  /// Writes the event that is the last.
  static func writeResult(_ members: [(key: String, value: JSONLine.Value)]) throws(OutputError) {
    state.withLock { $0.hasResult = true }
    try StandardOutput.write(JSONLine(event: "result", members).text)
  }

  /// Says in the last event why there is no result, unless there is one.
  static func writeFailure(_ failure: Failure) {
    guard state.withLock({ $0.areEvents && !$0.hasResult }) else { return }
    do throws(OutputError) {
      try writeResult([
        ("ended", .text(failure.ended)), ("reason", .text(failure.message)),
        ("exit_code", .integer(Int(failure.code.rawValue))),
      ])
    } catch {
      // The command is failing already.
    }
  }

  /// Throws the first error of writing notes, if there was one.
  static func check() throws(OutputError) {
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }
}
