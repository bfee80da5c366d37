public import CrestOptimizers
public import CrestTraining

/// Trains at increasing learning rates and records the losses: Smith's range test.
///
/// The fit it is in is a rehearsal: whether it returns, throws or is interrupted, the learner and
/// its stateful callbacks are afterwards as they were before. It skips validation and ends the fit
/// when all rates have been tried or the loss diverges. A loss that isn't finite because of the
/// data, or before any rate has changed anything, is an error (`NonFiniteLoss`). The learner's
/// method `findLearningRate` runs it in a fit of the right length.
///
/// Sources: L. N. Smith, "Cyclical learning rates" (arXiv:1506.01186), section 3.3; fastai's `LRFinder`.
public final class LRFinder: Callback {
  private var search: LearningRateSearch

  /// What has been found so far.
  public var findings: LearningRateFindings { search.findings }

  /// A finder that has tried nothing yet.
  ///
  /// - Parameters:
  ///   - sweep: The rates to try.
  ///   - stopsOnDivergence: Whether to end as soon as the smoothed loss exceeds four times its best.
  public init(_ sweep: LearningRateSweep = .standard, stopsOnDivergence: Bool = true) {
    search = LearningRateSearch(sweep: sweep, stopsOnDivergence: stopsOnDivergence)
  }

  /// Tries one rate per training batch.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .beforeBatch(setRate), .afterLoss(check), .afterBatch(record),
      .beforeValidate { _ in throw Cancel(.validate, reason: "a range test only trains") },
    ]
  }
  /// First, so that the snapshot is of an unchanged learner.
  public var order: Int { CallbackOrder.finder }
  /// The base of the learning rate.
  public var owns: Set<Hyperparameter.Part> { [.base(.learningRate)] }

  private func begin(_ fit: FitContext) {
    fit.restoreWhenEnded(fit.learner.snapshot())
    search = LearningRateSearch(
      sweep: findings.sweep, stopsOnDivergence: search.stopsOnDivergence)
  }

  private func setRate(_ batch: BatchContext) {
    guard batch.isTraining, let rate = search.nextRate else { return }
    batch.learner[.base(.learningRate)] = rate
  }

  /// Refuses a divergence that the learning rate didn't cause.
  private func check(_ batch: BatchContext) throws {
    guard batch.isTraining, !batch.loss.isFinite else { return }
    let error = try NonFiniteLoss(in: batch)
    if error.isOfData || findings.points.isEmpty { throw error }
  }

  private func record(_ batch: BatchContext) throws {
    guard batch.isTraining, batch.outcome.isFinished else { return }
    search.record(loss: Double(batch.loss))
    switch findings.ending {
    case .unfinished: return
    case .completed: throw Cancel(.fit, reason: "all learning rates were tried")
    case .diverged, .lossNotFinite: throw Cancel(.fit, reason: "the loss diverged")
    }
  }
}
