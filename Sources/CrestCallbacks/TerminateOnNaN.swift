import CrestGraph
public import CrestRuntime
public import CrestTraining

/// Ends training with an error when the loss of a batch is infinite or not a number, and names the layer
/// where that began.
///
/// The batch is run again with the same random numbers and every operation by itself, so that the first
/// result that is not finite can be found. The parameters are still those the batch was begun with.
///
/// fastai's and Keras's `TerminateOnNaN`, which only stop.
public final class TerminateOnNaN: Callback {
  /// A check of every batch.
  public init() {}

  /// Looks at each loss.
  public var hooks: [Hook] { [.afterLoss(check)] }
  /// Before what reports losses.
  public var order: Int { CallbackOrder.check }

  private func check(_ batch: BatchContext) throws {
    guard !batch.loss.isFinite else { return }
    throw NonFiniteLoss(
      loss: batch.loss, purpose: batch.pass.purpose, step: batch.step, epoch: batch.epoch,
      batch: batch.index, origin: try batch.firstNonFinite())
  }
}

/// A loss that is infinite or not a number, and where that began.
public struct NonFiniteLoss: Error, Equatable, Sendable {
  /// The loss.
  public let loss: Float
  /// What the batch was used for.
  public let purpose: PassContext.Purpose
  /// The optimiser step of the fit, from 0.
  public let step: Int
  /// The epoch of the fit, from 0.
  public let epoch: Int
  /// The batch of the pass, from 0.
  public let batch: Int
  /// The first number that isn't finite; nil when there is none with every operation by itself.
  public let origin: Program.NonFinite?
}

extension NonFiniteLoss: CustomStringConvertible {
  /// What, where, and what to do.
  public var description: String {
    "the \(purpose) loss is \(text(loss)) in step \(step) (epoch \(epoch + 1), batch \(batch)): "
      + "\(cause); \(advice)"
  }

  private var cause: String {
    guard let origin else { return "every operation by itself gives finite numbers" }
    return switch origin.source {
    case .input(let name): "the input \"\(name)\" holds \(text(origin.value))"
    case .parameter(let name): "the parameter \(name) has become \(text(origin.value))"
    case .operation(let operation, let path, let stage):
      "\(operation) in \(path.isEmpty ? "the \(stage) stage" : "layer \(path)") gives \(text(origin.value))"
    }
  }

  /// A NaN's sign means nothing and is left out.
  private func text(_ value: Float) -> String { value.isNaN ? "nan" : "\(value)" }

  private var advice: String {
    if case .input = origin?.source { return "clean the data" }
    return "lower the learning rate"
  }
}
