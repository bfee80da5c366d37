import CrestLayers
public import CrestRuntime
public import CrestTraining

/// Ends training with an error when the loss of a batch, a parameter, a moment of the optimiser or a running statistic
/// is infinite or not a number, or a prediction is not a number, and names the example or layer where that began.
///
/// Validation batches are checked like training batches. For a loss or prediction, the batch is run
/// again with the same random numbers, the parameters it started with and every operation
/// separately, so that the first result that is not finite can be found. Parameters and moments are
/// checked after each step.
///
/// fastai's and Keras's `TerminateOnNaN`, which only stop, and only check training.
public final class TerminateOnNaN: Callback {
  /// The parameters that weren't finite when the fit began, as the infinities of a mask.
  private var accepted: Set<String> = []

  /// A check of every batch.
  public init() {}

  /// Checks each loss, its predictions, and the numbers that training changes.
  public var hooks: [Hook] {
    [
      .beforeFit { fit in
        self.accepted = Set(fit.learner.model.store.nonFiniteParameters.compactMap(\.parameter))
      },
      .afterLoss(check), .afterStep(checkUpdates),
    ]
  }
  /// The predictions: one that is not a number may leave the loss finite.
  public var reads: Set<Capture> { [.predictions] }
  /// Before what reports losses.
  public var order: Int { CallbackOrder.check }

  private func check(_ batch: BatchContext) throws {
    if batch.hasNaNPrediction || !batch.loss.isFinite { throw try NonFiniteLoss(in: batch) }
    // Batch norm computes with the batch's own statistics in training, so that the loss doesn't show them.
    if let found = batch.learner.model.store.nonFiniteStatistics.first {
      throw try NonFiniteLoss(in: batch, found: found)
    }
  }

  // Not all shows in the loss: a rectifier makes 0 of −∞, and Adam divides by an infinite moment.
  private func checkUpdates(_ batch: BatchContext) throws {
    let found = batch.nonFiniteUpdates.first { !accepted.contains($0.parameter ?? "") }
    if let found { throw try NonFiniteLoss(in: batch, found: found) }
  }
}

extension Program.NonFinite {
  /// The name of the parameter that it was found in.
  fileprivate var parameter: String? {
    if case .parameter(let name) = source { name } else { nil }
  }
}
