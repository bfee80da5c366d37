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
/// proportion. With weight decay, which is L2 and of no other kind, g is first g + decay · w. There is no ε and no
/// correction. Two moments, s and w₁ - w, and three numbers, d, the sum and ‖g₁‖; one thread makes two passes over all
/// parameters.
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

  /// Two passes over all parameters: sums, then steps.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    var numbers = store.optimizerNumbers
    if numbers[0] == 0 { numbers[0] = initialDistance }
    if numbers[2] == 0 {
      var squares = 0.0
      forEach(store, groups) { squares += Double($0.gradient) * Double($0.gradient) }
      numbers[2] = squares.squareRoot()
    }
    // Gradients of zero tell nothing of the distance.
    guard numbers[2] > 0 else { return }
    let scale = numbers[0] / numbers[2]
    var (numerator, squares) = (0.0, 0.0)
    forEach(store, groups) { element in
      let (gradient, step) = (element.gradient, scale * element.rate)
      let sum = Double(element.first)
      numerator += step * Double(gradient) * sum
      let next = Float(sum + step * Double(gradient))
      element.first = next
      squares += Double(next) * Double(next)
    }
    numbers[1] += numerator
    if squares > 0, groups.contains(where: { $0.hyperparameters.learningRate > 0 }) {
      let found = 2 * numbers[1] / squares.squareRoot()
      numbers[0] = max(numbers[0], min(found, numbers[0] * growth))
    }
    store.optimizerNumbers = numbers
    forEach(store, groups) { element in
      let part = Float(1 - element.momentum)
      let move = part * (element.second - element.first)
      element.weight += move
      element.second -= move
    }
  }

  private func forEach(
    _ store: ParameterStore, _ groups: [ParameterGroup],
    _ body: (inout AdaptingElement) -> Void
  ) {
    AdaptingElement.forEach(of: store, groups, decayTargets, moments: (0, 1), body)
  }
}

/// An element of a parameter and its moments, as rules see it that sum over all parameters.
struct AdaptingElement {
  /// w.
  var weight: Float
  /// Of the loss, and of L2.
  let gradient: Float
  /// The first moment.
  var first: Float
  /// The second.
  var second: Float
  /// The group's.
  let rate: Double
  let momentum: Double

  /// Calls `body` with each element of the groups, which may change the weight and both moments.
  static func forEach(
    of store: ParameterStore, _ groups: [ParameterGroup], _ targets: WeightDecay.Targets,
    moments: (first: Int, second: Int), _ body: (inout AdaptingElement) -> Void
  ) {
    store.withBuffer(.parameters) { weights in
      store.withBuffer(.gradients) { gradients in
        store.withBuffer(.moments(moments.first)) { first in
          store.withBuffer(.moments(moments.second)) { second in
            for group in groups {
              let settings = group.hyperparameters
              func pass(_ ranges: [Range<Int>], _ decay: Float) {
                for index in ranges.joined() {
                  var element = AdaptingElement(
                    weight: weights[index], gradient: gradients[index] + decay * weights[index],
                    first: first[index], second: second[index], rate: settings.learningRate,
                    momentum: settings.momentum)
                  body(&element)
                  weights[index] = element.weight
                  first[index] = element.first
                  second[index] = element.second
                }
              }
              pass(group.weightRanges, Float(settings.weightDecay))
              pass(group.otherRanges, targets == .all ? Float(settings.weightDecay) : 0)
            }
          }
        }
      }
    }
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
