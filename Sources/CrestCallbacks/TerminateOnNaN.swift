public import CrestRuntime
public import CrestTraining

/// Ends training with an error when the loss of a batch is infinite or not a number, or a prediction is not a number,
/// and names the example or layer where that began.
///
/// Validation batches are checked like training batches. The batch is run again with the same
/// random numbers and every operation separately, so that the first result that is not finite can
/// be found. The parameters are still those with which the batch started.
///
/// fastai's and Keras's `TerminateOnNaN`, which only stop, and only check training.
public final class TerminateOnNaN: Callback {
  /// A check of every batch.
  public init() {}

  /// Checks each loss and its predictions.
  public var hooks: [Hook] { [.afterLoss(check)] }
  /// The predictions: one that is not a number may leave the loss finite.
  public var reads: Set<Capture> { [.predictions] }
  /// Before what reports losses.
  public var order: Int { CallbackOrder.check }

  private func check(_ batch: BatchContext) throws {
    guard batch.hasNaNPrediction || !batch.loss.isFinite else { return }
    throw try NonFiniteLoss(in: batch)
  }
}
