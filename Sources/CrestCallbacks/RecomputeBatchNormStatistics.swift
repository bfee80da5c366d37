public import CrestTraining

/// Estimates the running statistics of batch norms anew from training batches: at the end of a fit, or before each
/// validation, too.
///
/// Running statistics lag behind the parameters. While the learning rate is high, validation then measures a
/// worse network than there is; weights that were averaged have statistics of none of their own. See
/// `Learner.recomputeBatchNormStatistics(batches:augmented:)` for what is computed. Training itself never reads these
/// statistics, so that it takes the same steps, to the bit, with and without this callback; it needs no state to
/// resume.
///
/// At the end it comes after averages and restored best weights. If validation didn't measure these statistics, the
/// results of the fit are then measured once more (`FitResult.Origin.measuredAfterwards`). PyTorch's `update_bn`, Lightning's `StochasticWeightAveraging` at its end.
public final class RecomputeBatchNormStatistics: Callback {
  /// When statistics are estimated.
  public enum Moment: String, Sendable, Hashable, CaseIterable {
    /// At the end of the fit.
    case end
    /// Before each validation, and with the same bits at the end for the weights that were validated.
    case validation

    /// The batches it takes unless another number is asked for.
    public var standardBatches: Int {
      switch self {
      case .end: 100
      case .validation: 10
      }
    }
  }

  /// When statistics are estimated.
  public let moment: Moment
  /// The most batches that are taken.
  public let batches: Int
  /// Whether examples are transformed as in training.
  public let augmented: Bool

  /// Estimates at `moment`.
  ///
  /// - Parameters:
  ///   - moment: When statistics are estimated.
  ///   - batches: The most batches to take; nil for 100 at the end and 10 before validation.
  ///   - augmented: Whether examples are transformed as in training; otherwise they are as in prediction.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` when `batches` is below 1.
  public init(
    at moment: Moment = .end, batches: Int? = nil, augmented: Bool = false
  ) throws(CallbackError) {
    let batches = batches ?? moment.standardBatches
    try CallbackError.require(
      batches >= 1, "batches", batches, "at least 1", of: "RecomputeBatchNormStatistics")
    (self.moment, self.batches, self.augmented) = (moment, batches, augmented)
  }

  /// Refuses a model without batch norm, and estimates.
  public var hooks: [Hook] {
    switch moment {
    case .end: [.beforeFit(begin), .afterFit(finish)]
    case .validation:
      [.beforeFit(begin), .beforeValidate { try self.recompute($0.learner) }, .afterFit(finish)]
    }
  }
  /// After what restores other weights.
  public var order: Int { CallbackOrder.batchNorm }
  /// When, and from what.
  public var settings: [String: String] {
    ["moment": moment.rawValue, "batches": "\(batches)", "augmented": "\(augmented)"]
  }

  private func begin(_ fit: FitContext) throws {
    guard fit.learner.hasTrainedBatchNorm else { throw CallbackError.noBatchNorm(callback: name) }
    if moment == .validation { fit.declareBatchNormRecomputation() }
  }

  private func finish(_ fit: FitContext) throws {
    guard fit.outcome.isInOrder else { return }
    try recompute(fit.learner)
  }

  private func recompute(_ learner: Learner) throws {
    try learner.recomputeBatchNormStatistics(batches: batches, augmented: augmented)
  }
}
