public import CrestRuntime

/// The optimisers that come with the library, by name.
public enum BuiltInOptimizer: String, Sendable, CaseIterable {
  /// ``SGD``.
  case sgd
  /// ``Adam``.
  case adam
  /// ``AdamW``.
  case adamw
  /// ``Lion``.
  case lion
  /// ``RMSprop``.
  case rmsprop
  /// ``Adagrad``.
  case adagrad
  /// ``Adadelta``.
  case adadelta
  /// ``NAdam``.
  case nadam
  /// ``RAdam``.
  case radam
  /// ``LAMB``.
  case lamb
  /// ``LARS``.
  case lars
  /// ``Adafactor``.
  case adafactor
  /// ``Adan``.
  case adan

  /// The optimiser with a name.
  ///
  /// - Throws: ``OptimizerError/unknownName(_:)`` listing the known ones.
  public static func named(_ name: String) throws(OptimizerError) -> BuiltInOptimizer {
    guard let optimizer = BuiltInOptimizer(rawValue: name) else { throw .unknownName(name) }
    return optimizer
  }

  /// Makes the optimiser with its default values for arguments that are nil.
  ///
  /// - Parameters:
  ///   - momentum: Momentum, or β₁.
  ///   - nesterov: Whether to use Nesterov momentum, which only SGD has.
  ///   - weightDecay: The weight decay.
  ///   - decayKind: How weight decay enters a step.
  ///   - decayTargets: Which parameters it applies to.
  /// - Returns: The optimiser, at its default learning rate.
  /// - Throws: ``OptimizerError`` if a number is out of range, L2 is requested for AdamW, which would then be Adam, or
  ///   something is given that the optimiser doesn't have.
  public func make(
    momentum: Double? = nil, nesterov: Bool = false, weightDecay: Double? = nil,
    decayKind: WeightDecay.Kind? = nil,
    decayTargets: WeightDecay.Targets? = nil
  ) throws(OptimizerError) -> any Optimizer {
    guard !nesterov || self == .sgd else { throw .nesterovOfOther(rawValue) }
    return try type.make(
      OptimizerSettings(
        momentum: momentum, nesterov: nesterov, weightDecay: weightDecay, decayKind: decayKind,
        decayTargets: decayTargets))
  }

  private var type: any NamedOptimizer.Type {
    switch self {
    case .sgd: SGD.self
    case .adam: Adam.self
    case .adamw: AdamW.self
    case .lion: Lion.self
    case .rmsprop: RMSprop.self
    case .adagrad: Adagrad.self
    case .adadelta: Adadelta.self
    case .nadam: NAdam.self
    case .radam: RAdam.self
    case .lamb: LAMB.self
    case .lars: LARS.self
    case .adafactor: Adafactor.self
    case .adan: Adan.self
    }
  }
}

/// What is given of an optimiser that is made by its name; nil for its own.
struct OptimizerSettings {
  let momentum: Double?
  let nesterov: Bool
  let weightDecay: Double?
  let decayKind: WeightDecay.Kind?
  let decayTargets: WeightDecay.Targets?
}

/// An optimiser that has a name.
protocol NamedOptimizer: Optimizer {
  /// Makes it with what is given.
  static func make(_ given: OptimizerSettings) throws(OptimizerError) -> Self
}
