public import CrestRuntime

/// Steps by the sign of a moving average (Keras's and timm's `Lion`).
///
/// Chen and others: *Symbolic Discovery of Optimization Algorithms*, 2023.
///
///     w ← w - rate · sign(β₁ m + (1 - β₁) g)
///     m ← β₂ m + (1 - β₂) g
///
/// With decoupled decay w is first w · (1 - rate · decay); with L2 decay g is first g + decay · w.
/// One moment, m. All steps of a parameter have the same size, so the rate is 3 to 10 times smaller
/// than that of ``AdamW``, and the weight decay larger by the same factor. A group's momentum is
/// β₁.
public struct Lion: Optimizer, Equatable {
  /// `lion`.
  public var name: String { "lion" }
  /// Learning rate, β₁ and weight decay.
  public let defaults: Hyperparameters
  /// β₂, the decay rate of the moment.
  public let beta2: Double
  /// How weight decay enters a step.
  public let decayKind: WeightDecay.Kind
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// m.
  public var momentCount: Int { 1 }

  /// Learning rate 0.0001, β₁ 0.9, β₂ 0.99; no weight decay, and decoupled decay of weights if a
  /// group has some.
  public init() {
    defaults = Hyperparameters(learningRate: 1e-4, momentum: 0.9)
    (beta2, decayKind, decayTargets) = (0.99, .decoupled, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, or a β is outside [0, 1).
  public init(
    learningRate: Double = 0.0001, beta1: Double = 0.9, beta2: Double = 0.99,
    weightDecay: Double = 0, decayKind: WeightDecay.Kind = .decoupled,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: beta1, weightDecay: weightDecay)
    try defaults.validate(for: "lion")
    try OptimizerError.checkFraction(beta2, "beta2", of: "lion")
    (self.beta2, self.decayKind, self.decayTargets) = (beta2, decayKind, decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { .lion(beta1: $0, beta2: Float(beta2)) }
  }
}

extension Lion: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "lion", [.momentum, .beta2, .weightDecay], keras: "Lion", fastai: "timm: lion"
  ) { given throws(OptimizerError) in
    let own = Lion()
    return try Lion(
      beta1: given.momentum ?? own.defaults.momentum, beta2: given.number("beta2") ?? own.beta2,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayKind: given.decayKind ?? own.decayKind,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
