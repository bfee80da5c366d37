public import CrestRuntime

/// Steps in the units of the parameters, without a rate to choose (Zeiler 2012; PyTorch's and Keras's `Adadelta`).
///
///     s ← ρ s + (1 - ρ) g²
///     d = √(u + ε) / √(s + ε) · g
///     u ← ρ u + (1 - ρ) d²
///     w ← w - rate · d
///
/// With L2 decay g is first g + decay · w; with decoupled decay w is first w · (1 - rate · decay). Two moments, s and u.
/// Keras's defaults are rate 0.001, ρ 0.95 and ε 1e-7. It has no momentum: a schedule of it changes nothing.
public struct Adadelta: Optimizer, Equatable {
  /// `adadelta`.
  public var name: String { "adadelta" }
  /// Learning rate and weight decay.
  public let defaults: Hyperparameters
  /// ρ, the decay rate of both mean squares.
  public let rho: Double
  /// ε, which the first steps owe their size to.
  public let epsilon: Double
  /// How weight decay enters a step.
  public let decayKind: WeightDecay.Kind
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// s and u.
  public var momentCount: Int { 2 }

  /// Learning rate 1, ρ 0.9, ε 1e-6; no weight decay, and L2 on weights if a group has some.
  public init() {
    defaults = Hyperparameters(learningRate: 1, momentum: 0)
    (rho, epsilon, decayKind, decayTargets) = (0.9, 1e-6, .l2, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, ρ is outside [0, 1), or ε not above 0.
  public init(
    learningRate: Double = 1, rho: Double = 0.9, epsilon: Double = 1e-6, weightDecay: Double = 0,
    decayKind: WeightDecay.Kind = .l2, decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(learningRate: learningRate, momentum: 0, weightDecay: weightDecay)
    try defaults.validate(for: "adadelta")
    try OptimizerError.checkFraction(rho, "rho", of: "adadelta")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "adadelta")
    (self.rho, self.epsilon) = (rho, epsilon)
    (self.decayKind, self.decayTargets) = (decayKind, decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { _ in .adadelta(rho: rho, epsilon: epsilon) }
  }
}

extension Adadelta: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "adadelta", [.init("rho", .number(.fraction)), .epsilon, .weightDecay], torch: "Adadelta",
    keras: "Adadelta"
  ) { given throws(OptimizerError) in
    let own = Adadelta()
    return try Adadelta(
      rho: given.number("rho") ?? own.rho, epsilon: given.number("epsilon") ?? own.epsilon,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayKind: given.decayKind ?? own.decayKind,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
