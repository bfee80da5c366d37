import CrestTraining

/// Ends a fit after some steps, or when its loss is no longer finite, and leaves out validation.
final class TrialRun: Callback {
  private let stepCount: Int
  private var stepsDone = 0
  /// Whether the loss was no longer finite.
  private(set) var hasDiverged = false

  init(stepCount: Int) { self.stepCount = stepCount }

  var hooks: [Hook] {
    [
      .beforeFit { _ in (self.stepsDone, self.hasDiverged) = (0, false) },
      .afterLoss(check), .afterBatch(count),
      .beforeValidate { _ in
        throw Cancel(.validate, reason: "a trial is measured when it has ended")
      },
    ]
  }
  var order: Int { CallbackOrder.check }

  private func check(_ batch: BatchContext) throws {
    guard try batch.hasDiverged(isFirst: stepsDone == 0) else { return }
    hasDiverged = true
    throw Cancel(.fit, reason: "the loss diverged")
  }

  private func count(_ batch: BatchContext) throws {
    guard batch.isTraining, batch.outcome.isFinished else { return }
    stepsDone += 1
    if stepsDone == stepCount { throw Cancel(.fit, reason: "the trial has ended") }
  }
}

extension BatchContext {
  /// Whether training has made the loss of a training batch infinite or not a number; to be asked in `afterLoss`.
  ///
  /// - Parameter isFirst: Whether no step has changed anything yet.
  /// - Returns: Whether it has.
  /// - Throws: `NonFiniteLoss` when the data did, or the network as it was before.
  func hasDiverged(isFirst: Bool) throws -> Bool {
    guard isTraining, !loss.isFinite else { return false }
    let error = try NonFiniteLoss(in: self)
    if error.isOfData || isFirst { throw error }
    return true
  }
}
