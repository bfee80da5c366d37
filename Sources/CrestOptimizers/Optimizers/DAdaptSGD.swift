import CrestPlatform
public import CrestRuntime

/// SGD that finds its rate, from how far the weights have come (Defazio & Mishchenko 2023; `dadaptation`'s `DAdaptSGD`).
///
///     s ← s + d · rate / ‖g₁‖ · g
///     d ← max(d, min(2 Σ d · rate / ‖g₁‖ · ⟨g, s⟩ / ‖s‖, growth · d))       s before, and d in the sum of each step
///     w ← momentum · w + (1 - momentum) (w₁ - s)
///
/// ‖g₁‖ is the norm of the first gradient, and all norms and products are of all parameters together. The rate is a
/// factor of the one that is found: leave it at 1, but for a warm-up or a fall at the end. Groups at other rates take steps in their
/// proportion. With weight decay, which is L2 and of no other kind, g is g + decay · w, but for ‖g₁‖, as in the package. There is no ε and no
/// correction. Two moments, s and w₁ - w, and three numbers, d, the sum and ‖g₁‖.
public struct DAdaptSGD: Optimizer, Equatable {
  /// `dadapt-sgd`.
  public var name: String { "dadapt-sgd" }
  /// Learning rate, momentum and weight decay.
  public let defaults: Hyperparameters
  /// d at first.
  public let initialDistance: Double
  /// By what factor d may grow in a step.
  public let growth: Double
  /// As L2.
  public var decayKind: WeightDecay.Kind { .l2 }
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// s and w₁ - w.
  public var momentCount: Int { 2 }
  /// d, the sum and ‖g₁‖.
  public var numberCount: Int { 3 }

  /// Learning rate 1, no momentum, d at first 1e-6, growth unbounded; no weight decay.
  public init() {
    defaults = Hyperparameters(learningRate: 1, momentum: 0)
    (initialDistance, growth, decayTargets) = (1e-6, .infinity, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, the momentum is outside [0, 1), d isn't
  ///   above 0, or growth not above 1.
  public init(
    learningRate: Double = 1, momentum: Double = 0, initialDistance: Double = 1e-6,
    growth: Double = .infinity, weightDecay: Double = 0,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
    try defaults.validate(for: "dadapt-sgd")
    try OptimizerError.checkPositive(initialDistance, "initial distance", of: "dadapt-sgd")
    try OptimizerError.check(growth, .growth, "growth", of: "dadapt-sgd")
    (self.initialDistance, self.growth) = (initialDistance, growth)
    self.decayTargets = decayTargets
  }

  /// One pass over all parameters, for the step doesn't need what its sums tell of the distance; one more in the first step.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    var numbers = store.optimizerNumbers
    if numbers[0] == 0 { numbers[0] = initialDistance }
    if numbers[2] == 0 {
      let squares = groups.flatMap(\.ranges).map {
        store.pass(.squares, over: $0, on: engine).sums.1
      }
      numbers[2] = squares.reduce(0, +).squareRoot()
    }
    // Gradients of zero tell nothing of the distance.
    guard numbers[2] > 0 else { return }
    var squares = 0.0
    for group in groups {
      let settings = group.hyperparameters
      let factor = numbers[0] / numbers[2] * settings.learningRate
      for part in group.parts(decayTargets) {
        for range in part.ranges {
          let step = store.pass(
            .dadaptStep(factor: factor, part: 1 - settings.momentum), over: range, l2: part.decay,
            on: engine)
          numbers[1] += factor * step.sums.0
          squares += step.sums.1
          store.noteUpdate(of: range.count, isFinite: step.isFinite)
        }
      }
    }
    if squares > 0, groups.contains(where: { $0.hyperparameters.learningRate > 0 }) {
      let found = 2 * numbers[1] / squares.squareRoot()
      numbers[0] = max(numbers[0], min(found, numbers[0] * growth))
    }
    store.optimizerNumbers = numbers
  }
}

extension DAdaptSGD: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "dadapt-sgd",
    [
      .momentum, .init("initial-distance", .number(.positive)), .init("growth", .number(.growth)),
      .weightDecay,
    ], decay: .own
  ) { given throws(OptimizerError) in
    let own = DAdaptSGD()
    return try DAdaptSGD(
      momentum: given.momentum ?? own.defaults.momentum,
      initialDistance: given.number("initial-distance") ?? own.initialDistance,
      growth: given.number("growth") ?? own.growth,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
