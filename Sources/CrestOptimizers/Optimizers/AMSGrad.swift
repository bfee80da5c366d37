public import CrestRuntime

/// Adam whose rate for each parameter never rises (Reddi and others 2018; PyTorch's and Keras's `Adam(amsgrad=True)`).
///
///     m ← β₁ m + (1 - β₁) g,  s ← β₂ s + (1 - β₂) g²,  s⁺ ← max(s⁺, s)
///     w ← w - rate · (m / (1 - β₁ᵗ)) / (√(s⁺ / (1 - β₂ᵗ)) + ε)
///
/// ε is beside the root and isn't corrected; the maximum is taken before the correction, as in PyTorch. With L2 decay g is
/// first g + decay · w; with decoupled decay w is first w · (1 - rate · decay). Three moments, m, s and s⁺; t is the step
/// number. A group's momentum is β₁, and the bias correction uses the β₁ of the current step.
public struct AMSGrad: Optimizer, Equatable {
  /// `amsgrad`.
  public var name: String { "amsgrad" }
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
  /// m, s and s⁺.
  public var momentCount: Int { 3 }

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
    try defaults.validate(for: "amsgrad")
    try OptimizerError.checkFraction(beta2, "beta2", of: "amsgrad")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "amsgrad")
    (self.beta2, self.epsilon) = (beta2, epsilon)
    (self.decayKind, self.decayTargets) = (decayKind, decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { beta1 in
      .amsgrad(beta1: beta1, beta2: Float(beta2), epsilon: Float(epsilon), step: stepNumber)
    }
  }
}

extension AMSGrad: AdamLike {
  static let row = BuiltInOptimizer(
    "amsgrad", [.momentum, .beta2, .epsilon, .weightDecay], torch: "Adam(amsgrad=True)",
    keras: "Adam(amsgrad=True)"
  ) { given throws(OptimizerError) in try AMSGrad.make(given) }
}
