public import CrestRuntime

/// Steps divided by the root of the sum of all squared gradients so far (Duchi and others 2011; PyTorch's and Keras's
/// `Adagrad`).
///
///     s ← s + g²
///     w ← w - rate / (1 + (t - 1) · rateDecay) · g / (√s + ε)
///
/// With L2 decay g is first g + decay · w; with decoupled decay w is first w · (1 - rate · decay). One moment, s, from
/// `start`; t is the step number. Keras's has start 0.1 and ε 1e-7 within the root, which is another number only where
/// gradients are tiny. It has no momentum: a schedule of it changes nothing.
public struct Adagrad: Optimizer, Equatable {
  /// `adagrad`.
  public var name: String { "adagrad" }
  /// Learning rate and weight decay.
  public let defaults: Hyperparameters
  /// By how much the rate falls: to a half after 1 / rateDecay steps.
  public let rateDecay: Double
  /// What s begins at.
  public let start: Double
  /// ε, added to the root so that no step is unbounded.
  public let epsilon: Double
  /// How weight decay enters a step.
  public let decayKind: WeightDecay.Kind
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// s.
  public var momentCount: Int { 1 }

  /// Learning rate 0.01, no decay of the rate, start 0, ε 1e-10; no weight decay, and L2 on weights if a group has some.
  public init() {
    defaults = Hyperparameters(learningRate: 0.01, momentum: 0)
    (rateDecay, start, epsilon) = (0, 0, 1e-10)
    (decayKind, decayTargets) = (.l2, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate, decay or start is negative or not finite, or ε not above 0.
  public init(
    learningRate: Double = 0.01, rateDecay: Double = 0, start: Double = 0, epsilon: Double = 1e-10,
    weightDecay: Double = 0, decayKind: WeightDecay.Kind = .l2,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(learningRate: learningRate, momentum: 0, weightDecay: weightDecay)
    try defaults.validate(for: "adagrad")
    try OptimizerError.checkNotNegative(rateDecay, "rate decay", of: "adagrad")
    try OptimizerError.checkNotNegative(start, "start", of: "adagrad")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "adagrad")
    (self.rateDecay, self.start, self.epsilon) = (rateDecay, start, epsilon)
    (self.decayKind, self.decayTargets) = (decayKind, decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { _ in
      .adagrad(
        rateDecay: rateDecay, epsilon: .beside(epsilon), start: Float(start),
        step: stepNumber)
    }
  }
}

extension Adagrad: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "adagrad",
    [
      .init("rate-decay", .number(.notNegative)), .init("start", .number(.notNegative)), .epsilon,
      .weightDecay,
    ], torch: "Adagrad", keras: "Adagrad"
  ) { given throws(OptimizerError) in
    let own = Adagrad()
    return try Adagrad(
      rateDecay: given.number("rate-decay") ?? own.rateDecay,
      start: given.number("start") ?? own.start,
      epsilon: given.number("epsilon") ?? own.epsilon,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayKind: given.decayKind ?? own.decayKind,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
