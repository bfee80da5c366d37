public import CrestRuntime

/// AdamW that needs no schedule, as it predicts with an average of its weights (Defazio and others 2024; `schedulefree`'s
/// `AdamWScheduleFree`, Keras's `ScheduleFreeAdamW`).
///
///     y = β x + (1 - β) z              gradients are of y, which the model holds while it trains
///     s ← β₂ s + (1 - β₂) g²
///     z ← z - rate (g / (√(s / (1 - β₂ᵗ)) + ε) + decay · y)
///     x ← (1 - c) x + c z              c = r² / Σ r² over the steps, of the highest rate r up to each
///
/// ε is beside the root and isn't corrected. Weight decay is beside Adam's part, at y, and of no other kind. From
/// validation to the next epoch and after the fit the model has x, so that what is measured, saved by its results and used
/// is the average; running statistics of batch norm are of y, for which `RecomputeBatchNormStatistics` helps. Let the
/// rate rise in the first steps (a warm-up), and then be constant: a schedule that lowers it defeats the purpose. β doesn't follow
/// schedules of the momentum. Two moments, z - x and s, and two numbers, Σ r² and r; t is the step number.
public struct ScheduleFreeAdamW: Optimizer, Equatable {
  /// `schedule-free-adamw`.
  public var name: String { "schedule-free-adamw" }
  /// Learning rate, β and weight decay.
  public let defaults: Hyperparameters
  /// β₂, the decay rate of the moving mean square.
  public let beta2: Double
  /// ε, added to the root so that no step is unbounded.
  public let epsilon: Double
  /// Beside Adam's part.
  public var decayKind: WeightDecay.Kind { .decoupled }
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// z - x and s.
  public var momentCount: Int { 2 }
  /// Σ r² and r.
  public var numberCount: Int { ScheduleFreeAverage.numberCount }

  private var average: ScheduleFreeAverage { ScheduleFreeAverage(beta: defaults.momentum) }

  /// Learning rate 0.0025, β 0.9, β₂ 0.999, ε 1e-8; no weight decay.
  public init() {
    defaults = Hyperparameters(learningRate: 2.5e-3, momentum: 0.9)
    (beta2, epsilon, decayTargets) = (0.999, 1e-8, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, a β is outside [0, 1), or ε not above 0.
  public init(
    learningRate: Double = 0.0025, beta: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0, decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: beta, weightDecay: weightDecay)
    try defaults.validate(for: "schedule-free-adamw")
    try OptimizerError.checkFraction(beta2, "beta2", of: "schedule-free-adamw")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "schedule-free-adamw")
    (self.beta2, self.epsilon, self.decayTargets) = (beta2, epsilon, decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    let part = average.part(store, groups)
    for group in groups {
      group.apply(store, decayTargets, engine: engine) { decay in
        .scheduleFreeAdamW(
          beta: defaults.momentum, beta2: beta2, epsilon: epsilon, decay: decay, part: part,
          step: stepNumber)
      }
    }
  }
}

extension ScheduleFreeAdamW: AveragingOptimizer {
  package func toAverage(_ store: ParameterStore) { average.move(store, toAverage: true) }
  package func toTraining(_ store: ParameterStore) { average.move(store, toAverage: false) }
}

extension ScheduleFreeAdamW: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "schedule-free-adamw", [.momentum, .beta2, .epsilon, .weightDecay], decay: .own,
    keras: "ScheduleFreeAdamW"
  ) { given throws(OptimizerError) in
    let own = ScheduleFreeAdamW()
    return try ScheduleFreeAdamW(
      beta: given.momentum ?? own.defaults.momentum, beta2: given.number("beta2") ?? own.beta2,
      epsilon: given.number("epsilon") ?? own.epsilon,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
