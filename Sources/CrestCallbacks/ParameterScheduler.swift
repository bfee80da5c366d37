public import CrestOptimizers
public import CrestTraining

/// Moves a hyperparameter along a schedule, one value an optimiser step.
///
/// fastai's `ParamScheduler`.
public final class ParameterScheduler: Callback {
  /// What is moved.
  public let hyperparameter: Hyperparameter
  /// The values.
  public let schedule: Schedule

  /// A scheduler of `hyperparameter`.
  public init(_ schedule: Schedule, of hyperparameter: Hyperparameter = .learningRate) {
    self.schedule = schedule
    self.hyperparameter = hyperparameter
  }

  /// As in `ParameterScheduler(momentum)`.
  public var name: String { "ParameterScheduler(\(hyperparameter.rawValue))" }
  /// Sets the value before each training batch.
  public var hooks: [Hook] { [.beforeBatch(set)] }
  /// After what changes a batch.
  public var order: Int { CallbackOrder.scheduler }
  /// The base of the hyperparameter.
  public var owns: Set<Ownership> { [.base(hyperparameter)] }

  /// The values.
  public var settings: [String: String] { ["schedule": "\(schedule)"] }

  private func set(_ batch: BatchContext) {
    guard batch.isTraining else { return }
    batch.learner[.base(hyperparameter)] = schedule.value(
      step: batch.step, total: batch.fit.stepCount)
  }
}
