import CrestTraining

/// A logger that appends rows to a file and continues it when the run is resumed.
///
/// If a row can't be written, the fit ends after it has been saved; the row is in the checkpoint.
protocol RowLogger: StatefulCallback where State == CSVLogger.Record {
  var path: String { get }
  var file: LogFile? { get set }
  var content: LogFile.Content { get }
}

extension RowLogger {
  var content: LogFile.Content { .text }

  func open(_ fit: FitContext) throws {
    if file == nil { file = try LogFile(path: path, content: content) }
  }

  /// Whether nothing was logged yet.
  var isNew: Bool { state.byteCount == 0 && state.unwritten.isEmpty }

  /// Writes what could not be written before the run was saved.
  func complete(_ fit: FitContext) {
    endOnFailure(fit) { (file, record) throws(CallbackError) in
      try file.flush(&record, unless: fit.learner.interruption)
    }
  }

  /// Ends the fit when `write` fails.
  func endOnFailure(
    _ fit: FitContext, _ write: (LogFile, inout CSVLogger.Record) throws(CallbackError) -> Void
  ) {
    guard let file else { return }
    do throws(CallbackError) {
      try write(file, &state)
    } catch {
      fit.end(with: error)
    }
  }

  func end(_ fit: FitContext) throws {
    guard fit.outcome.isInOrder else { return }
    try file?.flush(&state, unless: fit.learner.interruption)
  }
}
