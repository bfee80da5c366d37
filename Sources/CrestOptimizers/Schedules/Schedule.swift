import CrestPlatform
import CrestTensor

/// The value of a hyperparameter as a pure function of the step and the number of steps of the run.
///
/// A schedule has no state: it gives the value of any step at any time, which makes resuming exact.
/// It is stored with a run as JSON and checked again when read.
///
/// Shapes that move along the whole run see the position `p = k / N` of step `k` of `N`, as in
/// fastai: they begin exactly at `from`, and `to` is where step `N` would be. Every schedule of
/// learning rates is proportional to its rates, so a parameter group with its own learning rate
/// multiplies from outside.
public struct Schedule: Hashable, Sendable {
  let form: Form

  enum Form: Hashable, Sendable {
    case constant(Double)
    case ramp(Ramp, from: Double, to: Double)
    case triangular(from: Double, to: Double, stepsUp: Int, stepsDown: Int, scale: CycleScale)
    case stepDecay(from: Double, factor: Double, every: Int)
    case milestoneDecay(from: Double, factor: Double, at: [Double])
    case combined([Phase])
    case learningRate(OneCycle)
    case momentum(OneCycle)
    case custom(Custom)
  }

  /// A schedule of a program's own, equal to one of the same name and settings.
  struct Custom: Hashable, Sendable {
    let name: String
    let settings: [String: Double]
    let value: @Sendable (_ step: Int, _ stepCount: Int) -> Double

    static func == (left: Custom, right: Custom) -> Bool {
      left.name == right.name && left.settings == right.settings
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(name)
      hasher.combine(settings)
    }
  }

  /// Creates a schedule of your own.
  ///
  /// ```swift
  /// // Vaswani et al. 2017.
  /// let schedule = Schedule("inverse root", settings: ["peak": 1e-3, "warm-up": 100]) { step, _ in
  ///   let position = Double(step + 1) / 100
  ///   return 1e-3 * min(position, 1 / position.squareRoot())
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - name: What a run that is resumed must have, too.
  ///   - settings: What else decides the values: a run that is resumed must have the same.
  ///   - value: The value at a step, from 0, of a run of so many steps; a pure function.
  public init(
    _ name: String, settings: [String: Double] = [:],
    value: @escaping @Sendable (_ step: Int, _ stepCount: Int) -> Double
  ) {
    form = .custom(Custom(name: name, settings: settings, value: value))
  }

  init(form: Form) { self.form = form }

  enum Ramp: Hashable, Sendable {
    case annealing(Annealing)
    case exponential
    case polynomial(power: Double)
  }

  /// A part of a run with its own schedule.
  public struct Phase: Codable, Hashable, Sendable {
    /// The fraction of the run, from 0 to 1.
    public let fraction: Double

    /// The schedule of the phase.
    public let schedule: Schedule

    /// Creates a phase.
    public init(_ fraction: Double, _ schedule: Schedule) {
      self.fraction = fraction
      self.schedule = schedule
    }
  }

  /// How the height of a triangular cycle changes over time.
  public enum CycleScale: Hashable, Sendable {
    /// All cycles are equally high (`triangular`).
    case constant

    /// Each cycle is half as high as the one before (`triangular2`).
    case halving

    /// The height is `gamma` to the power of the step (`exp_range`).
    case exponential(gamma: Double)
  }

  /// Returns the value at a step.
  ///
  /// - Precondition: `total` is at least 1 and `step` in `0 ..< total`.
  public func value(step: Int, total: Int) -> Double {
    preconditionStep(step, of: total)
    return value(at: Progress(step: step, total: total))
  }
}

// MARK: Shapes

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
      try check.require(
        gamma > 0 && gamma <= 1, gamma, "gamma", "a number above 0 and at most 1")
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
    try check.require(
      factor > 0 && factor <= 1, factor, "factor", "a number above 0 and at most 1")
    return check
  }
}

// MARK: Evaluation

extension Schedule {
  /// Where a step is in the part of the run that a schedule covers.
  fileprivate struct Progress {
    let step: Int
    let total: Int
    let position: Double
  }

  fileprivate func value(at progress: Progress) -> Double {
    switch form {
    case .constant(let value):
      value
    case .ramp(let ramp, let start, let end):
      ramp.value(from: start, to: end, at: progress.position)
    case .triangular(let start, let end, let stepsUp, let stepsDown, let scale):
      start + (end - start) * scale.factor(progress.step, cycleSteps: stepsUp + stepsDown)
        * Self.height(progress.step, stepsUp: stepsUp, stepsDown: stepsDown)
    case .stepDecay(let start, let factor, let every):
      start * pow(factor, Double(progress.step / every))
    case .milestoneDecay(let start, let factor, let points):
      start * pow(factor, Double(points.count { $0 <= progress.position }))
    case .combined(let phases):
      Self.value(of: phases, at: progress)
    case .learningRate(let policy):
      policy.learningRate(step: progress.step, total: progress.total)
    case .momentum(let policy):
      policy.momentum(step: progress.step, total: progress.total)
    case .custom(let custom):
      Self.checked(custom.value(progress.step, progress.total), of: custom, at: progress.step)
    }
  }

  private static func checked(_ value: Double, of custom: Custom, at step: Int) -> Double {
    programmerError(
      unless: value.isFinite && value >= 0,
      "the schedule \"\(custom.name)\" is \(value) at step \(step), not a finite number of at least 0"
    )
    return value
  }

  private static func height(_ step: Int, stepsUp: Int, stepsDown: Int) -> Double {
    let within = step % (stepsUp + stepsDown)
    return within <= stepsUp
      ? Double(within) / Double(stepsUp)
      : Double(stepsUp + stepsDown - within) / Double(stepsDown)
  }

  private static func value(of phases: [Phase], at progress: Progress) -> Double {
    var begins = [0.0]
    for phase in phases { begins.append((begins.last ?? 0) + phase.fraction) }
    begins[phases.count] = 1
    let index = begins.dropLast().lastIndex { $0 <= progress.position } ?? 0
    let first = progress.firstStep(from: begins[index])
    let next = progress.firstStep(from: begins[index + 1])
    return phases[index].schedule.value(
      at: Progress(
        step: progress.step - first,
        total: next - first,
        position: (progress.position - begins[index]) / (begins[index + 1] - begins[index])))
  }
}

extension Schedule.Progress {
  init(step: Int, total: Int) {
    self.init(step: step, total: total, position: Double(step) / Double(total))
  }

  /// The first step whose position is not before `begin`.
  fileprivate func firstStep(from begin: Double) -> Int {
    guard begin < 1 else { return total }
    // `begin * total` may round past a step where `step / total` does not.
    var candidate = max(0, Int(begin * Double(total)) - 1)
    while Double(candidate) / Double(total) < begin { candidate += 1 }
    return candidate
  }
}

extension Schedule.Ramp {
  fileprivate func value(from start: Double, to end: Double, at position: Double) -> Double {
    switch self {
    case .annealing(let annealing): annealing.value(from: start, to: end, at: position)
    case .exponential: pow(start, 1 - position) * pow(end, position)
    case .polynomial(let power): start + (end - start) * pow(position, power)
    }
  }
}

extension Schedule.CycleScale {
  fileprivate func factor(_ step: Int, cycleSteps: Int) -> Double {
    switch self {
    case .constant: 1
    case .halving: pow(0.5, Double(step / cycleSteps))
    case .exponential(let gamma): pow(gamma, Double(step))
    }
  }
}
