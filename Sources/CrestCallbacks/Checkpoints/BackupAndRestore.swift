public import CrestState
public import CrestTraining

/// Saves the run every so often and when it is interrupted, and goes on with it, to the bit, when the same
/// program is started again.
///
/// ```swift
/// try learner.fitOneCycle(epochs: 12, maxLR: 0.3, callbacks: [BackupAndRestore(folder: "run")])
/// ```
///
/// The newest checkpoint that is as it was written is taken; damaged ones are reported and kept. A run that is
/// over is not trained again. Place it last, after other callbacks that save.
///
/// Keras's `BackupAndRestore`, which only restores whole epochs and no callbacks.
public final class BackupAndRestore: StatefulCallback {
  /// What is done with a folder that holds checkpoints already.
  public enum Resume: Sendable, Hashable {
    /// The newest is gone on with.
    case automatically
    /// It is an error: another run's files are not mixed with.
    case never
  }

  /// What became of the run when it was interrupted, or ended by an error between two batches.
  public enum Interruption {
    /// It was saved in a file that has been read again and is as it was written.
    case saved(path: String)
    /// It could not be saved; the newest checkpoint that can be gone on with, if any.
    case notSaved(any Error, newest: String?)
  }

  /// The folder.
  public let folder: String
  /// How often.
  public let every: CheckpointInterval
  /// How many of the last are kept.
  public let keepLast: Int
  /// What is done with a folder that holds checkpoints already.
  public let resume: Resume
  /// Fields of the checkpoint that are left as they are here, as in `callbacks.EarlyStopping`.
  public let skipping: [String]
  /// Whether a checkpoint of a fit with another number of epochs is gone on with, on another schedule.
  public let reschedules: Bool
  /// What it has saved.
  public var state = SavedCheckpoints()
  /// The file that the last fit went on with; nil when there was none.
  public private(set) var restoredPath: String?
  /// What became of the run when the last fit was interrupted, or ended by an error between two batches; nil when it
  /// wasn't.
  public private(set) var interruption: Interruption?
  /// Why the last save of the last fit failed, so that what came of it is in no checkpoint; nil when it worked.
  public var lastFailure: CheckpointError? { writer.lastFailure }
  private let fileName: CheckpointName
  private let writer: CheckpointWriter
  private var clock: CheckpointClock

  /// Saves into a folder, which is made unless it is there.
  ///
  /// - Parameters:
  ///   - folder: The folder, which no other run may use meanwhile.
  ///   - every: How often.
  ///   - keepLast: How many of the last are kept, so that one that is damaged loses little.
  ///   - resume: What is done with a folder that holds checkpoints already.
  ///   - skipping: Fields of the checkpoint that are left as they are here.
  ///   - reschedules: Whether a checkpoint of a fit with another number of epochs is gone on with.
  ///   - failuresBorne: The saves in a row that may fail before the fit ends for it.
  ///   - warnings: Where failures and damaged checkpoints are reported.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)``.
  public convenience init(
    folder: String, every: CheckpointInterval = .epochs(1), keepLast: Int = 3,
    resume: Resume = .automatically, skipping: [String] = [], reschedules: Bool = false,
    failuresBorne: Int = 3, warnings: ProgressOutput = .standardError
  ) throws(CallbackError) {
    try self.init(
      folder: folder, every: every, keepLast: keepLast, resume: resume, skipping: skipping,
      reschedules: reschedules, failuresBorne: failuresBorne, warnings: warnings
    ) { (path) throws(CheckpointError) in try CheckpointFolder(path) }
  }

  package init(
    folder: String, every: CheckpointInterval = .epochs(1), keepLast: Int = 3,
    resume: Resume = .automatically, skipping: [String] = [], reschedules: Bool = false,
    failuresBorne: Int = 3, warnings: ProgressOutput = .standardError,
    open: @escaping (String) throws(CheckpointError) -> CheckpointFolder
  ) throws(CallbackError) {
    let callback = "BackupAndRestore"
    try every.check(for: callback)
    guard keepLast >= 1 else {
      throw .outOfRange(
        callback: callback, parameter: "keepLast", value: "\(keepLast)", expected: "at least 1")
    }
    fileName = try CheckpointName("checkpoint-{step:10}", callback: callback)
    self.folder = folder
    self.every = every
    self.keepLast = keepLast
    self.resume = resume
    self.skipping = skipping
    self.reschedules = reschedules
    clock = CheckpointClock(every)
    writer = try CheckpointWriter(
      callback, folder: folder, failuresBorne: failuresBorne, warnings: warnings, open: open)
  }

  /// Looks for a checkpoint, and saves when it is due or the run is interrupted.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .afterBatch(save), .afterEpoch(save), .beforeInterruption(saveLast),
      .afterFit { [writer] _ in writer.end() },
    ]
  }
  /// After everything else.
  public var order: Int { CallbackOrder.checkpoint }
  /// Nothing: how often a run is saved may change from one start to the next.
  public var settings: [String: String] { [:] }

  private func begin(_ fit: FitContext) throws {
    state = SavedCheckpoints()
    restoredPath = nil
    interruption = nil
    clock.restart()
    guard let found = try writer.begin().newest() else { return }
    guard resume == .automatically else {
      throw CheckpointError.occupied(folder: folder, newest: found.path)
    }
    for error in found.rejected { writer.warn("\(error)") }
    fit.resume(
      from: try Resumption(
        path: found.path, state: found.state, skipping: skipping, reschedules: reschedules))
    restoredPath = found.path
  }

  private func save(_ batch: BatchContext) throws {
    guard clock.isDue(after: batch, lastStep: state.lastStep) else { return }
    try save(batch.fit)
    clock.restart()
  }

  private func save(_ epoch: EpochContext) throws {
    guard clock.isDue(after: epoch) else { return }
    try save(epoch.fit)
  }

  /// Saves what is lost otherwise.
  ///
  /// A failure ends nothing that doesn't end anyway; who asked for the end must know of it.
  private func saveLast(_ fit: FitContext) {
    let before = state
    let (file, givenUp) = noteSave(of: fit.learner)
    do {
      interruption = .saved(path: try writer.saveAndVerify(fit.learner, as: file))
      writer.remove(givenUp)
    } catch {
      state = before
      interruption = .notSaved(error, newest: writer.newest())
    }
  }

  private func save(_ fit: FitContext) throws {
    let before = state
    let (file, givenUp) = noteSave(of: fit.learner)
    if try !writer.save(fit, .everything, as: file, givingUp: givenUp) { state = before }
  }

  /// Notes a save before it: the state is in the checkpoint, so it is first as it shall be afterwards.
  private func noteSave(of learner: Learner) -> (file: String, givenUp: [String]) {
    let file = fileName.name(step: learner.stepsTaken, epoch: 0) { _ in nil }
    state.lastStep = learner.stepsTaken
    let givenUp = state.add(
      .init(name: file, value: nil), last: keepLast, best: 0, isLowerBetter: true)
    return (file, givenUp ?? [])
  }
}
