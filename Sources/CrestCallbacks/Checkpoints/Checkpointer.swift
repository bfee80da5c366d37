import CrestState
import CrestTensor
import CrestTraining

/// What callbacks that save a run have in common: when they save, where, under which names, and what they keep.
final class Checkpointer {
  /// What is kept of what was saved.
  struct Retention {
    /// How many of the last; nil for all.
    let last: Int?
    /// How many of the best beside them.
    let best: Int
  }

  /// What it has saved.
  var state = ModelCheckpoint.Saved()
  /// Which watched values are better.
  var isLowerBetter = true
  let name: CheckpointName
  let writer: CheckpointWriter
  private let retention: Retention
  private var clock: CheckpointClock

  init(
    every: ModelCheckpoint.Interval, name: CheckpointName, keeping: Retention,
    writer: CheckpointWriter
  ) {
    self.name = name
    self.writer = writer
    retention = keeping
    clock = CheckpointClock(every)
  }

  /// Takes the folder for a fit, of which nothing is saved yet.
  func begin() throws -> CheckpointFolder {
    state = ModelCheckpoint.Saved()
    clock.restart()
    return try writer.begin()
  }

  /// The best of those that are kept; nil when none has a value.
  var best: ModelCheckpoint.Saved.Entry? { state.best(isLowerBetter: isLowerBetter) }

  /// Whether a checkpoint is due after an epoch.
  func isDue(after epoch: EpochContext) -> Bool { clock.isDue(after: epoch) }

  /// Saves after a training batch if that is due.
  func save(after batch: BatchContext, _ contents: Learner.Contents, epoch: Int) throws {
    guard clock.isDue(after: batch, lastStep: state.lastStep) else { return }
    try save(batch.fit, contents, epoch: epoch)
    clock.restart()
  }

  /// Saves, if the result is among those to keep.
  ///
  /// - Parameters:
  ///   - fit: The fit.
  ///   - contents: What of the run.
  ///   - epoch: The epochs that are done, for the name.
  ///   - value: The watched value; nil when nothing is watched.
  ///   - result: Other results, for the name.
  /// - Throws: What no later save would do better.
  func save(
    _ fit: FitContext, _ contents: Learner.Contents, epoch: Int, value: Double? = nil,
    result: (Monitor) -> Double? = { _ in nil }
  ) throws {
    let before = state
    guard let (file, givenUp) = note(fit.learner, epoch, value, result) else { return }
    if try !writer.save(fit, contents, as: file, givingUp: givenUp) { state = before }
  }

  /// Saves all of a run that ends, and reads the file again.
  ///
  /// - Returns: The file's path.
  /// - Throws: `CheckpointError` when it can't be written or isn't there as it was written.
  func saveLast(_ learner: Learner) throws -> String {
    let before = state
    do {
      guard let (file, givenUp) = note(learner, 0, nil, { _ in nil }) else {
        programmerError("the last save is always among the last")
      }
      let path = try writer.saveAndVerify(learner, as: file)
      writer.remove(givenUp)
      return path
    } catch {
      state = before
      throw error
    }
  }

  /// Notes a save before it: the state is in the checkpoint, so it is first as it shall be afterwards.
  ///
  /// - Returns: The name of the file, and those that go once it is saved; nil when it is not to be kept.
  private func note(
    _ learner: Learner, _ epoch: Int, _ value: Double?, _ result: (Monitor) -> Double?
  ) -> (file: String, givenUp: [String])? {
    let file = name.name(step: learner.stepsTaken, epoch: epoch, value: result)
    state.lastStep = learner.stepsTaken
    return state.add(
      .init(name: file, value: value), last: retention.last, best: retention.best,
      isLowerBetter: isLowerBetter
    ).map { (file, $0) }
  }
}
