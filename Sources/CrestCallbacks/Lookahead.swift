import CrestLayers
public import CrestOptimizers
import CrestRuntime
import CrestTensor
public import CrestTraining

/// Lets slow weights follow the trained ones every few steps, and training go on from there.
///
///     slow ← d · slow + (1 - d) · w,   w ← slow   after every `every`-th optimiser step; at first slow is w
///
/// d is ``decay`` at the step to come, or at the last one after that. Parameters and running statistics take part;
/// the optimiser's moments stay. Validation measures the trained weights, except that w ← slow after the last step of the
/// last epoch. A fit that ends before that leaves the trained weights in the model.
///
/// Zhang and others, *Lookahead Optimizer: k steps forward, 1 step back*, 2019 (α there is 1 - d); fastai's
/// `Lookahead`. With a decay that rises as the cube of time and statistics that take part it is that of Jordan's *94%
/// on CIFAR-10 in 3.29 seconds*, 2024.
public final class Lookahead: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The slow weights; nil outside of a fit.
    fileprivate var slow: ParameterStore.Weights?
  }

  /// The optimiser steps from one update to the next.
  public let every: Int
  /// The part of the slow weights that an update keeps.
  public let decay: Schedule
  /// All it remembers.
  public var state = State()

  /// Slow weights that keep a part that a schedule gives.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless `every` is at least 1.
  public init(every: Int = 5, decay: Schedule) throws(CallbackError) {
    try CallbackError.require(every >= 1, "every", every, "at least 1 step", of: "Lookahead")
    self.every = every
    self.decay = decay
  }

  /// Slow weights that keep a constant part; half of them, as in the paper, unless told otherwise.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless `every` is at least 1 and `decay` from
  ///   0 to below 1.
  public convenience init(every: Int = 5, decay: Double = 0.5) throws {
    try CallbackError.require(
      decay >= 0 && decay < 1, "decay", decay, "a number from 0 to below 1", of: "Lookahead")
    try self.init(every: every, decay: .constant(decay))
  }

  /// Slow weights that keep more and more: 0.95⁵ · (step / steps)³, with updates every 5 steps.
  ///
  /// Jordan's choice in airbench, where statistics of batch norms are short-lived.
  public static func cubic(every: Int = 5) throws -> Lookahead {
    try Lookahead(every: every, decay: .polynomial(from: 0, to: 0.773_780_937_5, power: 3))
  }

  /// Updates after steps, and gives the model the slow weights before the last validation.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .afterStep(update), .afterBatch(startAnew), .afterTrain(finish),
      .afterFit(forget),
    ]
  }
  /// Before what looks at the parameters.
  public var order: Int { CallbackOrder.average }
  /// How often, and how much stays.
  public var settings: [String: String] { ["every": "\(every)", "decay": settingText(decay)] }

  /// Weights of another model.
  public func objection(to state: State, in learner: Learner) -> String? {
    state.slow.map { $0.fits(learner.model.store) } ?? true ? nil : "slow weights of this model"
  }

  private func begin(_ fit: FitContext) {
    state = State(slow: ParameterStore.Weights(of: fit.learner.model.store))
  }

  private func update(_ batch: BatchContext) throws {
    let (steps, total) = (batch.fit.stepsTaken, batch.fit.stepCount)
    guard batch.outcome.isFinished, steps % every == 0, var slow = state.slow else { return }
    let decay = decay.value(step: min(steps, total - 1), total: total)
    guard decay >= 0, decay <= 1 else {
      throw CallbackError.outOfRange(
        callback: name, parameter: "decay", value: "\(decay) after step \(steps)",
        expected: "a number from 0 to 1")
    }
    let store = batch.learner.model.store
    state.slow = nil
    slow.approach(store, decay: Float(decay))
    slow.write(to: store)
    state.slow = slow
  }

  /// The slow weights begin again at those that training went back to.
  private func startAnew(_ batch: BatchContext) {
    guard batch.hasGoneBack else { return }
    state = State(slow: ParameterStore.Weights(of: batch.learner.model.store))
  }

  private func finish(_ pass: PassContext) {
    guard pass.outcome.isFinished, pass.epoch.index == pass.epoch.fit.epochCount - 1 else { return }
    state.slow?.write(to: pass.learner.model.store)
  }

  private func forget(_ fit: FitContext) { state = State() }
}
