import CCrestKernels
import CrestPlatform
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
  /// RMSprop; two moments, the mean square and the momentum, and the mean if centred. The mean square begins at `start`.
  case rmsprop(
    alpha: Double, momentum: Float, epsilon: Epsilon, start: Float, ratesMomentum: Bool,
    centred: Bool, step: Int)
  /// Adagrad (Duchi et al. 2011); one moment, the sum of squares, from `start`.
  case adagrad(rateDecay: Double, epsilon: Epsilon, start: Float, step: Int)
  /// Adadelta (Zeiler 2012); two moments, the mean squares of gradients and of steps.
  case adadelta(rho: Double, epsilon: Double)
  /// NAdam (Dozat 2016); two moments.
  case nadam(beta1: Float, beta2: Double, epsilon: Double, momentumDecay: Double, step: Int)
  /// RAdam (Liu et al. 2020); two moments.
  case radam(beta1: Float, beta2: Double, epsilon: Double, step: Int)
  /// Adan (Xie et al. 2022), with its own proximal decay; four moments.
  case adan(
    beta1: Double, beta2: Double, beta3: Double, epsilon: Double, decay: Double, step: Int)
  /// Adam by the largest mean square so far (Reddi et al. 2018); three moments.
  case amsgrad(beta1: Float, beta2: Float, epsilon: Float, step: Int)
  /// Adam by the infinity norm (Kingma & Ba 2015); two moments.
  case adamax(beta1: Double, beta2: Double, epsilon: Double, step: Int)
  /// Schedule-free SGD (Defazio et al. 2024); one moment, z - x. `part` is c, with which z enters x.
  case scheduleFreeSGD(beta: Double, part: Double)
  /// Schedule-free AdamW, with its own decay; two moments.
  case scheduleFreeAdamW(
    beta: Double, beta2: Double, epsilon: Double, decay: Double, part: Double, step: Int)

  /// Where what keeps a division from 0 is added.
  public enum Epsilon: Sendable, Hashable {
    /// √s + ε.
    case beside(Double)
    /// √(s + ε).
    case inRoot(Double)

    fileprivate var inRoot: Float { if case .inRoot(let value) = self { Float(value) } else { 0 } }
    fileprivate var beside: Float { if case .beside(let value) = self { Float(value) } else { 0 } }
  }

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
    case .rmsprop(
      let alpha, let momentum, let epsilon, let start, let ratesMomentum, let centred, let step):
      Self.row(
        centred ? CK_RULE_RMSPROP_CENTRED : CK_RULE_RMSPROP, Float(alpha), Float(1 - alpha),
        momentum, epsilon.inRoot, epsilon.beside, step == 1 ? start : 0, ratesMomentum ? 1 : 0)
    case .adagrad(let rateDecay, let epsilon, let start, let step):
      Self.row(
        CK_RULE_ADAGRAD, epsilon.inRoot, epsilon.beside, step == 1 ? start : 0,
        Float(1 / (1 + Double(step - 1) * rateDecay)))
    case .adadelta(let rho, let epsilon):
      Self.row(CK_RULE_ADADELTA, Float(rho), Float(1 - rho), Float(epsilon))
    case .nadam(let beta1, let beta2, let epsilon, let decay, let step):
      Self.nadam(Double(beta1), beta2, epsilon, decay, step)
    case .radam(let beta1, let beta2, let epsilon, let step):
      Self.radam(Double(beta1), beta2, epsilon, step)
    case .adan(let beta1, let beta2, let beta3, let epsilon, let decay, let step):
      Self.row(
        CK_RULE_ADAN, Float(beta1), Float(1 - beta1), Float(beta2), Float(1 - beta2), Float(beta3),
        Float(1 - beta3), Float(1 / (1 - power(beta1, step))), Float(1 / (1 - power(beta2, step))),
        Float(1 / (1 - power(beta3, step)).squareRoot()), Float(epsilon), Float(decay),
        step == 1 ? 0 : 1)
    case .amsgrad(let beta1, let beta2, let epsilon, let step):
      Self.row(
        CK_RULE_AMSGRAD, beta1, beta2, epsilon, Self.correction(beta1, step),
        Self.correction(beta2, step))
    case .adamax(let beta1, let beta2, let epsilon, let step):
      Self.row(
        CK_RULE_ADAMAX, Float(beta1), Float(1 - beta1), Float(beta2), Float(epsilon),
        Float(1 - power(beta1, step)))
    case .scheduleFreeSGD(let beta, let part):
      Self.row(CK_RULE_SCHEDULE_FREE_SGD, Float(beta), Float(1 - part))
    case .scheduleFreeAdamW(let beta, let beta2, let epsilon, let decay, let part, let step):
      Self.row(
        CK_RULE_SCHEDULE_FREE_ADAMW, Float(beta), Float(1 - part), Float(beta2), Float(1 - beta2),
        Float(epsilon), Float(1 - power(beta2, step)), Float(decay))
    }
  }

  /// The number of the step that it is for; nil where that doesn't matter.
  fileprivate var step: Int? {
    switch self {
    case .adam(_, _, _, let step), .rmsprop(_, _, _, _, _, _, let step),
      .adagrad(_, _, _, let step), .nadam(_, _, _, _, let step), .radam(_, _, _, let step),
      .adan(_, _, _, _, _, let step), .amsgrad(_, _, _, let step), .adamax(_, _, _, let step),
      .scheduleFreeAdamW(_, _, _, _, _, let step):
      step
    case .sgd, .lion, .adadelta, .scheduleFreeSGD: nil
    }
  }

  private static func nadam(
    _ beta1: Double, _ beta2: Double, _ epsilon: Double, _ decay: Double, _ step: Int
  ) -> ck_update {
    func momentum(_ step: Int) -> Double { beta1 * (1 - 0.5 * pow(0.96, Double(step) * decay)) }
    func product(_ step: Int) -> Double {
      power(beta1, step) * exp(nadamLogarithm(decay: decay, steps: step))
    }
    return row(
      CK_RULE_NADAM, Float(beta1), Float(1 - beta1), Float(beta2), Float(1 - beta2), Float(epsilon),
      Float(1 - power(beta2, step)), Float((1 - momentum(step)) / (1 - product(step))),
      Float(momentum(step + 1) / (1 - product(step + 1))))
  }

  /// Σ log(1 - ½ qⁱ) for q = 0.96^decay and i from 1 to `steps`, by the series of the logarithm: its terms, (½ qⁱ)ᵏ / k,
  /// are geometric in i, and those beyond k = 60 are nothing.
  private static func nadamLogarithm(decay: Double, steps: Int) -> Double {
    let logarithm = decay * log(0.96)
    var sum = 0.0
    var half = 1.0
    for k in 1...60 {
      half *= 0.5
      let exponent = Double(k) * logarithm
      let ratio =
        exponent == 0
        ? Double(steps) : exp(exponent) * expm1(exponent * Double(steps)) / expm1(exponent)
      sum -= half / Double(k) * ratio
    }
    return sum
  }

  private static func radam(
    _ beta1: Double, _ beta2: Double, _ epsilon: Double, _ step: Int
  ) -> ck_update {
    let power2 = power(beta2, step)
    let limit = 2 / (1 - beta2) - 1
    let length = limit - 2 * Double(step) * power2 / (1 - power2)
    let rectified =
      length > 5
      ? ((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
        * (1 - power2)).squareRoot() : 0
    return row(
      CK_RULE_RADAM, Float(beta1), Float(1 - beta1), Float(beta2), Float(1 - beta2), Float(epsilon),
      Float(1 - power(beta1, step)), Float(rectified))
  }

  private static func row(
    _ rule: ck_rule, _ a: Float, _ b: Float, _ c: Float = 0, _ d: Float = 0, _ e: Float = 0,
    _ f: Float = 0, _ g: Float = 0, _ h: Float = 0, _ i: Float = 0, _ j: Float = 0,
    _ k: Float = 0, _ l: Float = 0
  ) -> ck_update {
    ck_update(rule: rule, rate: 0, l2: 0, decay: 0, p: (a, b, c, d, e, f, g, h, i, j, k, l))
  }

  /// The kernel's settings.
  fileprivate func settings(rate: Float, l2: Float, decay: Float) -> ck_update {
    var update = row
    (update.rate, update.l2, update.decay) = (rate, l2, decay)
    return update
  }

  /// 1 - βᵗ, in `Double` so that the first steps lose no digits.
  private static func correction(_ beta: Float, _ step: Int) -> Float {
    Float(1 - power(Double(beta), step))
  }
}

/// βᵗ.
package func power(_ beta: Double, _ step: Int) -> Double {
  var power = 1.0
  var base = beta
  var exponent = step
  while exponent > 0 {
    if exponent & 1 == 1 { power *= base }
    base *= base
    exponent >>= 1
  }
  return power
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
    if let step = rule.step {
      programmerError(unless: step >= 1, "step \(step) of a rule; the first is 1")
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
        moment(2), moment(3), address(.parameters) + start, &nonfinite)
    }
    noteUpdate(of: range.count, isFinite: nonfinite == 0)
  }
}
