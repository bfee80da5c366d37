public import CrestOptimizers
public import CrestTraining

/// Moves learning rate and momentum along a 1cycle policy, one value an optimiser step.
///
/// The fit is the cycle: its number of steps is the policy's total.
public final class OneCycleScheduler: Callback {
  /// The policy; of a range of learning rates, that of the last layer.
  public let policy: OneCycle
  /// The learning rate of the first layer over that of the last.
  public let spread: Double
  /// Whether the momentum moves too; otherwise it stays the optimiser's.
  public let cyclesMomentum: Bool

  /// A scheduler of one learning rate for all layers.
  public init(_ policy: OneCycle, cyclesMomentum: Bool = true) {
    self.policy = policy
    self.cyclesMomentum = cyclesMomentum
    spread = 1
  }

  /// A scheduler of `policy` whose first layer learns at `spread` times the last one's rate, the layers
  /// between them at a constant ratio from one to the next.
  ///
  /// fastai's `lr_max=slice(a, b)`: a policy of `b` with a spread of `a / b`.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless `spread` is
  ///   finite and above 0.
  public init(
    _ policy: OneCycle, spread: Double, cyclesMomentum: Bool = true
  ) throws(CallbackError) {
    guard spread.isFinite && spread > 0 else {
      throw .outOfRange(
        callback: "OneCycleScheduler", parameter: "spread", value: "\(spread)",
        expected: "a finite number above 0")
    }
    self.policy = policy
    self.spread = spread
    self.cyclesMomentum = cyclesMomentum
  }

  /// A scheduler of a policy in a convention's own values.
  ///
  /// - Throws: `ScheduleError` unless `maxLR` is finite and above 0.
  public convenience init(
    maxLR: Double, convention: OneCycle.Convention = .fastai
  ) throws(ScheduleError) {
    self.init(try OneCycle(maxLR: maxLR, convention: convention))
  }

  /// Sets the spread at the start, rate and momentum before each training batch.
  public var hooks: [Hook] { [.beforeFit(spreadRates), .beforeBatch(set)] }
  /// After what changes a batch.
  public var order: Int { CallbackOrder.scheduler }
  /// The bases of learning rate and momentum.
  public var owns: Set<Ownership> {
    cyclesMomentum ? [.base(.learningRate), .base(.momentum)] : [.base(.learningRate)]
  }

  /// The policy and what follows it.
  public var settings: [String: String] {
    ["policy": "\(policy)", "spread": "\(spread)", "cyclesMomentum": "\(cyclesMomentum)"]
  }

  private func spreadRates(_ fit: FitContext) {
    if spread != 1 { fit.learner.learningRateSpread = spread }
  }

  private func set(_ batch: BatchContext) {
    guard batch.isTraining else { return }
    let total = batch.fit.stepCount
    batch.learner[.base(.learningRate)] = policy.learningRate(step: batch.step, total: total)
    guard cyclesMomentum else { return }
    batch.learner[.base(.momentum)] = policy.momentum(step: batch.step, total: total)
  }
}
