public import CrestRuntime

/// Adam with Nesterov momentum by changes of the gradient (Xie and others 2022; timm's `Adan`).
///
///     c = g - the gradient before, and 0 in the first step
///     m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) c,  n ← β₃ n + (1 - β₃) (g + β₂ c)²
///     w ← (w - rate · (m̂ + β₂ v̂) / (√n̂ + ε)) / (1 + rate · decay)
///
/// A hat divides by 1 - βᵗ; the β are what is kept, 1 less those of the paper. The decay is the proximal one, and the only.
/// Four moments: m, v, n and the gradient. A group's momentum is β₁.
public struct Adan: Optimizer, Equatable {
  /// `adan`.
  public var name: String { "adan" }
  /// Learning rate, β₁ and weight decay.
  public let defaults: Hyperparameters
  /// β₂, the decay rate of the mean change.
  public let beta2: Double
  /// β₃, the decay rate of the moving mean square.
  public let beta3: Double
  /// ε, added to the root so that no step is unbounded.
  public let epsilon: Double
  /// Beside the rule.
  public var decayKind: WeightDecay.Kind { .decoupled }
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// m, v, n and the gradient before.
  public var momentCount: Int { 4 }

  /// Learning rate 0.001, β₁ 0.98, β₂ 0.92, β₃ 0.99, ε 1e-8; no weight decay.
  public init() {
    defaults = Hyperparameters(learningRate: 1e-3, momentum: 0.98)
    (beta2, beta3, epsilon, decayTargets) = (0.92, 0.99, 1e-8, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, a β is outside [0, 1), or ε not above 0.
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.98, beta2: Double = 0.92, beta3: Double = 0.99,
    epsilon: Double = 1e-8, weightDecay: Double = 0, decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: beta1, weightDecay: weightDecay)
    try defaults.validate(for: "adan")
    try OptimizerError.checkFraction(beta2, "beta2", of: "adan")
    try OptimizerError.checkFraction(beta3, "beta3", of: "adan")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "adan")
    (self.beta2, self.beta3, self.epsilon) = (beta2, beta3, epsilon)
    self.decayTargets = decayTargets
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    for group in groups {
      let settings = group.hyperparameters
      group.apply(store, decayTargets, engine: engine) { decay in
        .adan(
          beta1: settings.momentum, beta2: beta2, beta3: beta3, epsilon: epsilon, decay: decay,
          step: stepNumber)
      }
    }
  }
}

extension Adan: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "adan",
    [.momentum, .beta2, .init("beta3", .number(.fraction)), .epsilon, .weightDecay], decay: .own,
    fastai: "timm: adan"
  ) { given throws(OptimizerError) in
    let own = Adan()
    return try Adan(
      beta1: given.momentum ?? own.defaults.momentum, beta2: given.number("beta2") ?? own.beta2,
      beta3: given.number("beta3") ?? own.beta3, epsilon: given.number("epsilon") ?? own.epsilon,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
