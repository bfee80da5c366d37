public import CrestRuntime

/// Updates parameters from their gradients, once per step.
///
/// An optimiser is a value that holds settings. Its state between steps is in the store's moment
/// buffers, in the layout of the parameters, and in a few numbers of the network as a whole, so that checkpoints, snapshots
/// and reductions treat all optimisers alike; the training loop makes them with
/// `store.resetMoments(count: optimizer.momentCount, numbers: optimizer.numberCount)`. Values that change from step to step come
/// with the ``ParameterGroup``s.
///
/// To write your own optimiser, work on the flat buffers; a group's ``ParameterGroup/ranges`` say
/// where:
///
/// ```swift
/// /// w ← w - rate · sign(g) (Bernstein et al. 2018).
/// struct SignSGD: Optimizer {
///   let name = "signsgd"
///   let defaults = Hyperparameters(learningRate: 1e-3, momentum: 0)
///   let momentCount = 0
///
///   func step(
///     _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
///   ) {
///     store.withBuffer(.parameters) { parameters in
///       store.withBuffer(.gradients) { gradients in
///         for group in groups {
///           let rate = Float(group.hyperparameters.learningRate)
///           for index in group.ranges.joined() where gradients[index] != 0 {
///             parameters[index] -= gradients[index] > 0 ? rate : -rate
///           }
///         }
///       }
///     }
///   }
/// }
/// ```
public protocol Optimizer: Sendable {
  /// The name in logs and checkpoints.
  var name: String { get }
  /// A group's hyperparameters before anything schedules them.
  var defaults: Hyperparameters { get }
  /// The number of moment buffers it needs.
  var momentCount: Int { get }
  /// The numbers that it keeps of the network as a whole, in `ParameterStore.optimizerNumbers`. Default: none.
  var numberCount: Int { get }
  /// How weight decay enters a step.
  var decayKind: WeightDecay.Kind { get }
  /// Which parameters weight decay applies to.
  var decayTargets: WeightDecay.Targets { get }

  /// Refuses a model that it can't train, as one without a parameter that a pattern names. Default: takes any.
  ///
  /// - Throws: ``ParameterError``.
  func check(_ store: ParameterStore) throws(ParameterError)

  /// Updates the parameters of `groups` from the gradients in the store.
  ///
  /// - Parameters:
  ///   - store: The parameters, gradients and ``momentCount`` moments.
  ///   - groups: The parameters to train, and how; a parameter in no group stays as it is.
  ///   - stepNumber: The number of the step in the run, from 1.
  ///   - engine: Whose threads and kernels to use.
  func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine)
}

extension Optimizer {
  /// None.
  public var numberCount: Int { 0 }
  /// Takes any.
  public func check(_ store: ParameterStore) throws(ParameterError) {}
  /// Decoupled by default, because such an optimiser has no gradient to add to.
  public var decayKind: WeightDecay.Kind { .decoupled }
  /// Weights only.
  public var decayTargets: WeightDecay.Targets { .weights }

  /// Runs a fused rule, made for each group's momentum, over the groups.
  func apply(
    _ store: ParameterStore, _ groups: [ParameterGroup], engine: Engine,
    rule: (_ momentum: Float) -> UpdateRule
  ) {
    for group in groups {
      let settings = group.hyperparameters
      let rate = Float(settings.learningRate)
      let decay = Float(settings.weightDecay)
      let fused = rule(Float(settings.momentum))
      for range in group.weightRanges {
        store.update(range, learningRate: rate, decay: pull(decay), by: fused, on: engine)
      }
      let otherDecay = pull(decayTargets == .all ? decay : 0)
      for range in group.otherRanges {
        store.update(range, learningRate: rate, decay: otherDecay, by: fused, on: engine)
      }
    }
  }

  private func pull(_ amount: Float) -> WeightDecay {
    switch decayKind {
    case .l2: .l2(amount)
    case .decoupled: .decoupled(amount)
    }
  }
}
