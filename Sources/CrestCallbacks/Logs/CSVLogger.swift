public import CrestTraining

/// Writes a row per epoch to a CSV file.
///
/// The columns are `epoch,train_loss,valid_loss`, the learner's metrics, what callbacks report,
/// `seconds,examples_per_second`;
/// what an epoch doesn't have is left empty, and an epoch that failed or was interrupted has no row.
/// Epochs count from 1. The first fit replaces the file, later ones of the same logger and those that are
/// resumed continue it.
///
/// If a row can't be written, the fit ends after the callbacks that save it have done so. The
/// checkpoint holds the row, and the log is completed when the run is resumed.
///
/// fastai's and Keras's `CSVLogger`.
public final class CSVLogger: StatefulCallback, RowLogger {
  /// The file.
  public let path: String
  /// All it remembers.
  public var state = Record()
  var file: LogFile?

  /// A logger into the file at `path`.
  public init(path: String) { self.path = path }

  /// Opens the file, and writes after each epoch.
  public var hooks: [Hook] {
    [.beforeFit(open), .beforeEpoch(begin), .afterEpoch(write), .afterFit(end)]
  }
  /// After what changes results.
  public var order: Int { CallbackOrder.logger }

  /// Finds a log that is missing, truncated or another run's.
  ///
  /// - Throws: ``CallbackError/logTooShort(path:byteCount:expected:callback:)``,
  ///   ``CallbackError/otherLog(path:written:expected:callback:)`` or
  ///   ``CallbackError/logChanged(path:expected:callback:)``.
  public func prepare(for state: Record) throws { try file?.check(has: state, for: name) }

  private func begin(_ epoch: EpochContext) throws {
    guard isNew else { return complete(epoch.fit) }
    let metrics = epoch.learner.metricNames + epoch.fit.reportNames
    try file?.write(
      row: ["epoch", "train_loss", "valid_loss"] + metrics + ["seconds", "examples_per_second"],
      to: &state, unless: epoch.learner.interruption)
  }

  private func write(_ epoch: EpochContext) throws {
    guard epoch.outcome.isInOrder else { return }
    let metrics =
      epoch.learner.metricNames.map { text(epoch.metric($0)) }
      + epoch.fit.reportNames.map { text(epoch.reports[$0]) }
    endOnFailure(epoch.fit) { (file, record) throws(CallbackError) in
      try file.write(
        row: ["\(epoch.index + 1)", text(epoch.train?.loss), text(epoch.validation?.loss)]
          + metrics + [text(epoch.seconds), text(epoch.train?.examplesPerSecond)],
        to: &record, unless: epoch.learner.interruption)
    }
  }

  private func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
}

extension LogFile {
  /// Appends a row, with quotes where a field needs them (RFC 4180).
  fileprivate func write(
    row: [String], to record: inout CSVLogger.Record, unless flag: Learner.InterruptionFlag
  ) throws(CallbackError) {
    let fields = row.map { field in
      let isPlain = field.allSatisfy { !$0.isNewline && $0 != "," && $0 != "\"" }
      return isPlain
        ? field
        : "\""
          + field.split(separator: "\"", omittingEmptySubsequences: false)
          .joined(separator: "\"\"") + "\""
    }
    try write(line: fields.joined(separator: ","), to: &record, unless: flag)
  }
}
