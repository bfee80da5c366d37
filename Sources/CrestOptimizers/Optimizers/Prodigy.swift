import CrestPlatform
public import CrestRuntime

/// Adam that finds its rate, from how far the weights have come (Mishchenko & Defazio 2024; `prodigyopt`'s `Prodigy`).
///
///     η = d · rate, with the bias correction times √(1 - β₂ᵗ) / (1 - β₁ᵗ);   β₃ = √β₂
///     m ← β₁ m + (1 - β₁) d g,  v ← β₂ v + (1 - β₂) d² g²
///     n ← β₃ n + d η / d₀ · ⟨g, w₁ - w⟩,  s ← β₃ s + d η / d₀ · g
///     w ← (1 - η decay) w - η m / (√v + d ε)
///     D ← max(D, c n / Σ|s|),  d ← min(D, growth · d)             in a step's η d is the one before it
///
/// All sums are over all parameters together; in the step that still has d = d₀, d at first, d itself becomes the largest of both. ε is beside the root, in
/// proportion to d, and nothing is corrected unless ``correctsBias``. Weight decay is decoupled, and of no other kind. The
/// rate is a factor of the one that is found: leave it at 1, but for a schedule that falls to 0, as a cosine.
/// Groups at other rates take steps in their proportion, and one at 0 stays as it is, moments included. A group's momentum is β₁. Four moments, m, v, s and w₁ - w, and three numbers, d, D and n.
public struct Prodigy: Optimizer, Equatable {
  /// `prodigy`.
  public var name: String { "prodigy" }
  /// Learning rate, β₁ and weight decay.
  public let defaults: Hyperparameters
  /// β₂, the decay rate of the moving mean square.
  public let beta2: Double
  /// ε, added to the root so that no step is unbounded.
  public let epsilon: Double
  /// d₀, what d is at first.
  public let initialDistance: Double
  /// c, a factor of the distance that is found.
  public let coefficient: Double
  /// By what factor d may grow in a step.
  public let growth: Double
  /// Whether the rate has Adam's bias correction.
  public let correctsBias: Bool
  /// Beside the rule.
  public var decayKind: WeightDecay.Kind { .decoupled }
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// m, v, s and w₁ - w.
  public var momentCount: Int { 4 }
  /// d, D and n.
  public var numberCount: Int { 3 }

  /// Learning rate 1, β₁ 0.9, β₂ 0.999, ε 1e-8, d₀ 1e-6, c 1, growth unbounded, no bias correction; no weight decay.
  public init() {
    defaults = Hyperparameters(learningRate: 1, momentum: 0.9)
    (beta2, epsilon, initialDistance, coefficient) = (0.999, 1e-8, 1e-6, 1)
    (growth, correctsBias, decayTargets) = (.infinity, false, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, a β is outside [0, 1), ε, d₀ or c not above
  ///   0, or growth not above 1.
  public init(
    learningRate: Double = 1, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    initialDistance: Double = 1e-6, coefficient: Double = 1, growth: Double = .infinity,
    correctsBias: Bool = false, weightDecay: Double = 0,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: beta1, weightDecay: weightDecay)
    try defaults.validate(for: "prodigy")
    try OptimizerError.checkFraction(beta2, "beta2", of: "prodigy")
    try OptimizerError.checkPositive(epsilon, "epsilon", of: "prodigy")
    try OptimizerError.checkPositive(initialDistance, "initial distance", of: "prodigy")
    try OptimizerError.checkPositive(coefficient, "coefficient", of: "prodigy")
    try OptimizerError.check(growth, .growth, "growth", of: "prodigy")
    (self.beta2, self.epsilon, self.initialDistance) = (beta2, epsilon, initialDistance)
    (self.coefficient, self.growth, self.correctsBias) = (coefficient, growth, correctsBias)
    self.decayTargets = decayTargets
  }

  /// Two passes over all parameters: sums, then steps.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    var numbers = store.optimizerNumbers
    if numbers[0] == 0 { (numbers[0], numbers[1]) = (initialDistance, initialDistance) }
    let distance = numbers[0]
    let beta3 = beta2.squareRoot()
    let sums = gather(
      store, groups, distance: distance, beta3: beta3, stepNumber: stepNumber, engine: engine)
    // Nothing but zero gradients so far.
    guard sums.sizes > 0 else { return }
    numbers[2] = beta3 * numbers[2] + sums.products
    if groups.contains(where: { $0.hyperparameters.learningRate > 0 }) {
      let found = coefficient * numbers[2] / sums.sizes
      if distance == initialDistance { numbers[0] = max(numbers[0], found) }
      numbers[1] = max(numbers[1], found)
      numbers[0] = min(numbers[1], numbers[0] * growth)
    }
    store.optimizerNumbers = numbers
    take(
      store, groups, distance: distance, epsilon: numbers[0] * epsilon, stepNumber: stepNumber,
      afterFinite: sums.areFinite, engine: engine)
  }

