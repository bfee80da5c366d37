extension Schedule {
  /// How long a part of a sequence lasts.
  public enum Length: Hashable, Sendable {
    /// A number of steps.
    case steps(Int)
    /// A fraction of the run, from 0 to 1, rounded to whole steps.
    case fraction(Double)
    /// What the other parts leave of the run.
    case rest
  }

  /// A part of a sequence: a schedule, and how long it lasts.
  public struct Part: Hashable, Sendable {
    /// How long it lasts.
    public let length: Length
    /// The schedule of the part, which is a run of its own.
    public let schedule: Schedule

    /// Creates a part.
    public init(_ length: Length, _ schedule: Schedule) {
      self.length = length
      self.schedule = schedule
    }
  }

  /// One schedule after the other, each for a number of steps or a fraction of the run, and one for the rest.
  ///
  /// ```swift
  /// let schedule = try Schedule.sequence([
  ///   .init(.steps(500), .linear(from: 0, to: 0.1)), .init(.rest, .constant(0.1)),
  ///   .init(.fraction(0.2), .cosine(from: 0.1, to: 0)),
  /// ])
  /// ```
  ///
  /// Each part sees a run of its own: its first step is step 0, and its length the number of steps. A run that is too
  /// short for all parts ends within one of them.
  ///
  /// - Throws: ``ScheduleError`` unless exactly one part takes the rest, numbers of steps are at least 1, and fractions
  ///   from 0 to 1 and together at most 1.
  ///
  /// PyTorch's `SequentialLR`, fastai's `combine_scheds` (``combined(_:)``), optax's `join_schedules`.
  public static func sequence(_ parts: [Part]) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "sequence")
    var sum = 0.0
    for part in parts {
      switch part.length {
      case .steps(let count): try check.stepCount(count, "steps")
      case .fraction(let fraction):
        try check.fraction(fraction, "fraction")
        sum += fraction
      case .rest: break
      }
    }
    let rests = parts.count { $0.length == .rest }
    guard rests == 1 else { throw .restOfSequence(parts: rests) }
    guard sum <= 1 + 1e-9 else { throw .fractionsExceedTheRun(sum: sum) }
    return Schedule(form: .sequence(parts))
  }

  /// A rise for a number of steps to where another schedule begins, then that schedule.
  ///
  /// ```swift
  /// let schedule = try Schedule.warmUp(steps: 500, then: .cosine(from: 0.1, to: 0))
  /// ```
  ///
  /// - Parameters:
  ///   - steps: The steps of the rise.
  ///   - from: The value at its first step.
  ///   - annealing: How the value moves.
  ///   - next: The schedule after it, a run of its own.
  /// - Returns: The schedule.
  /// - Throws: ``ScheduleError`` naming the number that is out of range.
  ///
  /// PyTorch's `LinearLR` in a `SequentialLR`, Keras's `warmup_steps` of `CosineDecay`, timm's `warmup_t`.
  public static func warmUp(
    steps: Int, from: Double = 0, annealing: Annealing = .linear, then next: Schedule
  ) throws(ScheduleError) -> Schedule {
    try warmUp(.steps(steps), from: from, annealing: annealing, then: next)
  }

  static func warmUp(
    _ length: Length, from: Double, annealing: Annealing, then next: Schedule
  ) throws(ScheduleError) -> Schedule {
    let peak = next.firstValue
    let rise =
      switch annealing {
      case .linear: try linear(from: from, to: peak)
      case .cosine: try cosine(from: from, to: peak)
      }
    return try sequence([Part(length, rise), Part(.rest, next)])
  }

  /// The value at step 0 of a long run.
  var firstValue: Double { value(step: 0, total: 1 << 30) }

  /// A rise, a constant, and a fall at the end of the run.
  ///
  /// - Parameters:
  ///   - peak: The constant value.
  ///   - warmUp: How long it rises from 0.
  ///   - decay: How long it falls at the end.
  ///   - to: The value at the end.
  ///   - shape: How it falls.
  /// - Returns: The schedule.
  /// - Throws: ``ScheduleError`` naming the number that is out of range.
  ///
  /// Hu et al., "MiniCPM" (arXiv:2404.06395); Hägele et al. (arXiv:2405.18392), who find a fifth of the run and the root
  /// good for the fall. Hugging Face's `get_wsd_schedule`.
  public static func warmUpStableDecay(
    peak: Double, warmUp: Length = .fraction(0.05), decay: Length = .fraction(0.2), to: Double = 0,
    shape: DecayShape = .linear
  ) throws(ScheduleError) -> Schedule {
    let fall =
      switch shape {
      case .linear: try linear(from: peak, to: to)
      case .cosine: try cosine(from: peak, to: to)
      case .root: try polynomial(from: peak, to: to, power: 0.5)
      }
    return try sequence([
      Part(warmUp, linear(from: 0, to: peak)), Part(.rest, constant(peak)), Part(decay, fall),
    ])
  }

  /// How the end of ``warmUpStableDecay(peak:warmUp:decay:to:shape:)`` falls.
  public enum DecayShape: String, CaseIterable, Codable, Hashable, Sendable {
    /// Linearly.
    case linear
    /// By half a period of a cosine.
    case cosine
    /// As one less the root of the position, fast at first.
    case root
  }

  /// Constants, one after the other: `values[i + 1]` from step `steps[i]` on.
  ///
  /// - Throws: ``ScheduleError`` unless there is one more value than steps, values are finite and at least 0, and
  ///   steps increase from 1 on.
  ///
  /// Keras's `PiecewiseConstantDecay` (whose boundaries are the last steps of a value), optax's
  /// `piecewise_constant_schedule`, PyTorch's `MultiStepLR` with any values.
  public static func piecewiseConstant(
    _ values: [Double], at steps: [Int]
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "piecewise constant")
    guard values.count == steps.count + 1, let last = values.last else {
      throw .countOutOfRange(
        schedule: check.schedule, parameter: "number of values", value: values.count,
        expected: "one more than the \(steps.count) steps")
    }
    for value in values { try check.notNegative(value, "value") }
    var begin = 0
    var parts: [Part] = []
    for (step, value) in zip(steps, values) {
      try check.stepCount(step, "step")
      guard step > begin else {
        throw .countOutOfRange(
          schedule: check.schedule, parameter: "step", value: step,
          expected: "a step after \(begin)")
      }
      parts.append(Part(.steps(step - begin), try constant(value)))
      begin = step
    }
    return try sequence(parts + [Part(.rest, constant(last))])
  }

  /// Cosines that fill the run, each of a number of steps in proportion to its length.
  ///
  /// - Parameters:
  ///   - from: The value at the beginning of each.
  ///   - to: The value at the end of each.
  ///   - cycles: How many there are, from 1 to 64.
  ///   - lengthFactor: By how much each is longer than the one before, at least 1.
  /// - Returns: The schedule.
  /// - Throws: ``ScheduleError`` naming the number that is out of range.
  ///
  /// fastai's `fit_sgdr` (`n_cycles`, `cycle_mult`), which trains for all cycles together.
  public static func cosineRestarts(
    from: Double, to: Double = 0, cycles: Int, lengthFactor: Double = 2
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "cosine restarts")
    try check.lengthFactor(lengthFactor, "lengthFactor")
    guard (1...64).contains(cycles) else {
      throw .countOutOfRange(
        schedule: check.schedule, parameter: "cycles", value: cycles, expected: "from 1 to 64")
    }
    var length = 1.0
    let lengths = (0..<cycles).map { _ in
      defer { length *= lengthFactor }
      return length
    }
    let sum = lengths.reduce(0, +)
    try check.require(
      sum.isFinite, lengthFactor, "lengthFactor", "a factor that leaves the lengths finite")
    let cosine = try cosine(from: from, to: to)
    return try combined(lengths.map { Phase($0 / sum, cosine) })
  }
}

extension Schedule.Length {
  /// Its steps in a run of `total`; nil for the rest.
  func steps(of total: Int) -> Int? {
    switch self {
    case .steps(let count): count
    case .fraction(let fraction):
      // As a Double, the largest total is greater than any Int; a length in epochs may be beyond the run.
      fraction == 1 ? total : Int(min((fraction * Double(total)).rounded(), 0x1p62))
    case .rest: nil
    }
  }
}

extension [Schedule.Part] {
  /// The part that has a step of a run of `total`, the step in it, and its length.
  func part(of step: Int, total: Int) -> (schedule: Schedule, step: Int, total: Int) {
    let fixed = reduce(0) { sum, part in
      sum + Swift.min(total - sum, part.length.steps(of: total) ?? 0)
    }
    var begin = 0
    var found = (self[0].schedule, step, total)
    for part in self {
      let count = part.length.steps(of: total) ?? (total - fixed)
      if count == 0 { continue }
      found = (part.schedule, step - begin, count)
      if step - begin < count { break }
      begin += count
    }
    return found
  }
}
