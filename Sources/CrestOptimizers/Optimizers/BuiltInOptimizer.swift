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
  ///   Nesterov momentum for another than SGD.
  public func make(
    momentum: Double? = nil, nesterov: Bool = false, weightDecay: Double? = nil,
    decayKind: WeightDecay.Kind? = nil,
    decayTargets: WeightDecay.Targets? = nil
  ) throws(OptimizerError) -> any Optimizer {
    guard !nesterov || self == .sgd else { throw .nesterovOfOther(rawValue) }
    switch self {
    case .sgd:
      let standard = SGD()
      return try SGD(
        momentum: momentum ?? standard.defaults.momentum, nesterov: nesterov,
        weightDecay: weightDecay ?? standard.defaults.weightDecay,
        decayKind: decayKind ?? standard.decayKind,
        decayTargets: decayTargets ?? standard.decayTargets)
    case .adam:
      let standard = Adam()
      return try Adam(
        beta1: momentum ?? standard.defaults.momentum,
        weightDecay: weightDecay ?? standard.defaults.weightDecay,
        decayKind: decayKind ?? standard.decayKind,
        decayTargets: decayTargets ?? standard.decayTargets)
    case .adamw:
      guard decayKind != .l2 else { throw .decoupledOnly }
      let standard = AdamW()
      return try AdamW(
        beta1: momentum ?? standard.defaults.momentum,
        weightDecay: weightDecay ?? standard.defaults.weightDecay,
        decayTargets: decayTargets ?? standard.decayTargets)
    case .lion:
      let standard = Lion()
      return try Lion(
        beta1: momentum ?? standard.defaults.momentum,
        weightDecay: weightDecay ?? standard.defaults.weightDecay,
        decayKind: decayKind ?? standard.decayKind,
        decayTargets: decayTargets ?? standard.decayTargets)
    }
  }
}
