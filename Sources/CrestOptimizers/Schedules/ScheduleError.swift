import CrestTensor

/// Why a schedule cannot be made from the numbers given.
public enum ScheduleError: Error, Equatable, Sendable {
  /// A number is out of range.
  case outOfRange(schedule: String, parameter: String, value: Double, expected: String)

  /// A number of steps is out of range.
  case countOutOfRange(schedule: String, parameter: String, value: Int, expected: String)

  /// The momentum cycle goes up where it should go down.
  case momentumReversed(high: Double, low: Double)

  /// A combination of no schedules.
  case noPhases

  /// The phases of a combination do not fill the run.
  case fractionsDoNotFillTheRun(sum: Double)

  /// Not one part of a sequence takes what the others leave of the run, but so many.
  case restOfSequence(parts: Int)

  /// The fractions of a sequence are more than the run.
  case fractionsExceedTheRun(sum: Double)

  /// The points of a step decay do not increase.
  case milestonesNotIncreasing([Double])

  /// A stored schedule is of a kind this version does not know.
  case unknownKind(String)

  /// A stored schedule of a program's own, whose values only the program has.
  case madeByProgram(String)
}

extension ScheduleError: CustomStringConvertible {
  /// What is wrong, what was expected, and what was got.
  public var description: String {
    switch self {
    case .outOfRange(let schedule, let parameter, let value, let expected):
      "\(schedule): \(parameter) is \(value), expected \(expected)."
    case .countOutOfRange(let schedule, let parameter, let value, let expected):
      "\(schedule): \(parameter) is \(value), expected \(expected)."
    case .momentumReversed(let high, let low):
      "1cycle: momentum goes from high \(high) to low \(low) and back, "
        + "so low must not be above high. Swap the two."
    case .noPhases:
      "combined: there are no phases, expected at least one."
    case .fractionsDoNotFillTheRun(let sum):
      "combined: the fractions of the phases add up to \(sum), expected 1."
    case .restOfSequence(let parts):
      "sequence: \(parts) parts take the rest of the run, expected exactly one, and a length for each other."
    case .fractionsExceedTheRun(let sum):
      "sequence: the fractions of the parts add up to \(sum), expected at most 1."
    case .milestonesNotIncreasing(let milestones):
      "step decay: the points \(milestones) do not increase; expected each above the one before."
    case .unknownKind(let kind):
      "schedule: the kind \"\(kind)\" is not known to this version, which knows "
        + Schedule.Kind.allCases.filter { $0 != .custom }.map(\.rawValue).joined(separator: ", ")
        + "."
    case .madeByProgram(let name):
      "schedule: \"\(name)\" was defined by a program, and its values are not stored; create it again."
    }
  }
}

/// Checks of one schedule's numbers, with the name that begins its messages.
struct ScheduleCheck {
  let schedule: String

  /// A number that is finite and above 0.
  func positive(_ value: Double, _ parameter: String) throws(ScheduleError) {
    try require(value.isFinite && value > 0, value, parameter, "a finite number above 0")
  }

  /// A number that is finite and not below 0.
  func notNegative(_ value: Double, _ parameter: String) throws(ScheduleError) {
    try require(value.isFinite && value >= 0, value, parameter, "a finite number of at least 0")
  }

  /// A fraction, which people may mistakenly give in per cent.
  func fraction(_ value: Double, _ parameter: String) throws(ScheduleError) {
    try require(
      value >= 0 && value <= 1, value, parameter, "a fraction from 0 to 1 (25 % is 0.25)")
  }

  /// A number of steps, small enough that two of them can be added.
  func stepCount(_ value: Int, _ parameter: String) throws(ScheduleError) {
    guard value >= 1, value <= Int.max / 2 else {
      throw .countOutOfRange(
        schedule: schedule, parameter: parameter, value: value,
        expected: "a number of steps from 1 to \(Int.max / 2)")
    }
  }

  /// A factor that does not let a value grow.
  func factor(_ value: Double, _ parameter: String) throws(ScheduleError) {
    try require(
      value > 0 && value <= 1, value, parameter, "a number above 0 and at most 1")
  }

  /// A factor that does not let a length shrink.
  func lengthFactor(_ value: Double, _ parameter: String) throws(ScheduleError) {
    try require(value.isFinite && value >= 1, value, parameter, "a finite number of at least 1")
  }

  func require(
    _ holds: Bool, _ value: Double, _ parameter: String, _ expected: String
  ) throws(ScheduleError) {
    guard holds else {
      throw .outOfRange(
        schedule: schedule, parameter: parameter, value: value, expected: expected)
    }
  }
}

/// Traps unless `step` is one of `total` steps: a loop that asks for more has miscounted.
func preconditionStep(_ step: Int, of total: Int) {
  programmerError(
    unless: total >= 1 && step >= 0 && step < total,
    "step \(step) is not one of a run of \(total) steps, 0 ..< \(total)")
}
