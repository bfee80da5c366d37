public import CrestOptimizers
public import CrestTraining

/// Schedules a hyperparameter, one value per optimiser step.
///
/// fastai's `ParamScheduler`.
public final class ParameterScheduler: Callback {
  /// The hyperparameter.
  public let hyperparameter: Hyperparameter
  /// The values; if parameter groups have separate rates, those of the last group.
  public let schedule: Schedule
  /// In which proportions the groups' learning rates are; nil for another hyperparameter.
  private let rates: ParameterGroup.Values?

  /// A scheduler of `hyperparameter`.
  public init(_ schedule: Schedule, of hyperparameter: Hyperparameter = .learningRate) {
    self.schedule = schedule
    self.hyperparameter = hyperparameter
    rates = nil
  }

  /// A scheduler with a separate learning rate for each group.
  ///
  /// - Parameters:
  ///   - schedule: The values of the last group.
  ///   - rates: The proportions of the groups' rates.
  /// - Throws: `ParameterError` unless all rates are finite and above 0.
  public init(_ schedule: Schedule, rates: ParameterGroup.Values) throws(ParameterError) {
    try rates.validate("learning rates")
    self.schedule = schedule
    hyperparameter = .learningRate
    self.rates = rates
  }

  /// As in `ParameterScheduler(momentum)`.
  public var name: String { "ParameterScheduler(\(hyperparameter.rawValue))" }
  /// Sets the value before each training batch.
  public var hooks: [Hook] { [.beforeFit(spreadRates), .beforeBatch(set)] }
  /// After what changes a batch.
  public var order: Int { CallbackOrder.scheduler }
  /// The base of the hyperparameter.
  public var owns: Set<Hyperparameter.Part> { [.base(hyperparameter)] }

  /// The values, and the rates of groups of parameters.
  public var settings: [String: String] {
    ["schedule": settingText(schedule), "rates": rates.map(settingText) ?? "one for all"]
  }

  private func spreadRates(_ fit: FitContext) throws {
    if let rates { try fit.learner.spreadLearningRate(over: rates) }
    guard hyperparameter == .learningRate else { return }
    fit.declareLearningRates { [schedule] in schedule.value(step: $0, total: $1) }
  }

  private func set(_ batch: BatchContext) {
    guard batch.isTraining else { return }
    batch.learner[.base(hyperparameter)] = schedule.value(
      step: batch.step, total: batch.fit.stepCount)
  }
}
