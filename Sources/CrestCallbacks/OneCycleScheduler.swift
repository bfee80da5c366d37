public import CrestOptimizers
public import CrestTraining

/// Schedules learning rate and momentum by a 1cycle policy, one value per optimiser step.
///
/// The fit is the cycle: its number of steps is the policy's total.
public final class OneCycleScheduler: Callback {
  /// The policy; if parameter groups have separate rates, that of the last group.
  public let policy: OneCycle
  /// The highest learning rate of each group.
  public let maxLR: ParameterGroup.Values
  /// Whether the momentum moves too; otherwise it stays the optimiser's.
  public let cyclesMomentum: Bool

  /// A scheduler of one learning rate for all groups.
  public init(_ policy: OneCycle, cyclesMomentum: Bool = true) {
    self.policy = policy
    self.cyclesMomentum = cyclesMomentum
    maxLR = .same(policy.maxLR)
  }

  /// A scheduler in which each group's learning rate follows the policy up to its own highest rate;
  /// all have the same momentum.
  ///
  /// fastai's `lr_max=slice(a, b)`, PyTorch's `max_lr=[…]`.
  ///
  /// - Parameters:
  ///   - maxLR: The highest rates.
  ///   - cyclesMomentum: Whether the momentum moves too.
  ///   - policy: Makes the policy for a highest rate, as in `{ try OneCycle(maxLR: $0) }`.
  /// - Throws: `ParameterError` unless all rates are finite and above 0, and what `policy` throws.
  public init(
    maxLR: ParameterGroup.Values, cyclesMomentum: Bool = true, policy: (Double) throws -> OneCycle
  ) throws {
    try maxLR.validate("learning rates")
    self.policy = try policy(maxLR.last)
    self.maxLR = maxLR
    self.cyclesMomentum = cyclesMomentum
  }

  /// A scheduler of a policy with a convention's default values.
  ///
  /// - Throws: `ScheduleError` unless `maxLR` is finite and above 0.
  public convenience init(
    maxLR: Double, convention: OneCycle.Convention = .fastai
  ) throws(ScheduleError) {
    self.init(try OneCycle(maxLR: maxLR, convention: convention))
  }

  /// Spreads the rates at the start, sets rate and momentum before each training batch.
  public var hooks: [Hook] { [.beforeFit(spreadRates), .beforeBatch(set)] }
  /// After what changes a batch.
  public var order: Int { CallbackOrder.scheduler }
  /// The bases of learning rate and momentum.
  public var owns: Set<Hyperparameter.Part> {
    cyclesMomentum ? [.base(.learningRate), .base(.momentum)] : [.base(.learningRate)]
  }

  /// The policy and what follows it.
  public var settings: [String: String] {
    [
      "policy": settingText(policy), "rates": settingText(maxLR),
      "cyclesMomentum": "\(cyclesMomentum)",
    ]
  }

  private func spreadRates(_ fit: FitContext) throws {
    try fit.learner.spreadLearningRate(over: maxLR)
    fit.declareCycle(halfCycle: fit.stepCount / 2)
    fit.declareLearningRates { [policy] in policy.learningRate(step: $0, total: $1) }
  }

  private func set(_ batch: BatchContext) {
    guard batch.isTraining else { return }
    let total = batch.fit.stepCount
    batch.learner[.base(.learningRate)] = policy.learningRate(step: batch.step, total: total)
    guard cyclesMomentum else { return }
    batch.learner[.base(.momentum)] = policy.momentum(step: batch.step, total: total)
  }
}
