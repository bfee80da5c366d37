import CrestFiles
import Synchronization

/// Notes that aren't results: a line on standard error and, with `--json`, also an event.
enum Notes {
  private struct State {
    var areEvents = false
    var hasResult = false
    var failure: OutputError?
  }

  private static let state = Mutex(State())

  /// Turns notes into events too; the last event is then a result in any case.
  static func areEvents(_ are: Bool) { state.withLock { $0.areEvents = are } }

  /// Prints a note.
  ///
  /// - Parameters:
  ///   - text: The text for people, which names some of many arrays.
  ///   - arrays: The names of all arrays that it is about, for programs.
  static func write(_ text: String, arrays: [String] = []) {
    // One line each, whatever names are in it.
    StandardError.write("Note: \(text.shown())\n")
    writeEvent(text, arrays: arrays)
  }

  /// Writes an event for a note that has already been written to standard error.
  static func writeEvent(_ text: String, arrays: [String] = []) {
    guard state.withLock({ $0.areEvents }) else { return }
    do throws(OutputError) {
      try StandardOutput.write(JSONLine(note: text, arrays: arrays).text)
    } catch {
      // A failed write doesn't end training; the command fails when it is done.
      state.withLock { $0.failure = $0.failure ?? error }
    }
  }

  /// Writes the last event.
  static func writeResult(_ members: [(key: String, value: JSONLine.Value)]) throws(OutputError) {
    state.withLock { $0.hasResult = true }
    try StandardOutput.write(JSONLine(event: "result", members).text)
  }

  /// Writes a last event that says why there is no result, unless there is one.
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
