public import CrestRuntime

/// Adam for large batches: each parameter's step is scaled to the size of the parameter (You and others 2020; timm's and
/// optax's `lamb`).
///
///     m ← β₁ m + (1 - β₁) g,  s ← β₂ s + (1 - β₂) g²
///     u = m / (1 - β₁ᵗ) / (√(s / (1 - β₂ᵗ)) + ε) + decay · w
///     w ← w - rate · ‖w‖ / ‖u‖ · u
///
/// Norms are of the whole parameter; where one is 0, or the parameter doesn't decay unless it ``alwaysAdapts``, their ratio
/// counts as 1, as in timm. Gradients aren't clipped: timm clips their norm to 1 first, as `GradientClip` does. Two moments,
/// m and s; t is the step number. A group's momentum is β₁. Weight decay is within u, and of no other kind.
public struct LAMB: Optimizer, Equatable {
  /// `lamb`.
  public var name: String { "lamb" }
  /// Learning rate, β₁ and weight decay.
  public let defaults: Hyperparameters
  /// β₂, the decay rate of the moving mean square.
  public let beta2: Double
  /// ε, added to the root so that no step is unbounded.
  public let epsilon: Double
  /// Whether parameters without weight decay are scaled, too.
  public let alwaysAdapts: Bool
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// m and s.
  public var momentCount: Int { 2 }

  /// Learning rate 0.001, β₁ 0.9, β₂ 0.999, ε 1e-6, weight decay 0.01 of weights.
  public init() {
    defaults = Hyperparameters(learningRate: 1e-3, momentum: 0.9, weightDecay: 0.01)
    (beta2, epsilon, alwaysAdapts, decayTargets) = (0.999, 1e-6, false, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, a β is outside [0, 1), or ε not above 0.
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-6, weightDecay: Double = 0.01, alwaysAdapts: Bool = false,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: beta1, weightDecay: weightDecay)
    try defaults.validate(for: "lamb")
    try OptimizerError.checkFraction(beta2, "beta2", of: "lamb")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "lamb")
    (self.beta2, self.epsilon, self.alwaysAdapts) = (beta2, epsilon, alwaysAdapts)
    self.decayTargets = decayTargets
  }

  /// Two passes over each parameter: the moments with the norms, and the step; one over those that aren't scaled.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    for group in groups {
      for part in group.parts(decayTargets) {
        if part.decay != 0 || alwaysAdapts {
          step(store, group.hyperparameters, part, stepNumber: stepNumber, engine: engine)
        } else {
          let adam = UpdateRule.adam(
            beta1: Float(group.hyperparameters.momentum), beta2: Float(beta2),
            epsilon: Float(epsilon), step: stepNumber)
          for range in part.ranges {
            store.update(
              range, learningRate: Float(group.hyperparameters.learningRate), decay: .l2(0),
              by: adam, on: engine)
          }
        }
      }
    }
  }

  private func step(
    _ store: ParameterStore, _ settings: Hyperparameters, _ part: ParameterGroup.Part,
    stepNumber: Int, engine: Engine
  ) {
    let beta1 = settings.momentum
    let both = SummedUpdate.LAMBCoefficients(
      beta1: beta1, beta2: beta2, epsilon: epsilon, decay: part.decay, step: stepNumber)
    var isFinite = true
    for entry in part.entries(of: store) {
      let moments = store.pass(
        .lambMoments(both, beta1: beta1, beta2: beta2), over: entry.range, on: engine)
      let (weights, directions) = moments.sums
      let ratio = weights > 0 && directions > 0 ? (weights / directions).squareRoot() : 1
      let step = store.pass(
        .lambStep(both, rate: settings.learningRate * ratio), over: entry.range, on: engine)
      isFinite = isFinite && moments.isFinite && step.isFinite
    }
    store.noteUpdate(of: part.count, isFinite: isFinite)
  }
}

extension LAMB: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "lamb",
    [.momentum, .beta2, .epsilon, .init("always-adapts", .flag), .weightDecay], decay: .own,
    keras: "Lamb", fastai: "Lamb"
  ) { given throws(OptimizerError) in
    let own = LAMB()
    return try LAMB(
      beta1: given.momentum ?? own.defaults.momentum, beta2: given.number("beta2") ?? own.beta2,
      epsilon: given.number("epsilon") ?? own.epsilon,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      alwaysAdapts: given.flag("always-adapts") ?? own.alwaysAdapts,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
