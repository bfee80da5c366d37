import CCrestKernels
import CrestTensor

/// A fused optimiser pass: what one step does to a range of parameters.
public enum UpdateRule: Sendable, Hashable {
  /// v ← momentum · v + g; w ← w - rate · v, or with Nesterov rate · (g + momentum · v).
  ///
  /// PyTorch's SGD without dampening; one moment, v.
  case sgd(momentum: Float, nesterov: Bool)
  /// Adam (Kingma & Ba 2015); two moments, m and s, corrected for step number `step`, from 1.
  case adam(beta1: Float, beta2: Float, epsilon: Float, step: Int)
  /// Lion (Chen et al. 2023); one moment, m.
  case lion(beta1: Float, beta2: Float)

  /// The moment buffers the rule needs.
  public var momentCount: Int { ck_rule_moment_count(row.rule) }

  /// The kernel's rule and the coefficients that it names.
  private var row: ck_update {
    switch self {
    case .sgd(let momentum, let nesterov):
      Self.row(CK_RULE_SGD, momentum, nesterov ? 1 : 0)
    case .adam(let beta1, let beta2, let epsilon, let step):
      Self.row(
        CK_RULE_ADAM, beta1, beta2, epsilon, Self.correction(beta1, step),
        Self.correction(beta2, step))
    case .lion(let beta1, let beta2): Self.row(CK_RULE_LION, beta1, beta2)
    }
  }

  private static func row(
    _ rule: ck_rule, _ a: Float, _ b: Float, _ c: Float = 0, _ d: Float = 0, _ e: Float = 0
  ) -> ck_update { ck_update(rule: rule, rate: 0, l2: 0, decay: 0, p: (a, b, c, d, e, 0)) }

  /// The kernel's settings.
  fileprivate func settings(rate: Float, l2: Float, decay: Float) -> ck_update {
    var update = row
    (update.rate, update.l2, update.decay) = (rate, l2, decay)
    return update
  }

  /// 1 - βᵗ, in `Double` so that the first steps lose no digits.
  private static func correction(_ beta: Float, _ step: Int) -> Float {
    var power = 1.0
    var base = Double(beta)
    var exponent = step
    while exponent > 0 {
      if exponent & 1 == 1 { power *= base }
      base *= base
      exponent >>= 1
    }
    return Float(1 - power)
  }
}

/// How weight decay is applied.
public enum WeightDecay: Sendable, Hashable {
  /// g ← g + amount · w, before the rule: L2 regularisation.
  case l2(Float)
  /// w ← w · (1 - rate · amount), beside the rule (Loshchilov & Hutter 2019).
  case decoupled(Float)
}

extension ParameterStore {
  /// Updates parameters by their gradients in one fused pass, allocating nothing.
  ///
  /// - Parameters:
  ///   - range: Where in the flat buffers.
  ///   - learningRate: The step size.
  ///   - decay: The weight decay.
  ///   - rule: What a step does.
  ///   - engine: Whose threads to use.
  /// - Precondition: the store has the rule's moment buffers, and the range lies in the buffer.
  public func update(
    _ range: Range<Int>, learningRate: Float, decay: WeightDecay, by rule: UpdateRule,
    on engine: Engine
  ) {
    programmerError(
      unless: momentCount >= rule.momentCount,
      "the rule needs \(rule.momentCount) moments, the store has \(momentCount)")
    programmerError(
      unless: range.lowerBound >= 0 && range.upperBound <= withBuffer(.parameters, \.count),
      "range \(range) of \(withBuffer(.parameters, \.count)) parameters")
    let (l2, decoupled): (Float, Float) =
      switch decay {
      case .l2(let amount): (amount, 0)
      case .decoupled(let amount): (0, amount)
      }
    if case .adam(_, _, _, let step) = rule {
      programmerError(unless: step >= 1, "step \(step) of Adam; the first is 1")
    }
    let start = range.lowerBound
    func moment(_ number: Int) -> UnsafeMutablePointer<Float>? {
      number < rule.momentCount ? address(.moments(number)) + start : nil
    }
    var nonfinite: UInt32 = 0
    var settings = rule.settings(rate: learningRate, l2: l2, decay: decoupled)
    engine.exclusively {
      if let watch, case .sgd = rule, let velocity = moment(0) {
        self.watch?.sums += updateWatched(
          watch, &settings, count: range.count, gradients: address(.gradients) + start,
          velocity: velocity, parameters: address(.parameters) + start, nonfinite: &nonfinite,
          on: engine)
        return
      }
      engine.kernels.pointee.update_f32(
        engine.pool, range.count, &settings, address(.gradients) + start, moment(0), moment(1),
        address(.parameters) + start, &nonfinite)
    }
    noteUpdate(of: range.count, isFinite: nonfinite == 0)
  }
}
