import CrestFiles
import CrestOptimizers
import CrestPlatform
public import CrestTraining

/// Writes losses, metrics and learning rates for TensorBoard: `tensorboard --logdir runs` shows the runs in the folders
/// of `runs` beside each other.
///
/// Every few steps `loss`, `learning_rate`, `momentum` and what callbacks report of steps; after each epoch `train_loss`,
/// `valid_loss`, the learner's metrics and what callbacks report. All lie over the optimiser steps taken in the fit.
///
/// The file is ``fileName`` in the folder, which is made if nothing is there. The first fit replaces the file, later ones
/// of the same logger and those that are resumed continue it; what was written after the checkpoint that a run is resumed
/// from is cut off (a TensorBoard that has read it shows the run anew after a restart). If the file can't be written, the
/// fit ends after the callbacks that save it have done so.
///
/// fastai's `TensorBoardCallback`, Keras's `TensorBoard`, Lightning's `TensorBoardLogger`.
public final class TensorBoardLogger: StatefulCallback, RowLogger {
  /// The folder of the run.
  public let folder: String
  /// How many optimiser steps lie between two that are written.
  public let every: Int
  /// All it remembers.
  public var state = CSVLogger.Record()
  var file: LogFile?
  /// The time in seconds since 1970; tests stop it.
  package var time: () -> Double = secondsSince1970

  /// The name of the file, by which TensorBoard finds it.
  public static let fileName = "events.out.tfevents.crest"

  /// A logger of a run into a folder, of every so many steps.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` when `every` is below 1.
  public init(folder: String, every: Int = 10) throws(CallbackError) {
    try CallbackError.require(every >= 1, "every", every, "at least 1", of: "TensorBoardLogger")
    self.folder = folder
    self.every = every
  }

  /// The file.
  public var path: String { FilePath.join(folder, Self.fileName) }
  var content: LogFile.Content { .bytes }

  /// Opens the file, and writes after steps and epochs.
  public var hooks: [Hook] {
    [
      .beforeFit(openFolder), .beforeEpoch(begin), .afterStep(writeStep), .afterEpoch(writeEpoch),
      .afterFit(end),
    ]
  }
  /// After what changes results.
  public var order: Int { CallbackOrder.logger }
  /// How often.
  public var settings: [String: String] { ["every": "\(every)"] }

  /// Finds a log that is missing, truncated or another run's.
  ///
  /// - Throws: ``CallbackError/logTooShort(path:byteCount:expected:callback:)``,
  ///   ``CallbackError/otherLog(path:written:expected:callback:)`` or
  ///   ``CallbackError/logChanged(path:expected:callback:)``.
  public func prepare(for state: CSVLogger.Record) throws { try file?.check(has: state, for: name) }

  private func openFolder(_ fit: FitContext) throws {
    do throws(SystemError) {
      try SystemFiles().makeFolder(folder)
    } catch {
      throw CallbackError.unwritable(path: folder, reason: error.explanation)
    }
    try open(fit)
  }

  private func begin(_ epoch: EpochContext) throws {
    guard isNew else { return complete(epoch.fit) }
    write([TensorBoardEvent(time: time(), content: .version)], of: epoch.fit)
  }

  private func writeStep(_ batch: BatchContext) {
    let steps = batch.fit.stepsTaken
    guard batch.outcome.isFinished, steps % every == 0 else { return }
    let values = batch.hyperparameters
    let reports = batch.fit.stepReportNames.compactMap { name in
      batch.reports[name].map { (name, $0) }
    }
    write(
      [
        ("loss", Double(batch.loss)), ("learning_rate", values.learningRate),
        ("momentum", values.momentum),
      ] + reports, of: batch.fit)
  }

  private func writeEpoch(_ epoch: EpochContext) {
    guard epoch.outcome.isInOrder else { return }
    let losses = [("train_loss", epoch.train?.loss), ("valid_loss", epoch.validation?.loss)]
    let results =
      losses + epoch.learner.metricNames.map { ($0, epoch.metric($0)) }
      + epoch.fit.reportNames.map { ($0, epoch.reports[$0]) }
    write(results.compactMap { name, value in value.map { (name, $0) } }, of: epoch.fit)
  }

  /// Writes numbers that belong to the step the fit has come to.
  private func write(_ values: [(name: String, value: Double)], of fit: FitContext) {
    let now = time()
    write(
      values.map { name, value in
        TensorBoardEvent(
          time: now, content: .scalar(name: name, value: Float(value), step: fit.stepsTaken))
      }, of: fit)
  }

  private func write(_ events: [TensorBoardEvent], of fit: FitContext) {
    endOnFailure(fit) { (file, record) throws(CallbackError) in
      try file.write(
        events.flatMap(\.record), to: &record, unless: fit.learner.interruption)
    }
  }
}

private func secondsSince1970() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
}
