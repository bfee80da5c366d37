public import CrestRuntime

/// SGD for large batches: each parameter has a rate in proportion to its size over its gradient's (You and others 2017;
/// timm's `lars`).
///
///     q = trust · ‖w‖ / (‖g‖ + decay · ‖w‖ + ε)
///     v ← momentum · v + q (g + decay · w)
///     w ← w - rate · v, or with Nesterov w - rate · (q (g + decay · w) + momentum · v)
///
/// Norms are of the whole parameter; where one is 0, or the parameter doesn't decay unless it ``alwaysAdapts``, q counts as
/// 1, as in timm. One moment, v. Weight decay is within the direction that q scales, and of no other kind.
public struct LARS: Optimizer, Equatable {
  /// `lars`.
  public var name: String { "lars" }
  /// Learning rate, momentum and weight decay.
  public let defaults: Hyperparameters
  /// How long a step is, over its parameter, at a rate of 1.
  public let trust: Double
  /// ε, so that no q is unbounded.
  public let epsilon: Double
  /// Whether to use Nesterov momentum.
  public let nesterov: Bool
  /// Whether parameters without weight decay are scaled, too.
  public let alwaysAdapts: Bool
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// v.
  public var momentCount: Int { 1 }

  /// Learning rate 1, momentum 0.9, trust 0.001, ε 1e-8, weight decay 0.0001 of weights.
  public init() {
    defaults = Hyperparameters(learningRate: 1, momentum: 0.9, weightDecay: 1e-4)
    (trust, epsilon, nesterov, alwaysAdapts) = (0.001, 1e-8, false, false)
    decayTargets = .weights
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, the momentum is outside [0, 1), or trust or
  ///   ε isn't above 0.
  public init(
    learningRate: Double = 1, momentum: Double = 0.9, trust: Double = 0.001,
    epsilon: Double = 1e-8, nesterov: Bool = false, weightDecay: Double = 1e-4,
    alwaysAdapts: Bool = false, decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
    try defaults.validate(for: "lars")
    try OptimizerError.checkPositive(trust, "trust", of: "lars")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "lars")
    (self.trust, self.epsilon, self.nesterov) = (trust, epsilon, nesterov)
    (self.alwaysAdapts, self.decayTargets) = (alwaysAdapts, decayTargets)
  }

  /// Two passes over each parameter: the norms, and the step; one over those that aren't scaled.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    for group in groups {
      let settings = group.hyperparameters
      for part in group.parts(decayTargets) {
        guard part.decay != 0 || alwaysAdapts else {
          for range in part.ranges {
            store.update(
              range, learningRate: Float(settings.learningRate), decay: .l2(0),
              by: .sgd(momentum: Float(settings.momentum), nesterov: nesterov), on: engine)
          }
          continue
        }
        var isFinite = true
        for entry in part.entries(of: store) {
          let sums = store.pass(.squares, over: entry.range, on: engine).sums
          let (weights, gradients) = (sums.0.squareRoot(), sums.1.squareRoot())
          let q =
            weights > 0 && gradients > 0
            ? trust * weights / (gradients + part.decay * weights + epsilon) : 1
          let step = store.pass(
            .larsStep(
              rate: settings.learningRate, momentum: settings.momentum, factor: q,
              nesterov: nesterov), over: entry.range, l2: part.decay, on: engine)
          isFinite = isFinite && step.isFinite
        }
        store.noteUpdate(of: part.count, isFinite: isFinite)
      }
    }
  }
}

extension LARS: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "lars",
    [
      .momentum, .init("trust", .number(.positive)), .epsilon, .nesterov,
      .init("always-adapts", .flag), .weightDecay,
    ], decay: .own, fastai: "Larc"
  ) { given throws(OptimizerError) in
    let own = LARS()
    return try LARS(
      momentum: given.momentum ?? own.defaults.momentum,
      trust: given.number("trust") ?? own.trust, epsilon: given.number("epsilon") ?? own.epsilon,
      nesterov: given.flag("nesterov") ?? own.nesterov,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      alwaysAdapts: given.flag("always-adapts") ?? own.alwaysAdapts,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
