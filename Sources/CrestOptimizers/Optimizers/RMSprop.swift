public import CrestRuntime

/// Steps divided by a running root mean square of the gradients (Hinton 2012; PyTorch's and Keras's `RMSprop`, timm's
/// `RMSpropTF`).
///
///     s ← α s + (1 - α) g²
///     b ← momentum · b + g / d
///     w ← w - rate · b
///
/// The three libraries differ in d, and in more, which ``Convention`` names. Centred, the mean square is less the square
/// of a running mean of the gradients: a variance. With L2 decay g is first g + decay · w; with decoupled decay w is first
/// w · (1 - rate · decay). Nothing is corrected for its start at 0. Two moments, s and b; centred also the mean. A group's
/// momentum is that of b.
public struct RMSprop: Optimizer, Equatable {
  /// Whose numbers it gives.
  public enum Convention: String, Sendable, Hashable, CaseIterable {
    /// d = √s + ε, and α 0.99.
    case torch
    /// d = √(s + ε), and α 0.9.
    case keras
    /// d = √(s + ε), s begins at 1, the rate goes into b, and α 0.9: TensorFlow's first optimiser, with which EfficientNets
    /// were trained, as timm has it.
    case tensorFlow

    /// α, and ε.
    fileprivate var standard: (alpha: Double, epsilon: Double) {
      switch self {
      case .torch: (0.99, 1e-8)
      case .keras: (0.9, 1e-7)
      case .tensorFlow: (0.9, 1e-10)
      }
    }
  }

  /// `rmsprop`.
  public var name: String { "rmsprop" }
  /// Learning rate, momentum and weight decay.
  public let defaults: Hyperparameters
  /// Whose numbers it gives.
  public let convention: Convention
  /// α, the decay rate of the mean square.
  public let alpha: Double
  /// ε, so that no step is unbounded.
  public let epsilon: Double
  /// Whether the mean of the gradients is subtracted.
  public let centred: Bool
  /// How weight decay enters a step.
  public let decayKind: WeightDecay.Kind
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// s, b, and centred the mean of the gradients.
  public var momentCount: Int { centred ? 3 : 2 }

  /// PyTorch's: learning rate 0.01, α 0.99, ε 1e-8, no momentum; no weight decay, and L2 on weights if a group has some.
  public init() {
    defaults = Hyperparameters(learningRate: 0.01, momentum: 0)
    (convention, alpha, epsilon, centred) = (.torch, 0.99, 1e-8, false)
    (decayKind, decayTargets) = (.l2, .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``, α and ε those of the convention.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, α or the momentum outside [0, 1), or ε not
  ///   above 0.
  public init(
    learningRate: Double = 0.01, momentum: Double = 0, alpha: Double? = nil, epsilon: Double? = nil,
    centred: Bool = false, convention: Convention = .torch, weightDecay: Double = 0,
    decayKind: WeightDecay.Kind = .l2, decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
    try defaults.validate(for: "rmsprop")
    self.alpha = alpha ?? convention.standard.alpha
    self.epsilon = epsilon ?? convention.standard.epsilon
    try OptimizerError.checkFraction(self.alpha, "alpha", of: "rmsprop")
    try OptimizerError.checkPositive(self.epsilon, "epsilon", of: "rmsprop")
    (self.centred, self.convention) = (centred, convention)
    (self.decayKind, self.decayTargets) = (decayKind, decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { momentum in
      .rmsprop(
        alpha: alpha, momentum: momentum,
        epsilon: convention == .torch ? .beside(epsilon) : .inRoot(epsilon),
        start: convention == .tensorFlow ? 1 : 0, ratesMomentum: convention == .tensorFlow,
        centred: centred, step: stepNumber)
    }
  }
}

extension RMSprop: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "rmsprop",
    [
      .momentum, .init("alpha", .number(.fraction)), .epsilon, .init("centred", .flag),
      .init("convention", .choice(Convention.allCases.map(\.rawValue))), .weightDecay,
    ], torch: "RMSprop", keras: "RMSprop", fastai: "RMSProp"
  ) { given throws(OptimizerError) in
    let own = RMSprop()
    return try RMSprop(
      momentum: given.momentum ?? own.defaults.momentum, alpha: given.number("alpha"),
      epsilon: given.number("epsilon"), centred: given.flag("centred") ?? own.centred,
      convention: given.choice("convention") ?? own.convention,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayKind: given.decayKind ?? own.decayKind,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
