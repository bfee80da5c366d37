import CrestPlatform

/// The learning rates that a range test tries, one per step.
public struct LearningRateSweep: Codable, Hashable, Sendable {
  /// How the rates grow.
  public enum Spacing: String, CaseIterable, Codable, Hashable, Sendable {
    /// By a constant ratio: `start (end / start)^(i / steps)`.
    case exponential

    /// By a constant difference, as in Smith's papers: `start + (end - start) i / steps`.
    case linear
  }

  /// The first rate.
  public let start: Double

  /// The rate that step `steps` would have; the last one tried is just below it.
  public let end: Double

  /// The number of rates.
  public let steps: Int

  /// How the rates grow.
  public let spacing: Spacing

  /// fastai's: 100 rates from 10⁻⁷ to 10, by a constant ratio.
  public static let standard = LearningRateSweep(
    checkedStart: 1e-7, end: 10, steps: 100, spacing: .exponential)

  /// Creates a sweep.
  ///
  /// - Throws: ``ScheduleError`` unless `0 < start < end`, both finite, and `steps` is at least 1.
  ///
  /// fastai's `lr_find(start_lr, end_lr, num_it)`.
  public init(
    start: Double = LearningRateSweep.standard.start,
    end: Double = LearningRateSweep.standard.end,
    steps: Int = LearningRateSweep.standard.steps,
    spacing: Spacing = LearningRateSweep.standard.spacing
  ) throws(ScheduleError) {
    let check = ScheduleCheck(schedule: "learning-rate range test")
    try check.positive(start, "start")
    try check.require(
      end.isFinite && end > start, end, "end", "a finite number above the start, \(start)")
    try check.stepCount(steps, "steps")
    self.init(checkedStart: start, end: end, steps: steps, spacing: spacing)
  }

  private init(checkedStart start: Double, end: Double, steps: Int, spacing: Spacing) {
    self.start = start
    self.end = end
    self.steps = steps
    self.spacing = spacing
  }

  private enum CodingKeys: String, CodingKey { case start, end, steps, spacing }

  /// Reads a sweep.
  ///
  /// - Throws: ``ScheduleError`` as the initialiser does, or the decoder's error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      start: values.decode(Double.self, forKey: .start),
      end: values.decode(Double.self, forKey: .end),
      steps: values.decode(Int.self, forKey: .steps),
      spacing: values.decode(Spacing.self, forKey: .spacing))
  }

  /// Returns the learning rate of a step.
  ///
  /// - Precondition: `step` is in `0 ..< steps`.
  public func rate(step: Int) -> Double {
    preconditionStep(step, of: steps)
    let position = Double(step) / Double(steps)
    return switch spacing {
    case .exponential: pow(start, 1 - position) * pow(end, position)
    case .linear: start + (end - start) * position
    }
  }
}
