import CrestRuntime

/// An optimiser with Adam's settings and no others.
protocol AdamLike: NamedOptimizer {
  var beta2: Double { get }
  var epsilon: Double { get }

  init()
  init(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
    decayKind: WeightDecay.Kind, decayTargets: WeightDecay.Targets
  ) throws(OptimizerError)
}

extension AdamLike {
  /// The optimiser of what is given, and of its own settings otherwise.
  static func make(_ given: OptimizerSettings) throws(OptimizerError) -> any Optimizer {
    let own = Self()
    return try Self(
      learningRate: own.defaults.learningRate, beta1: given.momentum ?? own.defaults.momentum,
      beta2: given.number("beta2") ?? own.beta2, epsilon: given.number("epsilon") ?? own.epsilon,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayKind: given.decayKind ?? own.decayKind,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
