import ArgumentParser
import Crest

/// A schedule as given in an option: `name[:key=value,…]`, or several in a row joined by `+`.
struct ScheduleOption: ExpressibleByArgument {
  private let parts: [NamedSettings]

  /// The run that a schedule is for.
  struct Run {
    let peak: Double
    let epochs: Int
    let stepsPerEpoch: Int
    let convention: OneCycle.Convention
  }

  init(argument: String) {
    // A + within a number is no joint.
    parts = argument.split(separator: /\+(?=[a-z])/, omittingEmptySubsequences: false)
      .map { NamedSettings(String($0)) }
  }

  static let oneCycle = "one-cycle"

  /// Its names, for messages.
  var name: String { parts.map(\.name).joined(separator: "+") }

  var isOneCycle: Bool { name == Self.oneCycle }

  /// How each schedule is written.
  static var usages: [String] {
    NamedSchedule.all.map { kind in
      usage(of: kind.name, kind.settings.map { ($0.name, $0.kind.placeholder) })
    }
  }

  /// The schedule for a run.
  func schedule(for run: Run) throws -> Schedule {
    guard parts.count == 1 || !parts.contains(where: { $0.name == Self.oneCycle }) else {
      throw CommandError.oneCycleInSequence
    }
    guard parts.last?.name != NamedSchedule.warmUp else { throw CommandError.warmUpAtEnd }
    var made: [Schedule.Part] = []
    // A warm-up rises to where the next begins.
    for part in parts.reversed() {
      let kind = try Self.kind(of: part)
      let values = try Self.values(of: part, kind, run, next: made.first?.schedule)
      made.insert(.init(values.length ?? .rest, try kind.make(values)), at: 0)
    }
    let rests = made.count { $0.length == .rest }
    guard rests == 1 else { throw CommandError.scheduleLengths(missing: rests) }
    return made.count == 1 ? made[0].schedule : try .sequence(made)
  }

  /// The 1cycle policy for a run.
  func policy(for run: Run, momentum: OneCycle.Momentum?) throws -> OneCycle {
    let values = try Self.values(of: parts[0], Self.kind(of: parts[0]), run, next: nil)
    guard values.length == nil else { throw CommandError.scheduleLengths(missing: 0) }
    return try values.oneCycle(momentum: momentum)
  }

  private static func kind(of part: NamedSettings) throws(CommandError) -> NamedSchedule {
    guard let kind = NamedSchedule.all.first(where: { $0.name == part.name }) else {
      throw .unknownName(
        what: "--schedule", name: part.name, known: NamedSchedule.all.map(\.name))
    }
    return kind
  }

  private static func values(
    of part: NamedSettings, _ kind: NamedSchedule, _ run: Run, next: Schedule?
  ) throws(CommandError) -> NamedSchedule.Values {
    let owner = "--schedule \(kind.name)"
    let settings = kind.settings + [NamedSchedule.lengthSetting]
    let given = try part.pairs(of: "--schedule")
    for (key, _) in given where !settings.contains(where: { $0.name == key }) {
      throw .unknownSetting(owner: owner, setting: key, known: settings.map(\.name))
    }
    var values: [String: NamedSchedule.Value] = [:]
    for setting in settings {
      let text = given.first { $0.key == setting.name }?.value ?? setting.standard
      guard let text, !text.isEmpty else {
        guard setting.isRequired || text != nil else { continue }
        throw .missingSetting(owner: owner, name: kind.name, setting: setting.name)
      }
      guard let value = setting.kind.value(of: text, epochs: run.epochs) else {
        throw .settingValue(
          owner: owner, setting: setting.name, value: text,
          expected: setting.kind.expected(epochs: run.epochs))
      }
      values[setting.name] = value
    }
    return NamedSchedule.Values(
      values, peak: run.peak, epochs: run.epochs, stepsPerEpoch: run.stepsPerEpoch,
      convention: run.convention, next: next)
  }
}
