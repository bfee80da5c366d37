public import CrestRuntime

/// Adam by the largest of the fading gradients in place of their mean square (Kingma & Ba 2015; PyTorch's `Adamax`).
///
///     m ← β₁ m + (1 - β₁) g,  u ← max(β₂ u, |g| + ε)
///     w ← w - rate / (1 - β₁ᵗ) · m / u
///
/// ε is within the maximum, as in PyTorch; Keras divides by u + ε. u needs no correction. With L2 decay g is first
/// g + decay · w; with decoupled decay w is first w · (1 - rate · decay). Two moments, m and u; t is the step number. A
/// group's momentum is β₁, and the bias correction uses the β₁ of the current step.
public struct Adamax: Optimizer, Equatable {
  /// `adamax`.
  public var name: String { "adamax" }
  /// Learning rate, β₁ and weight decay.
  public let defaults: Hyperparameters
  /// β₂, the decay rate of the largest gradient.
  public let beta2: Double
  /// ε, added to each gradient's size so that no step is unbounded.
  public let epsilon: Double
  /// How weight decay enters a step.
  public let decayKind: WeightDecay.Kind
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// m and u.
  public var momentCount: Int { 2 }

  /// Learning rate 0.002, β₁ 0.9, β₂ 0.999, ε 1e-8; no weight decay, and L2 on weights if a group has some.
  public init() {
    defaults = Hyperparameters(learningRate: 2e-3, momentum: 0.9)
    (beta2, epsilon, decayKind, decayTargets) = (0.999, 1e-8, .l2, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, a β is outside [0, 1), or ε not above 0.
  public init(
    learningRate: Double = 0.002, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0, decayKind: WeightDecay.Kind = .l2,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: beta1, weightDecay: weightDecay)
    try defaults.validate(for: "adamax")
    try OptimizerError.checkFraction(beta2, "beta2", of: "adamax")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "adamax")
    (self.beta2, self.epsilon) = (beta2, epsilon)
    (self.decayKind, self.decayTargets) = (decayKind, decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { beta1 in
      .adamax(beta1: Double(beta1), beta2: beta2, epsilon: epsilon, step: stepNumber)
    }
  }
}

extension Adamax: AdamLike {
  static let row = BuiltInOptimizer(
    "adamax", [.momentum, .beta2, .epsilon, .weightDecay], torch: "Adamax", keras: "Adamax"
  ) { given throws(OptimizerError) in try Adamax.make(given) }
}
