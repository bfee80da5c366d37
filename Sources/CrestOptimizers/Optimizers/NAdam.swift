public import CrestRuntime

/// Adam with Nesterov momentum (Dozat 2016; PyTorch's and Keras's `NAdam`).
///
///     μₜ = β₁ (1 - ½ · 0.96^(t ψ)),  Πₜ = μ₁ ⋯ μₜ
///     m ← β₁ m + (1 - β₁) g,  s ← β₂ s + (1 - β₂) g²
///     w ← w - rate · ((1 - μₜ) g / (1 - Πₜ) + μₜ₊₁ m / (1 - Πₜ₊₁)) / (√(s / (1 - β₂ᵗ)) + ε)
///
/// With L2 decay g is first g + decay · w; with decoupled decay w is first w · (1 - rate · decay). Two moments, m and s; t
/// is the step number. A group's momentum is β₁; if a schedule changes it, Π is that of the β₁ of the current step. ψ is
/// 0.004 in PyTorch and 1 in Keras.
public struct NAdam: Optimizer, Equatable {
  /// `nadam`.
  public var name: String { "nadam" }
  /// Learning rate, β₁ and weight decay.
  public let defaults: Hyperparameters
  /// β₂, the decay rate of the moving mean square.
  public let beta2: Double
  /// ε, added to the root so that no step is unbounded.
  public let epsilon: Double
  /// ψ, how fast the momentum rises from half of β₁.
  public let momentumDecay: Double
  /// How weight decay enters a step.
  public let decayKind: WeightDecay.Kind
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// m and s.
  public var momentCount: Int { 2 }

  /// Learning rate 0.002, β₁ 0.9, β₂ 0.999, ε 1e-8, ψ 0.004; no weight decay, and L2 on weights if a group has some.
  public init() {
    defaults = Hyperparameters(learningRate: 2e-3, momentum: 0.9)
    (beta2, epsilon, momentumDecay) = (0.999, 1e-8, 0.004)
    (decayKind, decayTargets) = (.l2, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate, decay or ψ is negative or not finite, a β is outside [0, 1), or ε not above 0.
  public init(
    learningRate: Double = 0.002, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, momentumDecay: Double = 0.004, weightDecay: Double = 0,
    decayKind: WeightDecay.Kind = .l2, decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: beta1, weightDecay: weightDecay)
    try defaults.validate(for: "nadam")
    try OptimizerError.checkFraction(beta2, "beta2", of: "nadam")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "nadam")
    try OptimizerError.checkNotNegative(momentumDecay, "momentum decay", of: "nadam")
    (self.beta2, self.epsilon, self.momentumDecay) = (beta2, epsilon, momentumDecay)
    (self.decayKind, self.decayTargets) = (decayKind, decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { beta1 in
      .nadam(
        beta1: beta1, beta2: beta2, epsilon: epsilon, momentumDecay: momentumDecay,
        step: stepNumber)
    }
  }
}

extension NAdam: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "nadam",
    [
      .momentum, .beta2, .epsilon, .init("momentum-decay", .number(.notNegative)), .weightDecay,
    ], torch: "NAdam", keras: "Nadam"
  ) { given throws(OptimizerError) in
    let own = NAdam()
    return try NAdam(
      beta1: given.momentum ?? own.defaults.momentum, beta2: given.number("beta2") ?? own.beta2,
      epsilon: given.number("epsilon") ?? own.epsilon,
      momentumDecay: given.number("momentum-decay") ?? own.momentumDecay,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayKind: given.decayKind ?? own.decayKind,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
