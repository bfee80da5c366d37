import CrestOptimizers
public import CrestTraining

/// Writes a row per training step to a CSV file: `step,epoch,batch,loss,learning_rate,momentum`.
///
/// Steps count from 0 in each fit and batches from 0 in each epoch, as schedules do; epochs count
/// from 1, as all reports do. If parameter groups have separate learning rates, the last group's is
/// written, as in fastai. What callbacks report of steps (`Callback.stepReports`) comes in further columns, empty where a
/// step has nothing to report. Numbers are written in the fewest digits that read back the same. The
/// first fit replaces the file, later ones of the same logger and those that are resumed continue
/// it.
///
/// If a row can't be written, the fit ends after the callbacks that save it have done so. The
/// checkpoint holds the row, and the log is completed when the run is resumed.
public final class StepLogger: StatefulCallback, RowLogger {
  /// The file.
  public let path: String
  /// All it remembers.
  public var state = CSVLogger.Record()
  var file: LogFile?

  /// A logger into the file at `path`.
  public init(path: String) { self.path = path }

  /// Opens the file, and writes after each training batch.
  public var hooks: [Hook] {
    [.beforeFit(open), .beforeEpoch(begin), .afterStep(write), .afterFit(end)]
  }
  /// After what changes losses.
  public var order: Int { CallbackOrder.logger }

  /// Finds a log that is missing, truncated or another run's.
  ///
  /// - Throws: ``CallbackError/logTooShort(path:byteCount:expected:callback:)``,
  ///   ``CallbackError/otherLog(path:written:expected:callback:)`` or
  ///   ``CallbackError/logChanged(path:expected:callback:)``.
  public func prepare(for state: CSVLogger.Record) throws { try file?.check(has: state, for: name) }

  private func begin(_ epoch: EpochContext) throws {
    guard isNew else { return complete(epoch.fit) }
    try file?.write(
      line: (["step,epoch,batch,loss,learning_rate,momentum"] + epoch.fit.stepReportNames)
        .joined(separator: ","), to: &state,
      unless: epoch.learner.interruption)
  }

  private func write(_ batch: BatchContext) throws {
    guard batch.outcome.isFinished else { return }
    let values = batch.hyperparameters
    endOnFailure(batch.fit) { (file, record) throws(CallbackError) in
      try file.write(
        line: "\(batch.step),\(batch.epoch + 1),\(batch.index),\(batch.loss),"
          + "\(values.learningRate),\(values.momentum)"
          + batch.fit.stepReportNames.map { name in
            "," + (batch.reports[name].map { "\($0)" } ?? "")
          }.joined(), to: &record,
        unless: batch.learner.interruption)
    }
  }
}
