public import CrestState
public import CrestTraining

/// Saves the run, or its weights, every so often, and keeps the last few and the best.
///
/// What is saved after an epoch is the network that its validation measured, which is the average beside an
/// ``EMA`` that validates: as weights alone, and as the weights of a checkpoint of everything, which holds what
/// the run goes on with beside them.
///
/// Each file is written whole or not at all. A save that fails is reported and borne; several in a row end the
/// fit. To go on with a run by itself after an interruption, use ``BackupAndRestore``.
///
/// Keras's and Lightning's `ModelCheckpoint`, fastai's `SaveModelCallback`.
public final class ModelCheckpoint: StatefulCallback {
  /// The folder.
  public let folder: String
  /// How often.
  public let every: CheckpointInterval
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
  /// What it has saved.
  public var state = SavedCheckpoints()
  /// Why the last save of the last fit failed; nil when it worked.
  public var lastFailure: CheckpointError? { writer.lastFailure }
  private let fileName: CheckpointName
  private let writer: CheckpointWriter
  private var clock: CheckpointClock
  private var isLowerBetter = true

  /// Saves into a folder, which is made unless it is there.
  ///
  /// - Parameters:
  ///   - folder: The folder, which no other run may use meanwhile.
  ///   - every: How often.
  ///   - keepLast: How many of the last are kept; nil for all, 0 for the best only.
  ///   - monitor: The result by which the best are found, which is known after epochs only.
  ///   - keepBest: How many of the best are kept beside the last, when there is a monitor.
  ///   - mode: Which values are better; nil for the metric's own direction, and lower for losses.
  ///   - contents: Everything, to go on with the run, or the weights only.
  ///   - name: The files' name without `.safetensors`, in which `{step}` and `{epoch}` stand for numbers, and
  ///     after epochs `{train_loss}`, `{valid_loss}` and metrics for values; `{step:10}` has ten digits,
  ///     `{valid_loss:4}` four after the point. A name without any is for one file: beside a monitor, the
  ///     best alone.
  ///   - failuresBorne: The saves in a row that may fail before the fit ends for it.
  ///   - warnings: Where failures are reported.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)``.
  public convenience init(
    folder: String, every: CheckpointInterval = .epochs(1), keepLast: Int? = 3,
    monitor: Monitor? = nil, keepBest: Int = 1, mode: MetricDirection? = nil,
    contents: Learner.Contents = .everything, name: String = "checkpoint-{step:10}",
    failuresBorne: Int = 3, warnings: ProgressOutput = .standardError
  ) throws(CallbackError) {
    try self.init(
      folder: folder, every: every, keepLast: keepLast, monitor: monitor, keepBest: keepBest,
      mode: mode, contents: contents, name: name, failuresBorne: failuresBorne, warnings: warnings
    ) { (path) throws(CheckpointError) in try CheckpointFolder(path) }
  }

  package init(
    folder: String, every: CheckpointInterval = .epochs(1), keepLast: Int? = 3,
    monitor: Monitor? = nil, keepBest: Int = 1, mode: MetricDirection? = nil,
    contents: Learner.Contents = .everything, name: String = "checkpoint-{step:10}",
    failuresBorne: Int = 3, warnings: ProgressOutput = .standardError,
    open: @escaping (String) throws(CheckpointError) -> CheckpointFolder
  ) throws(CallbackError) {
    let callback = "ModelCheckpoint"
    try every.check(for: callback)
    func failure(_ parameter: String, _ value: String, _ expected: String) -> CallbackError {
      .outOfRange(callback: callback, parameter: parameter, value: value, expected: expected)
    }
    if let keepLast, keepLast < (monitor == nil ? 1 : 0) {
      throw failure(
        "keepLast", "\(keepLast)", monitor == nil ? "at least 1 without a monitor" : "at least 0")
    }
    guard keepBest >= 1 else { throw failure("keepBest", "\(keepBest)", "at least 1") }
    fileName = try CheckpointName(name, callback: callback)
    // The last would take the file of the best.
    if monitor != nil, fileName.isFixed, keepLast != 0 || keepBest != 1 {
      throw failure(
        "name", name,
        "a name with {step} or {epoch}, unless only the one best is kept (keep-last 0, keep-best 1): others "
          + "would take its file")
    }
    if case .epochs = every {
    } else if let result = monitor ?? fileName.monitors.first {
      throw failure("every", "\(every)", "epochs, since \(result) is known after epochs only")
    }
    self.folder = folder
    self.every = every
    self.keepLast = keepLast
    self.monitor = monitor
    self.keepBest = keepBest
    self.mode = mode
    self.contents = contents
    clock = CheckpointClock(every)
    writer = try CheckpointWriter(
      callback, folder: folder, failuresBorne: failuresBorne, warnings: warnings, open: open)
  }

  /// Takes the folder for the fit, and saves when it is due.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .beforeEpoch(checkFolder), .afterBatch(save), .afterEpoch(save),
      .afterFit { [writer] _ in writer.end() },
    ]
  }
  /// After everything else but what the run is resumed from.
  public var order: Int { CallbackOrder.checkpoint - 1 }
  /// What is kept.
  public var settings: [String: String] {
    [
      "monitor": monitor.map { "\($0)" } ?? "none", "every": "\(every)",
      "keepLast": keepLast.map { "\($0)" } ?? "all", "keepBest": "\(keepBest)",
      "mode": mode?.rawValue ?? "its own", "contents": contents.rawValue,
      "name": fileName.template,
    ]
  }

  private func begin(_ fit: FitContext) throws {
    state = SavedCheckpoints()
    clock.restart()
    for result in fileName.monitors { _ = try result.direction(in: fit.learner, for: name) }
    if let monitor {
      let direction = try monitor.direction(in: fit.learner, for: name)
      isLowerBetter = (mode ?? direction) == .lowerIsBetter
    }
    _ = try writer.begin()
  }

  /// Refuses to mix runs.
  private func checkFolder(_ epoch: EpochContext) throws {
    guard epoch.index == 0, epoch.fit.stepsTaken == 0, !epoch.fit.isResumed else { return }
    if let found = try writer.begin().newest() {
      throw CheckpointError.occupied(folder: folder, newest: found.path)
    }
  }

  private func save(_ batch: BatchContext) throws {
    guard clock.isDue(after: batch, lastStep: state.lastStep) else { return }
    try save(batch.fit, epoch: batch.epoch, value: nil) { _ in nil }
    clock.restart()
  }

  private func save(_ epoch: EpochContext) throws {
    guard clock.isDue(after: epoch) else { return }
    if monitor != nil || !fileName.monitors.isEmpty { try epoch.checkHoldsMeasured() }
    try save(
      epoch.fit, epoch: epoch.index + 1, value: monitor.flatMap { $0.value(in: epoch) }
    ) { $0.value(in: epoch) }
  }

  private func save(
    _ fit: FitContext, epoch: Int, value: Double?, result: (Monitor) -> Double?
  ) throws {
    let learner = fit.learner
    let file = fileName.name(step: learner.stepsTaken, epoch: epoch, value: result)
    let before = state
    // The state is in the checkpoint, so it is first as it shall be afterwards.
    state.lastStep = learner.stepsTaken
    guard
      let givenUp = state.add(
        .init(name: file, value: value), last: keepLast, best: monitor == nil ? 0 : keepBest,
        isLowerBetter: isLowerBetter)
    else { return }
    if try !writer.save(fit, contents, as: file, givingUp: givenUp) { state = before }
  }
}
