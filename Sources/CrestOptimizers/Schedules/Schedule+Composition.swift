extension Schedule {
  /// One schedule after the other, each for a fraction of the run.
  ///
  /// A step belongs to the last phase that begins at or before its position `k / N`. Within a
  /// phase, position, step and number of steps are the phase's own: shapes along the run see
  /// `(k / N - begin) / fraction`, shapes that count steps count from the first step of the phase.
  /// A phase may be too short to have a step, and is then skipped.
  ///
  /// - Throws: ``ScheduleError`` unless there is a phase, each fraction is from 0 to 1, and
  ///   together they are 1 to within 10⁻⁹.
  ///
  /// fastai's `combine_scheds`.
  public static func combined(_ phases: [Phase]) throws(ScheduleError) -> Schedule {
    guard !phases.isEmpty else { throw .noPhases }
    let check = ScheduleCheck(schedule: "combined")
    for phase in phases { try check.fraction(phase.fraction, "fraction") }
    let sum = phases.reduce(0) { $0 + $1.fraction }
    guard abs(sum - 1) <= 1e-9 else { throw .fractionsDoNotFillTheRun(sum: sum) }
    return Schedule(form: .combined(phases.flatMap(\.leaves)))
  }

  /// A constant value, then a cosine down to `from / finalDiv`.
  ///
  /// fastai's `fit_flat_cos`.
  ///
  /// - Parameters:
  ///   - from: The constant value, above 0.
  ///   - finalDiv: The constant value divided by the final value of the cosine, above 0.
  ///   - flatFraction: The fraction of the run in which the value is constant.
  /// - Returns: The schedule.
  /// - Throws: ``ScheduleError`` naming the number that is out of range.
  public static func flatCosine(
    from: Double, finalDiv: Double = 1e5, flatFraction: Double = 0.75
  ) throws(ScheduleError) -> Schedule {
    let check = ScheduleCheck(schedule: "flat cosine")
    try check.positive(from, "from")
    try check.positive(finalDiv, "finalDiv")
    try check.fraction(flatFraction, "flatFraction")
    return try combined([
      Phase(flatFraction, constant(from)),
      Phase(1 - flatFraction, cosine(from: from, to: from / finalDiv)),
    ])
  }

  /// A straight line up to `to` for a fraction of the run, then `next` for the rest.
  ///
  /// - Throws: ``ScheduleError`` naming the number that is out of range.
  public static func warmUp(
    from: Double, to: Double, fraction: Double, then next: Schedule
  ) throws(ScheduleError) -> Schedule {
    try ScheduleCheck(schedule: "warm-up").fraction(fraction, "fraction")
    return try combined([
      Phase(fraction, linear(from: from, to: to)), Phase(1 - fraction, next),
    ])
  }
}

extension Schedule.Phase {
  /// The phase, or the phases of a combination in it: positions map linearly, so nesting multiplies
  /// fractions.
  fileprivate var leaves: [Schedule.Phase] {
    guard case .combined(let inner) = schedule.form else { return [self] }
    return inner.map { .init(fraction * $0.fraction, $0.schedule) }
  }
}
