public import CrestRuntime

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019; PyTorch's `AdamW`, fastai's `Adam`).
///
///     w ← w · (1 - rate · decay), then the step of ``Adam``
public struct AdamW: Optimizer, Equatable {
  /// `adamw`.
  public var name: String { "adamw" }
  private let adam: Adam
  /// Learning rate, β₁ and weight decay.
  public var defaults: Hyperparameters { adam.defaults }
  /// β₂, the decay rate of the moving mean square.
  public var beta2: Double { adam.beta2 }
  /// ε, added to the root so that no step is unbounded.
  public var epsilon: Double { adam.epsilon }
  /// Decoupled.
  public var decayKind: WeightDecay.Kind { adam.decayKind }
  /// Which parameters weight decay applies to.
  public var decayTargets: WeightDecay.Targets { adam.decayTargets }
  /// m and s.
  public var momentCount: Int { adam.momentCount }

  /// As ``Adam/init()``, with decoupled weight decay 0.01.
  public init() { adam = Adam(decoupledWeightDecay: 0.01) }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` as ``Adam`` does.
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0.01,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    adam = try Adam(
      checking: "adamw",
      Hyperparameters(learningRate: learningRate, momentum: beta1, weightDecay: weightDecay),
      beta2: beta2, epsilon: epsilon, decayKind: .decoupled, decayTargets: decayTargets)
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    adam.step(store, groups, stepNumber: stepNumber, engine: engine)
  }
}

extension AdamW: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "adamw",
    [.momentum, .beta2, .init("epsilon", .number(.notNegative)), .weightDecay],
    decay: .decoupled, torch: "AdamW", keras: "AdamW", fastai: "Adam"
  ) { given throws(OptimizerError) in
    let own = AdamW()
    return try AdamW(
      beta1: given.momentum ?? own.defaults.momentum, beta2: given.number("beta2") ?? own.beta2,
      epsilon: given.number("epsilon") ?? own.epsilon,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
