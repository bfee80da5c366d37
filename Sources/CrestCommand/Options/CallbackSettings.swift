import Crest

/// A setting of a callback.
struct CallbackSetting: Sendable {
  /// The type of its value.
  enum Kind: Sendable {
    case wholeNumber
    case number
    case flag
    case choice([String])
    /// How often, as in `2epochs`.
    case interval
    /// When something begins, as in `0.75` of the run or `epoch3`.
    case start
    /// A result of an epoch.
    case metric
    /// Part of a file's name.
    case text
    /// Names, as in `conv1|conv2`.
    case texts
    /// Names of parameters, as in `backbone.*|head.*`.
    case patterns
    case log
    case folder

    /// The expected value, for messages.
    var expected: String {
      switch self {
      case .wholeNumber: "an integer"
      case .number: "a number"
      case .flag: "true or false"
      case .choice(let names): names.joined(separator: " or ")
      case .interval: "as in 2epochs or 500steps"
      case .start: "a part of the run as in 0.75, or as in epoch3"
      case .metric: "the name of a metric"
      case .text: "text"
      case .texts: "names separated by |"
      case .patterns: "names with * for any characters, separated by |"
      case .log: "a file"
      case .folder: "a folder"
      }
    }

    /// The placeholder for a value in the help.
    var placeholder: String {
      switch self {
      case .wholeNumber: "n"
      case .number: "x"
      case .flag: "true|false"
      case .choice(let names): names.joined(separator: "|")
      case .interval: "interval"
      case .start: "x|epoch"
      case .metric: "metric"
      case .text: "text"
      case .texts: "name|name…"
      case .patterns: "pattern|pattern…"
      case .log: "file"
      case .folder: "folder"
      }
    }

    /// The output it writes, if any.
    var output: NamedOutput.Kind? {
      switch self {
      case .log: .log
      case .folder: .folder
      case .wholeNumber, .number, .flag, .choice, .interval, .start, .metric, .text, .texts,
        .patterns:
        nil
      }
    }
  }

  let name: String
  let kind: Kind

  init(_ name: String, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }

  /// As in `csv-logger:path=file`.
  static func usage(of name: String, _ settings: [CallbackSetting]) -> String {
    Crest.usage(of: name, settings.map { ($0.name, $0.kind.placeholder) })
  }

  static let mode = CallbackSetting("mode", .choice(MetricDirection.allCases.map(\.rawValue)))
}

/// The settings given for a callback, or for another thing that has a name and settings.
struct CallbackSettings {
  /// The option and the name, as in `--callback ema`.
  private let owner: String
  private let name: String
  private let settings: [CallbackSetting]
  private var values: [String: String] = [:]

  init(of kind: NamedCallback, _ named: NamedSettings) throws(CommandError) {
    try self.init(of: "--callback", kind.name, kind.settings, named)
  }

  init(
    of option: String, _ name: String, _ settings: [CallbackSetting], _ named: NamedSettings
  ) throws(CommandError) {
    owner = "\(option) \(name)"
    self.name = name
    self.settings = settings
    for (key, value) in try named.pairs(of: option) {
      guard settings.contains(where: { $0.name == key }) else {
        throw .unknownSetting(owner: owner, setting: key, known: settings.map(\.name))
      }
      values[key] = value
    }
  }

  /// A value that has to be given, as read by `read`.
  func required<Value>(
    _ key: String, _ read: (String) throws(CommandError) -> Value?
  ) throws(CommandError) -> Value {
    guard let value = try read(key) else {
      throw .missingSetting(owner: owner, name: name, setting: key)
    }
    return value
  }

  /// The given value; nil if there is none.
  func text(_ key: String) throws(CommandError) -> String? { try value(key) { $0 } }

  func wholeNumber(_ key: String) throws(CommandError) -> Int? { try value(key) { Int($0) } }

  /// A whole number that isn't below `least`.
  func wholeNumber(_ key: String, atLeast least: Int) throws(CommandError) -> Int? {
    guard let number = try wholeNumber(key) else { return nil }
    guard number >= least else {
      throw .settingValue(
        owner: owner, setting: key, value: "\(number)", expected: "an integer from \(least) up")
    }
    return number
  }

  func number(_ key: String) throws(CommandError) -> Double? { try value(key) { Double($0) } }

  func flag(_ key: String) throws(CommandError) -> Bool? { try value(key) { Bool($0) } }

  func texts(_ key: String) throws(CommandError) -> [String]? {
    try value(key) { $0.split(separator: "|", omittingEmptySubsequences: false).map(String.init) }
  }

  func patterns(_ key: String) throws(CommandError) -> ParameterChoice? {
    try value(key) { text in
      .matching(
        text.split(separator: "|", omittingEmptySubsequences: false).map { NamePattern(String($0)) }
      )
    }
  }

  func mode() throws(CommandError) -> MetricDirection? {
    try value("mode", MetricDirection.init)
  }

  func monitor() throws(CommandError) -> Monitor? { try value("monitor") { Monitor($0) } }

  /// The given value as read by `read`; nil if there is none.
  func value<Value>(_ key: String, _ read: (String) -> Value?) throws(CommandError) -> Value? {
    let setting = setting(key)
    guard let text = values[key] else { return nil }
    guard !text.isEmpty else { throw .missingSetting(owner: owner, name: name, setting: key) }
    guard let value = read(text) else {
      throw .settingValue(
        owner: owner, setting: key, value: text, expected: setting.kind.expected)
    }
    return value
  }

  private func setting(_ key: String) -> CallbackSetting {
    guard let setting = settings.first(where: { $0.name == key }) else {
      programmerError("\(name) has no row for its setting \(key)")
    }
    return setting
  }
}
