public import CrestRuntime

/// SGD that needs no schedule, as it predicts with an average of its weights (Defazio and others 2024; `schedulefree`'s
/// `SGDScheduleFree`).
///
///     y = β x + (1 - β) z              gradients are of y, which the model holds while it trains
///     z ← z - rate (g + decay · y)
///     x ← (1 - c) x + c z              c = r² / Σ r² over the steps, of the highest rate r up to each
///
/// From validation to the next epoch and after the fit the model has x, so that what is measured, saved by its results and
/// used is the average; running statistics of batch norm are of y, for which `RecomputeBatchNormStatistics` helps. Let
/// the rate rise in the first steps (a warm-up), and then be constant: a schedule that lowers it defeats the purpose. The rate is
/// 1 to 10 times that of ``SGD`` with momentum. β doesn't follow schedules of the momentum. Nothing is corrected; weight decay is L2, at y, and
/// of no other kind. One moment, z - x, and two numbers, Σ r² and r.
public struct ScheduleFreeSGD: Optimizer, Equatable {
  /// `schedule-free-sgd`.
  public var name: String { "schedule-free-sgd" }
  /// Learning rate, β and weight decay.
  public let defaults: Hyperparameters
  /// As L2.
  public var decayKind: WeightDecay.Kind { .l2 }
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// z - x.
  public var momentCount: Int { 1 }
  /// Σ r² and r.
  public var numberCount: Int { ScheduleFreeAverage.numberCount }

  private var average: ScheduleFreeAverage { ScheduleFreeAverage(beta: defaults.momentum) }

  /// Learning rate 0.1, β 0.9; no weight decay.
  public init() {
    defaults = Hyperparameters(learningRate: 0.1, momentum: 0.9)
    decayTargets = .weights
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, or β is outside [0, 1).
  public init(
    learningRate: Double = 0.1, beta: Double = 0.9, weightDecay: Double = 0,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: beta, weightDecay: weightDecay)
    try defaults.validate(for: "schedule-free-sgd")
    self.decayTargets = decayTargets
  }

  /// One fused pass over each range.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    let part = average.part(store, groups)
    for group in groups {
      group.apply(store, decayTargets, engine: engine, l2: true) { _ in
        .scheduleFreeSGD(beta: defaults.momentum, part: part)
      }
    }
  }
}

extension ScheduleFreeSGD: AveragingOptimizer {
  package func toAverage(_ store: ParameterStore) { average.move(store, toAverage: true) }
  package func toTraining(_ store: ParameterStore) { average.move(store, toAverage: false) }
}

extension ScheduleFreeSGD: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "schedule-free-sgd", [.momentum, .weightDecay], decay: .own
  ) { given throws(OptimizerError) in
    let own = ScheduleFreeSGD()
    return try ScheduleFreeSGD(
      beta: given.momentum ?? own.defaults.momentum,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
