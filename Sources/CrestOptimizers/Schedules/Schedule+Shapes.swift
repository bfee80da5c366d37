extension Schedule {
  /// The same value in every step.
  ///
  /// - Throws: ``ScheduleError`` unless `value` is finite and at least 0.
  public static func constant(_ value: Double) throws(ScheduleError) -> Schedule {
    try ScheduleCheck(schedule: "constant").notNegative(value, "value")
    return Schedule(form: .constant(value))
  }

  /// A straight line over the run: `from (1 - p) + to p`.
  ///
  /// - Throws: ``ScheduleError`` unless both ends are finite and at least 0.
  public static func linear(from: Double, to: Double) throws(ScheduleError) -> Schedule {
    try ramp(.annealing(.linear), "linear", from: from, to: to)
  }

  /// Half a period of a cosine over the run: `to + (from - to) (1 + cos πp) / 2`.
  ///
  /// fastai's `SchedCos`; with `to` = 0, one cycle of SGDR (arXiv:1608.03983).
  ///
  /// - Throws: ``ScheduleError`` unless both ends are finite and at least 0.
  public static func cosine(from: Double, to: Double) throws(ScheduleError) -> Schedule {
    try ramp(.annealing(.cosine), "cosine", from: from, to: to)
  }

  /// A constant ratio between steps: `from (to / from)ᵖ`.
  ///
  /// fastai's `SchedExp`.
  ///
  /// - Throws: ``ScheduleError`` unless both ends are finite and above 0.
  public static func exponential(from: Double, to: Double) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "exponential")
    try check.positive(from, "from")
    try check.positive(to, "to")
    return Schedule(form: .ramp(.exponential, from: from, to: to))
  }

  /// A power of the position: `from + (to - from) p^power`.
  ///
  /// fastai's `SchedPoly`.
  ///
  /// - Throws: ``ScheduleError`` unless both ends are finite and at least 0 and `power` is finite
  ///   and above 0.
  public static func polynomial(
    from: Double, to: Double, power: Double
  ) throws(ScheduleError) -> Schedule {
    try ScheduleCheck(schedule: "polynomial").positive(power, "power")
    return try ramp(.polynomial(power: power), "polynomial", from: from, to: to)
  }

  /// A power of what is left of the run: `to + (from - to) (1 - p)^power`.
  ///
  /// PyTorch's `PolynomialLR` (with `to` = 0), Keras's `PolynomialDecay`.
  ///
  /// - Throws: ``ScheduleError`` unless both ends are finite and at least 0 and `power` is finite
  ///   and above 0.
  public static func polynomialDecay(
    from: Double, to: Double = 0, power: Double
  ) throws(ScheduleError) -> Schedule {
    try ScheduleCheck(schedule: "polynomial decay").positive(power, "power")
    return try ramp(.polynomialDecay(power: power), "polynomial decay", from: from, to: to)
  }

  /// A hyperbolic tangent over the run: `to + (from - to) (1 - tanh(lower (1 - p) + upper p)) / 2`.
  ///
  /// Both ends are reached but for what the tangent lacks there. A logistic curve is the same with bounds of twice the
  /// size.
  ///
  /// - Throws: ``ScheduleError`` unless both ends are finite and at least 0, and the bounds finite and in order.
  ///
  /// Hsueh et al., "Stochastic gradient descent with hyperbolic-tangent decay" (arXiv:1806.01593); timm's
  /// `TanhLRScheduler`.
  public static func tanh(
    from: Double, to: Double, lower: Double = -7, upper: Double = 3
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "tanh")
    try check.require(lower.isFinite, lower, "lower", "a finite number")
    try check.require(
      upper.isFinite && upper > lower, upper, "upper", "a finite number above \(lower)")
    return try ramp(.tanh(lower: lower, upper: upper), "tanh", from: from, to: to)
  }

  /// Triangular cycles of a fixed number of steps, between `from` and `to`.
  ///
  ///     value = from + (to - from) height scale
  ///
  /// where `height` goes from 0 to 1 in `stepsUp` steps and back in `stepsDown`. A momentum that
  /// moves opposite to the learning rate goes from its higher to its lower value.
  ///
  /// - Parameters:
  ///   - from: The value at the beginning of a cycle.
  ///   - to: The value at its peak, before scaling.
  ///   - stepsUp: Steps from the beginning to the peak.
  ///   - stepsDown: Steps from the peak to the next beginning; nil for as many as `stepsUp`.
  ///   - scale: How the height changes over time.
  /// - Returns: The schedule.
  /// - Throws: ``ScheduleError`` unless the ends are finite and at least 0, the counts at least 1,
  ///   and `gamma` is above 0 and at most 1.
  ///
  /// Sources: L. N. Smith, "Cyclical learning rates" (arXiv:1506.01186);
  /// `torch.optim.lr_scheduler.CyclicLR`.
  public static func triangular(
    from: Double, to: Double, stepsUp: Int, stepsDown: Int? = nil, scale: CycleScale = .constant
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "triangular")
    let stepsDown = stepsDown ?? stepsUp
    try check.notNegative(from, "from")
    try check.notNegative(to, "to")
    try check.stepCount(stepsUp, "stepsUp")
    try check.stepCount(stepsDown, "stepsDown")
    if case .exponential(let gamma) = scale {
      try check.factor(gamma, "gamma")
    }
    return Schedule(
      form: .triangular(
        from: from, to: to, stepsUp: stepsUp, stepsDown: stepsDown, scale: scale))
  }

  /// A multiplication by `factor` after every `every` steps: `from factor^⌊k / every⌋`.
  ///
  /// PyTorch's `StepLR`.
  ///
  /// - Throws: ``ScheduleError`` unless `from` is finite and at least 0, `factor` above 0 and at
  ///   most 1, `every` at least 1.
  public static func stepDecay(
    from: Double, factor: Double, every: Int
  ) throws(ScheduleError) -> Schedule {
    let check = try decayCheck(from: from, factor: factor)
    try check.stepCount(every, "every")
    return Schedule(form: .stepDecay(from: from, factor: factor, every: every))
  }

  /// A multiplication by `factor` at each of some points of the run: `from factor^(number of points
  /// ≤ p)`.
  ///
  /// PyTorch's `MultiStepLR`, with the points as fractions of the run: `at: [0.5, 0.75]` is the
  /// classic schedule of residual networks.
  ///
  /// - Throws: ``ScheduleError`` unless `from` is finite and at least 0, `factor` above 0 and at
  ///   most 1, and the points increase from 0 to 1.
  public static func stepDecay(
    from: Double, factor: Double, at points: [Double]
  ) throws(ScheduleError) -> Schedule {
    let check = try decayCheck(from: from, factor: factor)
    for point in points { try check.fraction(point, "point") }
    guard zip(points, points.dropFirst()).allSatisfy(<) else {
      throw .milestonesNotIncreasing(points)
    }
    return Schedule(form: .milestoneDecay(from: from, factor: factor, at: points))
  }

  /// The learning rate of a 1cycle policy.
  public static func learningRate(of policy: OneCycle) -> Schedule {
    Schedule(form: .learningRate(policy))
  }

  /// The momentum of a 1cycle policy.
  public static func momentum(of policy: OneCycle) -> Schedule {
    Schedule(form: .momentum(policy))
  }

  private static func ramp(
    _ ramp: Ramp, _ name: String, from: Double, to: Double
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: name)
    try check.notNegative(from, "from")
    try check.notNegative(to, "to")
    return Schedule(form: .ramp(ramp, from: from, to: to))
  }

  private static func decayCheck(
    from: Double, factor: Double
  ) throws(ScheduleError) -> ScheduleCheck {
    let check = ScheduleCheck(schedule: "step decay")
    try check.notNegative(from, "from")
    try check.factor(factor, "factor")
    return check
  }
}
