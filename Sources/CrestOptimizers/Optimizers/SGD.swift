public import CrestRuntime

/// Stochastic gradient descent with momentum (PyTorch's `SGD` without dampening).
///
///     v ← momentum · v + g
///     w ← w - rate · v, or with Nesterov w - rate · (g + momentum · v)
///
/// With L2 decay g is first g + decay · w; with decoupled decay w is first w · (1 - rate · decay).
/// One moment, v. The learning rate is outside of v, so a change acts at once (Smith's and
/// PyTorch's convention, not Caffe's).
public struct SGD: Optimizer, Equatable {
  /// `sgd`.
  public var name: String { "sgd" }
  /// Learning rate, momentum and weight decay.
  public let defaults: Hyperparameters
  /// Whether to use Nesterov momentum (Nesterov 1983).
  public let nesterov: Bool
  /// How weight decay enters a step.
  public let decayKind: WeightDecay.Kind
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// v.
  public var momentCount: Int { 1 }

  /// Learning rate 0.01, momentum 0.9, no Nesterov; no weight decay, and L2 on weights if a group
  /// has some.
  public init() {
    defaults = Hyperparameters(learningRate: 0.01, momentum: 0.9)
    nesterov = false
    decayKind = .l2
    decayTargets = .weights
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, the momentum is
  ///   outside [0, 1), or Nesterov momentum has momentum 0.
  public init(
    learningRate: Double = 0.01, momentum: Double = 0.9, nesterov: Bool = false,
    weightDecay: Double = 0, decayKind: WeightDecay.Kind = .l2,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
    try defaults.validate(for: "sgd")
    guard !nesterov || momentum > 0 else { throw .nesterovWithoutMomentum }
    self.nesterov = nesterov
    self.decayKind = decayKind
    self.decayTargets = decayTargets
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    apply(store, groups, engine: engine) { .sgd(momentum: $0, nesterov: nesterov) }
  }
}

extension SGD: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "sgd", [.momentum, .nesterov, .weightDecay], torch: "SGD", keras: "SGD", fastai: "SGD"
  ) { given throws(OptimizerError) in
    let own = SGD()
    return try SGD(
      momentum: given.momentum ?? own.defaults.momentum,
      nesterov: given.flag("nesterov") ?? own.nesterov,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayKind: given.decayKind ?? own.decayKind,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
