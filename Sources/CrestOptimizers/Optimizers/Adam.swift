public import CrestRuntime

/// Adam (Kingma & Ba 2015; PyTorch's `Adam`).
///
///     m ← β₁ m + (1 - β₁) g,  s ← β₂ s + (1 - β₂) g²
///     w ← w - rate · (m / (1 - β₁ᵗ)) / (√(s / (1 - β₂ᵗ)) + ε)
///
/// With L2 decay g is first g + decay · w; with decoupled decay w is first w · (1 - rate · decay),
/// which is ``AdamW``. Two moments, m and s; t is the step number. A group's momentum is β₁, and
/// the bias correction uses the β₁ of the current step, as PyTorch's does if a schedule changes it.
public struct Adam: Optimizer, Equatable {
  /// `adam`.
  public var name: String { "adam" }
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

  /// Learning rate 0.001, β₁ 0.9, β₂ 0.999, ε 1e-8; no weight decay, and L2 on weights if a group
  /// has some.
  public init() { self.init(weightDecay: 0, .l2) }

  /// The default with decoupled decay, which ``AdamW`` wraps.
  init(decoupledWeightDecay: Double) { self.init(weightDecay: decoupledWeightDecay, .decoupled) }

  private init(weightDecay: Double, _ decayKind: WeightDecay.Kind) {
    defaults = Hyperparameters(learningRate: 1e-3, momentum: 0.9, weightDecay: weightDecay)
    beta2 = 0.999
    epsilon = 1e-8
    self.decayKind = decayKind
    decayTargets = .weights
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate, decay or ε is negative or not finite, or a β is
  ///   outside [0, 1).
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0, decayKind: WeightDecay.Kind = .l2,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    try self.init(
      checking: "adam",
      Hyperparameters(learningRate: learningRate, momentum: beta1, weightDecay: weightDecay),
      beta2: beta2, epsilon: epsilon, decayKind: decayKind, decayTargets: decayTargets)
  }

  /// Checks the numbers, with the optimiser's name for messages.
  init(
    checking name: String, _ defaults: Hyperparameters, beta2: Double, epsilon: Double,
    decayKind: WeightDecay.Kind, decayTargets: WeightDecay.Targets
  ) throws(OptimizerError) {
    try defaults.validate(for: name)
    try OptimizerError.checkFraction(beta2, "beta2", of: name)
    try OptimizerError.checkNotNegative(epsilon, "epsilon", of: name)
    self.defaults = defaults
    self.beta2 = beta2
    self.epsilon = epsilon
    self.decayKind = decayKind
    self.decayTargets = decayTargets
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { beta1 in
      .adam(beta1: beta1, beta2: Float(beta2), epsilon: Float(epsilon), step: stepNumber)
    }
  }
}

extension Adam: AdamLike {
  static let row = BuiltInOptimizer(
    "adam",
    [.momentum, .beta2, .init("epsilon", .number(.notNegative)), .weightDecay], torch: "Adam",
    keras: "Adam", fastai: "Adam(decouple_wd=False)"
  ) { given throws(OptimizerError) in try Adam.make(given) }
}