  private func rate(_ settings: Hyperparameters, _ distance: Double, _ stepNumber: Int) -> Double {
    let rate = distance * settings.learningRate
    guard correctsBias else { return rate }
    return rate * (1 - power(beta2, stepNumber)).squareRoot()
      / (1 - power(settings.momentum, stepNumber))
  }

  /// Updates m, v and s, and sums what d follows from.
  private func gather(
    _ store: ParameterStore, _ groups: [ParameterGroup], distance: Double, beta3: Double,
    stepNumber: Int, engine: Engine
  ) -> (products: Double, sizes: Double, areFinite: Bool) {
    var sums = (products: 0.0, sizes: 0.0, areFinite: true)
    // As in the package, a group that stands still learns nothing of the distance.
    for group in groups where group.hyperparameters.learningRate > 0 {
      let settings = group.hyperparameters
      let factor = distance / initialDistance * rate(settings, distance, stepNumber)
      let moments = SummedUpdate.prodigyMoments(
        beta1: settings.momentum, new1: (1 - settings.momentum) * distance, beta2: beta2,
        new2: (1 - beta2) * distance * distance, beta3: beta3, factor: factor)
      for range in group.ranges {
        let pass = store.pass(moments, over: range, on: engine)
        sums.products += factor * pass.sums.0
        sums.sizes += pass.sums.1
        sums.areFinite = sums.areFinite && pass.isFinite
      }
    }
    return sums
  }

  private func take(
    _ store: ParameterStore, _ groups: [ParameterGroup], distance: Double, epsilon: Double,
    stepNumber: Int, afterFinite: Bool, engine: Engine
  ) {
    for group in groups {
      let rate = rate(group.hyperparameters, distance, stepNumber)
      for part in group.parts(decayTargets) {
        for range in part.ranges {
          let pass = store.pass(
            .prodigyStep(rate: rate, decay: part.decay, epsilon: epsilon), over: range, on: engine)
          store.noteUpdate(of: range.count, isFinite: afterFinite && pass.isFinite)
        }
      }
    }
  }
}

extension Prodigy: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "prodigy",
    [
      .momentum, .beta2, .epsilon, .init("initial-distance", .number(.positive)),
      .init("coefficient", .number(.positive)), .init("growth", .number(.growth)),
      .init("corrects-bias", .flag), .weightDecay,
    ], decay: .own
  ) { given throws(OptimizerError) in
    let own = Prodigy()
    return try Prodigy(
      beta1: given.momentum ?? own.defaults.momentum, beta2: given.number("beta2") ?? own.beta2,
      epsilon: given.number("epsilon") ?? own.epsilon,
      initialDistance: given.number("initial-distance") ?? own.initialDistance,
      coefficient: given.number("coefficient") ?? own.coefficient,
      growth: given.number("growth") ?? own.growth,
      correctsBias: given.flag("corrects-bias") ?? own.correctsBias,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
