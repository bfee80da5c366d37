public import CrestRuntime

/// Adam that begins with steps of its momentum alone, until the variance of its rate is small (Liu and others 2020;
/// PyTorch's `RAdam`).
///
///     m ← β₁ m + (1 - β₁) g,  s ← β₂ s + (1 - β₂) g²,  ρ∞ = 2 / (1 - β₂) - 1,  ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ)
///     w ← w - rate · m / (1 - β₁ᵗ) · r √(1 - β₂ᵗ) / (√s + ε)   where ρ > 5, else w - rate · m / (1 - β₁ᵗ)
///     r = √((ρ - 4) (ρ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ))
///
/// With L2 decay g is first g + decay · w; with decoupled decay w is first w · (1 - rate · decay). Two moments, m and s; t
/// is the step number. ε isn't corrected, as PyTorch's isn't. A group's momentum is β₁, and the bias correction uses the β₁
/// of the current step. With β₂ 0.999 the first five steps are of the momentum alone.
public struct RAdam: Optimizer, Equatable {
  /// `radam`.
  public var name: String { "radam" }
  /// Learning rate, β₁ and weight decay.
  public let defaults: Hyperparameters
  /// β₂, the decay rate of the moving mean square.
  public let beta2: Double
  /// ε, added to the root so that no step is unbounded.
  public let epsilon: Double
  /// How weight decay enters a step.
  public let decayKind: WeightDecay.Kind
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// m and s.
  public var momentCount: Int { 2 }

  /// Learning rate 0.001, β₁ 0.9, β₂ 0.999, ε 1e-8; no weight decay, and L2 on weights if a group has some.
  public init() {
    defaults = Hyperparameters(learningRate: 1e-3, momentum: 0.9)
    (beta2, epsilon, decayKind, decayTargets) = (0.999, 1e-8, .l2, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, a β is outside [0, 1), or ε not above 0.
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0, decayKind: WeightDecay.Kind = .l2,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: beta1, weightDecay: weightDecay)
    try defaults.validate(for: "radam")
    try OptimizerError.checkFraction(beta2, "beta2", of: "radam")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "radam")
    (self.beta2, self.epsilon) = (beta2, epsilon)
    (self.decayKind, self.decayTargets) = (decayKind, decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { beta1 in
      .radam(beta1: beta1, beta2: beta2, epsilon: epsilon, step: stepNumber)
    }
  }
}

extension RAdam: AdamLike {
  static let row = BuiltInOptimizer(
    "radam", [.momentum, .beta2, .epsilon, .weightDecay], torch: "RAdam", fastai: "RAdam"
  ) { given throws(OptimizerError) in try RAdam.make(given) }
}
