public import CrestState
public import CrestTraining

/// Saves the run, or its weights, regularly, and keeps the last few and the best.
///
/// What is saved after an epoch is the network that its validation measured, which is the average
/// beside an ``EMA`` that validates: as weights alone, and as the weights of a checkpoint of
/// everything, which also holds what the run resumes with.
///
/// Each file is written whole or not at all. A save that fails is reported, and training continues;
/// several in a row end the fit. To resume a run automatically after an interruption, use
/// ``BackupAndRestore``.
///
/// Keras's and Lightning's `ModelCheckpoint`, fastai's `SaveModelCallback`.
public final class ModelCheckpoint: StatefulCallback {
  /// The folder.
  public let folder: String
  /// How often.
  public let every: Interval
  /// How many of the last are kept; nil for all.
  public let keepLast: Int?
  /// The result by which the best are found; nil when only the last are kept.
  public let monitor: Monitor?
  /// How many of the best are kept.
  public let keepBest: Int
  /// Which values are better; nil for the metric's own direction, and lower for losses.
  public let mode: MetricDirection?
  /// What is saved.
  public let contents: Learner.Contents
  /// Whether the model gets the best weights when the fit ends.
  public let reloadsBest: Bool
  /// What it has saved.
  public var state: Saved {
    get { checkpointer.state }
    set { checkpointer.state = newValue }
  }
  /// Why the last save of the last fit failed; nil when it worked.
  public var lastFailure: CheckpointError? { checkpointer.writer.lastFailure }
  private let checkpointer: Checkpointer
  private var fileName: CheckpointName { checkpointer.name }
  /// The name of its files, as it was given.
  package var nameTemplate: String { fileName.template }

  /// Saves into a folder, which is created if necessary.
  ///
  /// - Parameters:
  ///   - folder: The folder, which no other run may use meanwhile.
  ///   - every: How often.
  ///   - keepLast: How many of the last are kept; nil for all, 0 for the best only.
  ///   - monitor: The result by which the best are found, which is known after epochs only.
  ///   - keepBest: How many of the best are kept beside the last, when there is a monitor.
  ///   - mode: Which values are better; nil for the metric's own direction, and lower for losses.
  ///   - contents: Everything, to resume the run, or the weights only.
  ///   - name: The files' name without `.safetensors`, in which `{step}` and `{epoch}` stand for
  ///     numbers, and after epochs `{train_loss}`, `{valid_loss}` and metrics for values;
  ///     `{step:10}` has ten digits, `{valid_loss:4}` four after the point. A name without any is
  ///     for a single file: with a monitor, the best one.
  ///   - reloadsBest: Whether the model gets the weights of the best file when the fit ends normally, after everything
  ///     else, so that the fit's result is of them; for that it needs a monitor.
  ///   - maxConsecutiveFailures: How many saves in a row may fail before the fit ends.
  ///   - warnings: Where failures are reported.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)``.
  public convenience init(
    folder: String, every: Interval = .epochs(1), keepLast: Int? = 3,
    monitor: Monitor? = nil, keepBest: Int = 1, mode: MetricDirection? = nil,
    contents: Learner.Contents = .everything, name: String = "checkpoint-{step:10}",
    reloadsBest: Bool = false, maxConsecutiveFailures: Int = 3,
    warnings: ProgressBar.Output = .standardError
  ) throws(CallbackError) {
    try self.init(
      folder: folder, every: every, keepLast: keepLast, monitor: monitor, keepBest: keepBest,
      mode: mode, contents: contents, name: name, reloadsBest: reloadsBest,
      maxConsecutiveFailures: maxConsecutiveFailures, warnings: warnings
    ) { (path) throws(CheckpointError) in try CheckpointFolder(path) }
  }

