import CrestPlatform

extension Schedule {
  /// How a value moves by the number of steps, whatever the length of the run: the part of the way from its end to its
  /// beginning, 1 at step 0.
  enum StepShape: Hashable, Sendable {
    case inverseSquareRoot(steps: Int)
    case inverseTime(rate: Double, every: Int, isStaircase: Bool)
    case exponential(factor: Double, every: Int)
    case cosineRestarts(cycle: Int, lengthFactor: Double, heightFactor: Double)
  }

  /// A fall with the root of the steps: `from √(s / (k + s))`, with `s` = `steps`.
  ///
  /// After a warm-up of `s` steps it is the schedule of most transformers. fairseq's `inverse_sqrt`, Hugging Face's
  /// `get_inverse_sqrt_schedule`.
  ///
  /// - Parameters:
  ///   - from: The value at step 0.
  ///   - steps: The steps in which it falls to 1/√2, as many as the warm-up has.
  /// - Returns: The schedule.
  /// - Throws: ``ScheduleError`` unless `from` is finite and at least 0, and `steps` at least 1.
  public static func inverseSquareRoot(
    from: Double, steps: Int
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "inverse square root")
    try check.notNegative(from, "from")
    try check.stepCount(steps, "steps")
    return Schedule(form: .steps(.inverseSquareRoot(steps: steps), from: from, to: 0))
  }

  /// The schedule of the first transformer: `peak min((k + 1) / w, √(w / (k + 1)))`, with `w` = `warmUpSteps`.
  ///
  /// The paper's `d^-½ min(n^-½, n w^-3/2)` for a model of width d has `peak` = 1 / √(d w).
  ///
  /// - Throws: ``ScheduleError`` unless `peak` is finite and at least 0, and `warmUpSteps` at least 1.
  ///
  /// Vaswani et al., "Attention is all you need" (arXiv:1706.03762), 5.3; burn's `NoamLrScheduler`.
  public static func noam(peak: Double, warmUpSteps: Int) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "noam")
    try check.notNegative(peak, "peak")
    try check.stepCount(warmUpSteps, "warmUpSteps")
    let fall = try inverseSquareRoot(from: peak, steps: warmUpSteps)
    // Steps are counted from 1 in the paper.
    guard warmUpSteps > 1 else { return fall }
    return try sequence([
      Part(.steps(warmUpSteps - 1), linear(from: peak / Double(warmUpSteps), to: peak)),
      Part(.rest, fall),
    ])
  }

  /// A fall with the inverse of time: `from / (1 + rate k / every)`, where a staircase rounds `k / every` down.
  ///
  /// Keras's `InverseTimeDecay`.
  ///
  /// - Throws: ``ScheduleError`` unless `from` and `rate` are finite and at least 0, and `every` at least 1.
  public static func inverseTime(
    from: Double, rate: Double, every: Int = 1, isStaircase: Bool = false
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "inverse time")
    try check.notNegative(from, "from")
    try check.notNegative(rate, "rate")
    try check.stepCount(every, "every")
    return Schedule(
      form: .steps(
        .inverseTime(rate: rate, every: every, isStaircase: isStaircase), from: from, to: 0))
  }

  /// A multiplication by `factor` in the course of every `every` steps: `from factor^(k / every)`.
  ///
  /// Keras's `ExponentialDecay`, whose staircase is ``stepDecay(from:factor:every:)``; PyTorch's `ExponentialLR` with
  /// `every` = 1. The ratio that reaches a given value at the end is ``exponential(from:to:)``.
  ///
  /// - Throws: ``ScheduleError`` unless `from` is finite and at least 0, `factor` above 0 and at most 1, `every` at
  ///   least 1.
  public static func exponentialDecay(
    from: Double, factor: Double, every: Int = 1
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "exponential decay")
    try check.notNegative(from, "from")
    try check.factor(factor, "factor")
    try check.stepCount(every, "every")
    return Schedule(
      form: .steps(.exponential(factor: factor, every: every), from: from, to: 0))
  }

  /// Half a cosine down in a number of steps, again and again.
  ///
  ///     to + (from - to) heightFactorⁱ (1 + cos πp) / 2
  ///
  /// in cycle i, which has `cycle · lengthFactorⁱ` steps, at its position `p`.
  ///
  /// - Parameters:
  ///   - from: The value at the beginning of the first cycle.
  ///   - to: The value at the end of each.
  ///   - cycle: The steps of the first cycle.
  ///   - lengthFactor: By how much each cycle is longer than the one before, at least 1.
  ///   - heightFactor: By how much it is as high, above 0 and at most 1.
  /// - Returns: The schedule.
  /// - Throws: ``ScheduleError`` naming the number that is out of range.
  ///
  /// Sources: Loshchilov and Hutter, "SGDR" (arXiv:1608.03983); `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`
  /// (`T_0`, `T_mult`); Keras's `CosineDecayRestarts` (`t_mul`, `m_mul`).
  public static func cosineRestarts(
    from: Double, to: Double = 0, cycle: Int, lengthFactor: Double = 1, heightFactor: Double = 1
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "cosine restarts")
    try check.notNegative(from, "from")
    try check.notNegative(to, "to")
    try check.stepCount(cycle, "cycle")
    try check.lengthFactor(lengthFactor, "lengthFactor")
    try check.factor(heightFactor, "heightFactor")
    return Schedule(
      form: .steps(
        .cosineRestarts(cycle: cycle, lengthFactor: lengthFactor, heightFactor: heightFactor),
        from: from, to: to))
  }
}

extension Schedule.StepShape {
  /// The value at a step.
  func value(from start: Double, to end: Double, step: Int) -> Double {
    let height = height(step)
    // A weighted sum makes both ends exact.
    return start * height + end * (1 - height)
  }

  private func height(_ step: Int) -> Double {
    switch self {
    case .inverseSquareRoot(let steps):
      return (Double(steps) / (Double(step) + Double(steps))).squareRoot()
    case .inverseTime(let rate, let every, let isStaircase):
      let time = isStaircase ? Double(step / every) : Double(step) / Double(every)
      return 1 / (1 + rate * time)
    case .exponential(let factor, let every):
      return pow(factor, Double(step) / Double(every))
    case .cosineRestarts(let cycle, let lengthFactor, let heightFactor):
      let (index, position) = Self.cycle(of: step, first: cycle, growing: lengthFactor)
      return pow(heightFactor, index) * (1 + cos(.pi * position)) / 2
    }
  }

  /// The cycle that a step is in, from 0, and its position there.
  private static func cycle(
    of step: Int, first: Int, growing factor: Double
  ) -> (index: Double, position: Double) {
    guard factor > 1 else {
      return (Double(step / first), Double(step % first) / Double(first))
    }
    let (step, first) = (Double(step), Double(first))
    func begin(_ index: Double) -> Double {
      first * expm1(index * log(factor)) / (factor - 1)
    }
    var index = (log1p(step * (factor - 1) / first) / log(factor)).rounded(.down)
    // Logarithms round; the beginnings of cycles that have whole numbers of steps are whole.
    func start(_ index: Double) -> Double {
      let exact = begin(index)
      let whole = exact.rounded()
      return abs(exact - whole) <= 1e-9 * max(1, whole) ? whole : exact
    }
    while index > 0, start(index) > step { index -= 1 }
    while start(index + 1) <= step { index += 1 }
    let from = start(index)
    return (index, (step - from) / (start(index + 1) - from))
  }
}
