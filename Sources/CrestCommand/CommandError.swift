import Crest

/// What is wrong with the options together, or with what they lead to.
enum CommandError: Error, Equatable {
  /// A data set with several inputs, for a built-in model.
  case severalInputs(model: String, data: String, count: Int)
  /// A target that isn't one class or one row of numbers an example.
  case targetShape(model: String, data: String, shape: Shape)
  /// A name that isn't in a list.
  case unknownName(what: String, name: String, known: [String])
  /// A setting of a callback that isn't `key=value`.
  case malformedSetting(callback: String, setting: String)
  /// A setting that a callback doesn't have.
  case unknownSetting(callback: String, setting: String, known: [String])
  /// A setting given twice.
  case repeatedSetting(callback: String, setting: String)
  /// A setting that a callback must have.
  case missingSetting(callback: String, setting: String)
  /// The value of a setting can't be read.
  case settingValue(callback: String, setting: String, value: String, expected: String)
  /// Two momenta without a cycle to move between them.
  case momentumPair(schedule: String)
  /// A style of 1cycle for another schedule.
  case styleWithout1cycle(schedule: String)
  /// The user ended the run.
  case interrupted(epoch: Int, steps: Int)

  var code: FailureCode {
    switch self {
    case .severalInputs, .targetShape: .data
    case .interrupted: .interrupted
    default: .usage
    }
  }
}

extension CommandError: CustomStringConvertible {
  /// What, where, expected, got, what to do.
  var description: String {
    switch self {
    case .severalInputs(let model, let data, let count):
      "--model \(model) takes one input, but \(data) has \(count); "
        + "give a data set with a single train-x.npy"
    case .targetShape(let model, let data, let shape):
      "--model \(model) gives one class or one row of numbers an example, but the targets of "
        + "\(data) have the shape \(shape); store them with at most two dimensions"
    case .unknownName(let what, let name, let known):
      "\(what): expected one of \(known.joined(separator: ", ")), got \"\(name)\""
    case .malformedSetting(let callback, let setting):
      "--callback \(callback): expected settings as key=value, got \"\(setting)\"; "
        + "separate several by commas"
    case .unknownSetting(let callback, let setting, let known):
      known.isEmpty
        ? "--callback \(callback): it has no settings, got \"\(setting)\""
        : "--callback \(callback): expected settings \(known.joined(separator: ", ")), "
          + "got \"\(setting)\""
    case .repeatedSetting(let callback, let setting):
      "--callback \(callback): \(setting) is given twice; give it once"
    case .missingSetting(let callback, let setting):
      "--callback \(callback): \(setting) is missing; "
        + "write it as \(callback):\(setting)=…"
    case .settingValue(let callback, let setting, let value, let expected):
      "--callback \(callback): \(setting) is \"\(value)\", expected \(expected)"
    case .momentumPair(let schedule):
      "--momentum: two values are the ends of a 1cycle, but the schedule is \(schedule); give one"
    case .styleWithout1cycle(let schedule):
      "--style: it is a convention of 1cycle, but the schedule is \(schedule); leave one of them out"
    case .interrupted(let epoch, let steps):
      "interrupted in epoch \(epoch) after \(steps) steps"
    }
  }
}
