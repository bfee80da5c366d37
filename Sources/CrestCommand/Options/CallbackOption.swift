import ArgumentParser
import Crest

/// A callback as given in an option: `name` or `name:key=value,…`.
struct CallbackOption: ExpressibleByArgument {
  private let named: NamedSettings

  init(argument: String) { named = NamedSettings(argument) }

  private func kind() throws(CommandError) -> NamedCallback {
    guard let kind = NamedCallback.all.first(where: { $0.name == named.name }) else {
      throw .unknownName(
        what: "--callback", name: named.name, known: NamedCallback.all.map(\.name))
    }
    return kind
  }

  func make() throws -> any Callback {
    let kind = try kind()
    return try kind.make(CallbackSettings(of: kind, named))
  }

  /// The files and folders that it writes.
  func outputs() throws(CommandError) -> [NamedOutput] {
    let kind = try kind()
    let settings = try CallbackSettings(of: kind, named)
    return kind.settings.compactMap { setting in
      guard let output = setting.kind.output, let path = settings.text(setting.name) else {
        return nil
      }
      return NamedOutput("--callback \(kind.name):\(setting.name)", path, output)
    }
  }
}

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
    /// A result of an epoch.
    case metric
    /// Part of a file's name.
    case text
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
      case .metric: "the name of a metric"
      case .text: "text"
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
      case .metric: "metric"
      case .text: "text"
      case .log: "file"
      case .folder: "folder"
      }
    }

    /// The output it writes, if any.
    fileprivate var output: NamedOutput.Kind? {
      switch self {
      case .log: .log
      case .folder: .folder
      case .wholeNumber, .number, .flag, .choice, .interval, .metric, .text: nil
      }
    }
  }

  let name: String
  let kind: Kind
  /// Its default value; nil if it is required or may be absent.
  let standard: String?

  init(_ name: String, _ kind: Kind, _ standard: String? = nil) {
    self.name = name
    self.kind = kind
    self.standard = standard
  }

  static let mode = CallbackSetting("mode", .choice(MetricDirection.allCases.map(\.rawValue)))
}

/// A shipped callback that has a name on the command line.
struct NamedCallback: Sendable {
  let name: String
  let settings: [CallbackSetting]
  let make: @Sendable (CallbackSettings) throws -> any Callback

  /// As in `csv-logger:path=file`.
  var usage: String {
    let usages = settings.map { "\($0.name)=\($0.kind.placeholder)" }
    return usages.isEmpty ? name : name + ":" + usages.joined(separator: ",")
  }

  /// The command's name for a callback of the library; the callback's own name if it has none, as
  /// with a plugin.
  static func name(of callback: String) -> String { of(callback)?.name ?? callback }

  /// The table row of a callback of the library.
  static func of(_ callback: String) -> NamedCallback? {
    all.first { $0.name.filter { $0 != "-" } == callback.lowercased() }
  }

