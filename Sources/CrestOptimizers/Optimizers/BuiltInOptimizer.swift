/// The optimisers that come with the library, by name.
public enum BuiltInOptimizer: String, Sendable, CaseIterable {
  /// ``SGD``.
  case sgd
  /// ``Adam``.
  case adam
  /// ``AdamW``.
  case adamw

  /// The optimiser of a name.
  ///
  /// - Throws: ``OptimizerError/unknownName(_:)`` listing the known ones.
  public static func named(_ name: String) throws(OptimizerError) -> BuiltInOptimizer {
    guard let optimizer = BuiltInOptimizer(rawValue: name) else { throw .unknownName(name) }
    return optimizer
  }

  /// Makes the optimiser with its own values for what is nil.
  ///
  /// - Parameters:
  ///   - momentum: Momentum, or β₁.
  ///   - weightDecay: How strongly parameters are pulled to 0.
  ///   - decayKind: How weight decay enters a step.
  ///   - decayTargets: Which parameters it pulls.
  /// - Returns: The optimiser, at its own learning rate.
  /// - Throws: ``OptimizerError`` when a number has no meaning, or L2 is asked of AdamW, which is
  ///   Adam then.
  public func make(
    momentum: Double? = nil, weightDecay: Double? = nil, decayKind: WeightDecayKind? = nil,
    decayTargets: WeightDecayTargets? = nil
  ) throws(OptimizerError) -> any Optimizer {
    switch self {
    case .sgd:
      let standard = SGD()
      return try SGD(
        momentum: momentum ?? standard.defaults.momentum,
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
    }
  }
}