  package init(
    folder: String, every: Interval = .epochs(1), keepLast: Int? = 3,
    monitor: Monitor? = nil, keepBest: Int = 1, mode: MetricDirection? = nil,
    contents: Learner.Contents = .everything, name: String = "checkpoint-{step:10}",
    reloadsBest: Bool = false, maxConsecutiveFailures: Int = 3,
    warnings: ProgressBar.Output = .standardError,
    open: @escaping (String) throws(CheckpointError) -> CheckpointFolder
  ) throws(CallbackError) {
    let callback = "ModelCheckpoint"
    func require(
      _ holds: Bool, _ parameter: String, _ value: some CustomStringConvertible, _ expected: String
    ) throws(CallbackError) {
      try CallbackError.require(holds, parameter, value, expected, of: callback)
    }
    try every.check(for: callback)
    if let keepLast {
      try require(
        keepLast >= (monitor == nil ? 1 : 0), "keepLast", keepLast,
        monitor == nil ? "at least 1 without a monitor" : "at least 0")
    }
    try require(keepBest >= 1, "keepBest", keepBest, "at least 1")
    try require(
      !reloadsBest || monitor != nil, "reloadsBest", reloadsBest,
      "false without a monitor, which tells the best")
    let fileName = try CheckpointName(name, callback: callback)
    // The last would take the file of the best.
    try require(
      monitor == nil || !fileName.isFixed || keepLast == 0 && keepBest == 1, "name", name,
      "a name with {step} or {epoch}, unless only the best one is kept (keep-last 0, keep-best 1): others "
        + "would overwrite its file")
    if case .epochs = every {
    } else if let result = monitor ?? fileName.monitors.first {
      try require(
        false, "every", every, "epochs, because \(result) is known only after an epoch")
    }
    self.folder = folder
    self.every = every
    self.keepLast = keepLast
    self.monitor = monitor
    self.keepBest = keepBest
    self.mode = mode
    self.contents = contents
    self.reloadsBest = reloadsBest
    checkpointer = Checkpointer(
      every: every, name: fileName,
      keeping: Checkpointer.Retention(last: keepLast, best: monitor == nil ? 0 : keepBest),
      writer: try CheckpointWriter(
        callback, folder: folder, maxConsecutiveFailures: maxConsecutiveFailures,
        warnings: warnings, open: open))
  }

  /// Takes the folder for the fit, and saves when it is due.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .beforeEpoch(checkFolder), .afterBatch(save), .afterEpoch(save),
      .afterFit(finish),
    ]
  }
  /// After everything else but what the run is resumed from.
  public var order: Int { CallbackOrder.checkpoint - 1 }
  /// What is kept.
  public var settings: [String: String] {
    // One that isn't used is not in checkpoints of before.
    (reloadsBest ? ["reloadsBest": "true"] : [:]).merging([
      "monitor": monitor.map { "\($0)" } ?? "none", "every": "\(every)",
      "keepLast": keepLast.map { "\($0)" } ?? "all", "keepBest": "\(keepBest)",
      "mode": mode?.rawValue ?? "its own", "contents": contents.rawValue,
      "name": fileName.template,
    ]) { $1 }
  }

  private func begin(_ fit: FitContext) throws {
    for result in fileName.monitors { _ = try result.direction(in: fit.learner, for: name) }
    if let monitor {
      let direction = try monitor.direction(in: fit.learner, for: name)
      checkpointer.isLowerBetter = (mode ?? direction) == .lowerIsBetter
    }
    _ = try checkpointer.begin()
  }

  /// Refuses to mix runs.
  private func checkFolder(_ epoch: EpochContext) throws {
    guard epoch.index == 0, epoch.fit.stepsTaken == 0, !epoch.fit.isResumed else { return }
    if let found = try checkpointer.writer.begin().newest() {
      throw CheckpointError.occupied(folder: folder, newest: found.path)
    }
  }

  private func finish(_ fit: FitContext) throws {
    defer { checkpointer.writer.end() }
    guard reloadsBest, fit.outcome.isInOrder, let best = checkpointer.best else { return }
    try checkpointer.writer.load(best.name, into: fit.learner)
  }

  private func save(_ batch: BatchContext) throws {
    try checkpointer.save(after: batch, contents, epoch: batch.epoch)
  }

  private func save(_ epoch: EpochContext) throws {
    guard checkpointer.isDue(after: epoch) else { return }
    if monitor != nil || !fileName.monitors.isEmpty { try epoch.checkHoldsMeasured() }
    try checkpointer.save(
      epoch.fit, contents, epoch: epoch.index + 1, value: monitor.flatMap { $0.value(in: epoch) }
    ) { $0.value(in: epoch) }
  }
}
