import CrestOptimizers
public import CrestTraining

/// Writes a row a training step to a CSV file: `step,epoch,batch,loss,learning_rate,momentum`.
///
/// Steps count from 0 in each fit and batches from 0 in each epoch, as schedules do; epochs count from 1,
/// as all reports do. Where groups of parameters have learning rates of their own, the last group's is
/// written, as fastai does. Numbers are written in the fewest digits that read back the same. The first
/// fit replaces the file, later ones of the same logger and those that are resumed continue it.
public final class StepLogger: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The bytes written so far.
    fileprivate var byteCount = 0
  }

  /// The file.
  public let path: String
  /// All it remembers.
  public var state = State()
  private var file: LogFile?

  /// A logger into the file at `path`.
  public init(path: String) { self.path = path }

  /// Begins the file, and writes after each training batch.
  public var hooks: [Hook] { [.beforeFit(open), .beforeEpoch(begin), .afterStep(write)] }
  /// After what changes losses.
  public var order: Int { CallbackOrder.logger }

  /// Finds a log that is gone or was cut.
  ///
  /// - Throws: ``CallbackError/logTooShort(path:byteCount:expected:callback:)``.
  public func prepare(for state: State) throws {
    try file?.check(has: state.byteCount, for: name)
  }

  private func open(_ fit: FitContext) throws {
    if file == nil { file = try LogFile(path: path) }
  }

  private func begin(_ epoch: EpochContext) throws {
    guard state.byteCount == 0 else { return }
    try file?.write(
      line: "step,epoch,batch,loss,learning_rate,momentum", at: &state.byteCount)
  }

  private func write(_ batch: BatchContext) throws {
    guard batch.outcome.isFinished else { return }
    let values = batch.hyperparameters
    try file?.write(
      line: "\(batch.step),\(batch.epoch + 1),\(batch.index),\(batch.loss),"
        + "\(values.learningRate),\(values.momentum)", at: &state.byteCount)
  }
}
