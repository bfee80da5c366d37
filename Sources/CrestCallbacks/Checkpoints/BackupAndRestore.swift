public import CrestState
public import CrestTraining

/// Saves the run regularly and when it is interrupted, and resumes it, bit for bit, when the same
/// program is started again.
///
/// ```swift
/// try learner.fitOneCycle(epochs: 12, maxLR: 0.3, callbacks: [BackupAndRestore(folder: "run")])
/// ```
///
/// It uses the newest intact checkpoint; damaged ones are reported and kept. A finished run is not
/// trained again. Place it last, after other callbacks that save.
///
/// Keras's `BackupAndRestore`, which only restores whole epochs and no callbacks.
public final class BackupAndRestore: StatefulCallback {
  /// What to do with a folder that already holds checkpoints.
  public enum Resume: Sendable, Hashable {
    /// The newest is resumed.
    case automatically
    /// An error: files of different runs don't mix.
    case never
  }

  /// What happened to the run when it was interrupted, or ended by an error between two batches.
  public enum Interruption {
    /// It was saved in a file that has been read back and verified.
    case saved(path: String)
    /// It could not be saved; the newest checkpoint that can be resumed, if any.
    case notSaved(any Error, newest: String?)
  }

  /// The folder.
  public let folder: String
  /// How often.
  public let every: ModelCheckpoint.Interval
  /// How many of the last are kept.
  public let keepLast: Int
  /// What to do with a folder that already holds checkpoints.
  public let resume: Resume
  /// Fields of the checkpoint that are left as they are here, as in `callbacks.EarlyStopping`.
  public let skipping: [String]
  /// Whether a checkpoint of a fit with another number of epochs is resumed, with a new schedule.
  public let reschedules: Bool
  /// What it has saved.
  public var state: ModelCheckpoint.Saved {
    get { checkpointer.state }
    set { checkpointer.state = newValue }
  }
  /// The file that the last fit resumed; nil if there was none.
  public private(set) var restoredPath: String?
  /// What happened to the run when the last fit was interrupted, or ended by an error between two
  /// batches; nil when it wasn't.
  public private(set) var interruption: Interruption?
  /// Why the last save of the last fit failed, so that its result is in no checkpoint; nil when it
  /// worked.
  public var lastFailure: CheckpointError? { writer.lastFailure }
  private let checkpointer: Checkpointer
  private var writer: CheckpointWriter { checkpointer.writer }

  /// Saves into a folder, which is created if necessary.
  ///
  /// - Parameters:
  ///   - folder: The folder, which no other run may use meanwhile.
  ///   - every: How often.
  ///   - keepLast: How many of the last are kept, so that one that is damaged loses little.
  ///   - resume: What to do with a folder that already holds checkpoints.
  ///   - skipping: Fields of the checkpoint that are left as they are here.
  ///   - reschedules: Whether a checkpoint of a fit with another number of epochs is resumed.
  ///   - maxConsecutiveFailures: How many saves in a row may fail before the fit ends.
  ///   - warnings: Where failures and damaged checkpoints are reported.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)``.
  public convenience init(
    folder: String, every: ModelCheckpoint.Interval = .epochs(1), keepLast: Int = 3,
    resume: Resume = .automatically, skipping: [String] = [], reschedules: Bool = false,
    maxConsecutiveFailures: Int = 3, warnings: ProgressBar.Output = .standardError
  ) throws(CallbackError) {
    try self.init(
      folder: folder, every: every, keepLast: keepLast, resume: resume, skipping: skipping,
      reschedules: reschedules, maxConsecutiveFailures: maxConsecutiveFailures, warnings: warnings
    ) { (path) throws(CheckpointError) in try CheckpointFolder(path) }
  }

  package init(
    folder: String, every: ModelCheckpoint.Interval = .epochs(1), keepLast: Int = 3,
    resume: Resume = .automatically, skipping: [String] = [], reschedules: Bool = false,
    maxConsecutiveFailures: Int = 3, warnings: ProgressBar.Output = .standardError,
    open: @escaping (String) throws(CheckpointError) -> CheckpointFolder
  ) throws(CallbackError) {
    let callback = "BackupAndRestore"
    try every.check(for: callback)
    try CallbackError.require(keepLast >= 1, "keepLast", keepLast, "at least 1", of: callback)
    self.folder = folder
    self.every = every
    self.keepLast = keepLast
    self.resume = resume
    self.skipping = skipping
    self.reschedules = reschedules
    checkpointer = Checkpointer(
      every: every, name: try CheckpointName("checkpoint-{step:10}", callback: callback),
      keeping: Checkpointer.Retention(last: keepLast, best: 0),
      writer: try CheckpointWriter(
        callback, folder: folder, maxConsecutiveFailures: maxConsecutiveFailures,
        warnings: warnings, open: open))
  }

  /// Looks for a checkpoint, and saves when it is due or the run is interrupted.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .afterBatch(save), .afterEpoch(save), .beforeInterruption(saveLast),
      .afterFit { [checkpointer] _ in checkpointer.writer.end() },
    ]
  }
  /// After everything else.
  public var order: Int { CallbackOrder.checkpoint }
  /// Nothing: how often a run is saved may change from one start to the next.
  public var settings: [String: String] { [:] }

  private func begin(_ fit: FitContext) throws {
    restoredPath = nil
    interruption = nil
    guard let found = try checkpointer.begin().newest() else { return }
    guard resume == .automatically else {
      throw CheckpointError.occupied(folder: folder, newest: found.path)
    }
    for error in found.rejected { writer.warn("\(error)") }
    fit.resume(
      from: try Learner.Resumption(
        path: found.path, state: found.state, skipping: skipping, reschedules: reschedules))
    restoredPath = found.path
  }

  /// A field of the checkpoint that the next fit will resume; nil if there is no such checkpoint or field.
  func savedField(_ path: [String]) throws -> StateValue? {
    guard resume == .automatically else { return nil }
    defer { checkpointer.writer.end() }
    return try checkpointer.begin().newest()?.state.fields[StateValue.Path(path)]
  }

  private func save(_ batch: BatchContext) throws {
    try checkpointer.save(after: batch, .everything, epoch: 0)
  }

  private func save(_ epoch: EpochContext) throws {
    guard checkpointer.isDue(after: epoch) else { return }
    try checkpointer.save(epoch.fit, .everything, epoch: 0)
  }

  /// Saves what is lost otherwise.
  ///
  /// A failure ends nothing that doesn't end anyway; who asked for the end must know of it.
  private func saveLast(_ fit: FitContext) {
    do {
      interruption = .saved(path: try checkpointer.saveLast(fit.learner))
    } catch {
      interruption = .notSaved(error, newest: writer.newest())
    }
  }
}
