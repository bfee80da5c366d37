import CrestLayers
public import CrestTraining

/// Validates every few epochs only, or also every few optimiser steps.
///
/// Every n epochs, and after the last one: epochs between have no validation results, and callbacks that monitor one
/// don't count them.
///
/// Every n steps, in addition to the ends of epochs: losses and metrics of the trained weights are in ``measurements``,
/// and the loss is among the reports of steps, as `validation_loss`; of more than 1,024 the older ones are thinned out.
/// Training takes the same steps, to the bit. To have
/// checkpoints or early stopping every n steps, make epochs that short (``LimitBatches``).
///
/// Keras's `validation_freq`, Lightning's `check_val_every_n_epoch` and `val_check_interval`.
public final class ValidateEvery: StatefulCallback {
  /// What validation measured after a step.
  public struct Measurement: Codable, Sendable, Hashable {
    /// The optimiser steps taken in the fit.
    public let steps: Int
    /// Loss and metrics.
    public let result: FitResult.Pass
  }

  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// What was measured between epochs, in order.
    public fileprivate(set) var measurements: [Measurement] = []
  }

  /// How often.
  public let interval: ModelCheckpoint.Interval
  /// All it remembers.
  public var state = State()
  /// What was measured after steps of the last fit and is kept, in order.
  public var measurements: [Measurement] { state.measurements }

  /// Validates at an interval.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless it is of epochs or steps, at least
  ///   1.
  public init(_ interval: ModelCheckpoint.Interval) throws(CallbackError) {
    if case .minutes = interval {
      try CallbackError.require(
        false, "interval", interval, "epochs or steps", of: "ValidateEvery")
    }
    try interval.check(for: "ValidateEvery")
    self.interval = interval
  }

  /// Cancels validation, or adds some.
  public var hooks: [Hook] {
    let own: Hook =
      switch interval {
      case .epochs(let count): .beforeValidate { try Self.skip($0, every: count) }
      case .steps, .minutes: .afterStep(measure)
      }
    return [.beforeFit { [self] _ in state = State() }, own]
  }
  /// Before what exchanges weights for validation.
  public var order: Int { CallbackOrder.limit }
  /// The loss after a step.
  public var stepReports: [String] {
    if case .steps = interval { ["validation_loss"] } else { [] }
  }
  /// How often.
  public var settings: [String: String] { ["interval": "\(interval)"] }

  /// Steps out of order.
  public func objection(to state: State, in learner: Learner) -> String? {
    let steps = state.measurements.map(\.steps)
    return zip([0] + steps, steps).allSatisfy { $0 < $1 } ? nil : "steps in ascending order"
  }

  /// The most measurements that are kept.
  private static let limit = 1024

  private static func skip(_ pass: PassContext, every count: Int) throws {
    let epoch = pass.epoch
    guard epoch.index + 1 < epoch.fit.epochCount, (epoch.index + 1) % count != 0 else { return }
    throw Cancel(.validate, reason: "validation is every \(count) epochs")
  }

  private func measure(_ batch: BatchContext) throws {
    guard case .steps(let count) = interval, batch.outcome.isFinished,
      batch.fit.stepsTaken % count == 0
    else { return }
    let result = try batch.learner.evaluate()
    state.measurements.append(Measurement(steps: batch.fit.stepsTaken, result: result))
    if state.measurements.count > Self.limit {
      state.measurements = state.measurements.indices.filter { !$0.isMultiple(of: 2) }
        .map { state.measurements[$0] }
    }
    batch.report(result.loss, as: "validation_loss")
  }
}