  static let all = [
    NamedCallback(name: "csv-logger", settings: [.init("path", .log)]) {
      CSVLogger(path: try $0.required("path"))
    },
    NamedCallback(
      name: "early-stopping",
      settings: [
        .init("monitor", .metric, "valid_loss"), .init("patience", .wholeNumber, "1"),
        .init("min-delta", .number, "0"), .mode, .init("restore-best", .flag, "false"),
      ]
    ) {
      try EarlyStopping(
        monitor: Monitor($0.required("monitor")), patience: $0.wholeNumber("patience"),
        minDelta: $0.number("min-delta"), mode: $0.mode(), restoresBest: $0.flag("restore-best"))
    },
    NamedCallback(
      name: "ema",
      settings: [.init("decay", .number, "0.999"), .init("validates", .flag, "true")]
    ) { try EMA(decay: $0.number("decay"), validates: $0.flag("validates")) },
    NamedCallback(name: "gradient-accumulation", settings: [.init("batches", .wholeNumber)]) {
      try GradientAccumulation(batches: $0.wholeNumber("batches"))
    },
    NamedCallback(
      name: "gradient-clip",
      settings: [
        .init("by", .choice(GradientClip.Kind.allCases.map(\.rawValue)), "norm"),
        .init("max", .number, "1"),
      ]
    ) {
      try GradientClip($0.choice("by", GradientClip.Kind.init), maximum: $0.number("max"))
    },
    NamedCallback(
      name: "model-checkpoint",
      settings: [
        .init("folder", .folder), .init("every", .interval, "1epochs"),
        .init("keep-last", .wholeNumber, "3"), .init("monitor", .metric),
        .init("keep-best", .wholeNumber, "1"), .mode,
        .init("contents", .choice(Learner.Contents.allCases.map(\.rawValue)), "everything"),
        .init("name", .text, "checkpoint-{step:10}"),
      ]
    ) {
      try ModelCheckpoint(
        folder: $0.required("folder"), every: $0.choice("every") { CheckpointInterval($0) },
        keepLast: $0.wholeNumber("keep-last"), monitor: $0.text("monitor").map { Monitor($0) },
        keepBest: $0.wholeNumber("keep-best"), mode: $0.mode(),
        contents: $0.choice("contents", Learner.Contents.init), name: $0.required("name"),
        warnings: .warnings(of: "ModelCheckpoint", as: "--callback model-checkpoint"))
    },
    NamedCallback(
      name: "reduce-lr-on-plateau",
      settings: [
        .init("monitor", .metric, "valid_loss"), .init("factor", .number, "0.1"),
        .init("patience", .wholeNumber, "10"), .init("min-delta", .number, "1e-4"),
        .init("cooldown", .wholeNumber, "0"), .init("min-lr", .number, "0"), .mode,
      ]
    ) {
      try ReduceLROnPlateau(
        monitor: Monitor($0.required("monitor")), factor: $0.number("factor"),
        patience: $0.wholeNumber("patience"), minDelta: $0.number("min-delta"),
        cooldown: $0.wholeNumber("cooldown"), minLR: $0.number("min-lr"), mode: $0.mode(),
        notes: .notes)
    },
    NamedCallback(name: "step-logger", settings: [.init("path", .log)]) {
      StepLogger(path: try $0.required("path"))
    },
    NamedCallback(name: "terminate-on-nan", settings: []) { _ in TerminateOnNaN() },
    NamedCallback(name: "time-limit", settings: [.init("seconds", .number)]) {
      try TimeLimit(seconds: $0.number("seconds"))
    },
  ]
}

/// The settings given for a callback.
struct CallbackSettings {
  private let kind: NamedCallback
  private var values: [String: String] = [:]

  init(of kind: NamedCallback, _ named: NamedSettings) throws(CommandError) {
    self.kind = kind
    for (key, value) in try named.pairs(of: "--callback") {
      guard kind.settings.contains(where: { $0.name == key }) else {
        throw .unknownSetting(
          callback: kind.name, setting: key, known: kind.settings.map(\.name))
      }
      values[key] = value
    }
  }

  /// The given value, or the default; nil if there is neither.
  func text(_ key: String) -> String? { values[key] ?? setting(key).standard }

  func required(_ key: String) throws(CommandError) -> String {
    guard let value = text(key), !value.isEmpty else {
      throw .missingSetting(callback: kind.name, setting: key)
    }
    return value
  }

  func wholeNumber(_ key: String) throws(CommandError) -> Int { try choice(key) { Int($0) } }

  func number(_ key: String) throws(CommandError) -> Double { try choice(key) { Double($0) } }

  func flag(_ key: String) throws(CommandError) -> Bool { try choice(key) { Bool($0) } }

  func mode() throws(CommandError) -> MetricDirection? {
    try text("mode") == nil ? nil : choice("mode", MetricDirection.init)
  }

  /// A value as read by `read`.
  func choice<Value>(_ key: String, _ read: (String) -> Value?) throws(CommandError) -> Value {
    let text = try required(key)
    guard let value = read(text) else {
      throw .settingValue(
        callback: kind.name, setting: key, value: text, expected: setting(key).kind.expected)
    }
    return value
  }

  private func setting(_ key: String) -> CallbackSetting {
    guard let setting = kind.settings.first(where: { $0.name == key }) else {
      programmerError("\(kind.name) has no row for its setting \(key)")
    }
    return setting
  }
}
