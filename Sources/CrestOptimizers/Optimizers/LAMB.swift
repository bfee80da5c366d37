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

  /// Two passes over each parameter: the moments with the norms, and the step.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    for group in groups {
      let beta1 = group.hyperparameters.momentum
      let corrections = (1 - power(beta1, stepNumber), 1 - power(beta2, stepNumber))
      group.forEachParameter(of: store, decayTargets) { entry, w, g, decay in
        store.withMoment(0, of: entry) { m in
          store.withMoment(1, of: entry) { s in
            func direction(_ index: Int) -> Float {
              let root = (Double(s[index]) / corrections.1).squareRoot()
              return Float(
                Double(m[index]) / corrections.0 / (root + epsilon) + decay * Double(w[index]))
            }
            var (weights, steps) = (0.0, 0.0)
            for index in w.indices {
              m[index] = Float(beta1 * Double(m[index]) + (1 - beta1) * Double(g[index]))
              let square = Double(g[index]) * Double(g[index])
              s[index] = Float(beta2 * Double(s[index]) + (1 - beta2) * square)
              let step = Double(direction(index))
              weights += Double(w[index]) * Double(w[index])
              steps += step * step
            }
            let adapts = decay != 0 || alwaysAdapts
            let ratio = adapts && weights > 0 && steps > 0 ? (weights / steps).squareRoot() : 1
            let rate = Float(group.hyperparameters.learningRate * ratio)
            for index in w.indices { w[index] -= rate * direction(index) }
          }
        }
      }
    }
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
