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
    var outputs: [NamedOutput] = []
    for setting in kind.settings {
      guard let output = setting.kind.output, let path = try settings.text(setting.name) else {
        continue
      }
      outputs.append(NamedOutput("--callback \(kind.name):\(setting.name)", path, output))
    }
    return outputs
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
      case .metric: "the name of a metric"
      case .text: "text"
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
      case .metric: "metric"
      case .text: "text"
      case .patterns: "pattern|pattern…"
      case .log: "file"
      case .folder: "folder"
      }
    }

    /// The output it writes, if any.
    fileprivate var output: NamedOutput.Kind? {
      switch self {
      case .log: .log
      case .folder: .folder
      case .wholeNumber, .number, .flag, .choice, .interval, .metric, .text, .patterns: nil
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
    let usages = settings.map { "\($0.name)=\($0.kind.placeholder)" }
    return usages.isEmpty ? name : name + ":" + usages.joined(separator: ",")
  }

  static let mode = CallbackSetting("mode", .choice(MetricDirection.allCases.map(\.rawValue)))
}

/// A shipped callback that has a name on the command line.
struct NamedCallback: Sendable {
  let name: String
  let settings: [CallbackSetting]
  /// Makes it; what isn't given is as in the type's own initialiser.
  let make: @Sendable (CallbackSettings) throws -> any Callback

  /// As in `csv-logger:path=file`.
  var usage: String { CallbackSetting.usage(of: name, settings) }

  /// The command's name for a callback of the library; the callback's own name if it has none, as
  /// with a plugin.
  static func name(of callback: String) -> String { of(callback)?.name ?? callback }

  /// The table row of a callback of the library.
  static func of(_ callback: String) -> NamedCallback? {
    all.first { $0.name.filter { $0 != "-" } == callback.lowercased() }
  }

  static let all = [
    NamedCallback(
      name: "adaptive-gradient-clip",
      settings: [.init("factor", .number), .init("epsilon", .number), .init("clips-head", .flag)]
    ) {
      let own = try AdaptiveGradientClip()
      return try AdaptiveGradientClip(
        factor: $0.number("factor") ?? own.factor, epsilon: $0.number("epsilon") ?? own.epsilon,
        clipsHead: $0.flag("clips-head") ?? own.clipsHead)
    },
    NamedCallback(name: "csv-logger", settings: [.init("path", .log)]) {
      CSVLogger(path: try $0.required("path", $0.text))
    },
    NamedCallback(
      name: "divergence-guard",
      settings: [.init("factor", .number), .init("max-back-offs", .wholeNumber)]
    ) {
      let own = try DivergenceGuard()
      return try DivergenceGuard(
        factor: $0.number("factor") ?? own.factor,
        maxBackOffs: $0.wholeNumber("max-back-offs") ?? own.maxBackOffs)
    },
    NamedCallback(
      name: "early-stopping",
      settings: [
        .init("monitor", .metric), .init("patience", .wholeNumber), .init("min-delta", .number),
        .mode, .init("restore-best", .flag),
      ]
    ) {
      let own = try EarlyStopping()
      return try EarlyStopping(
        monitor: $0.monitor() ?? own.monitor, patience: $0.wholeNumber("patience") ?? own.patience,
        minDelta: $0.number("min-delta") ?? own.minDelta, mode: $0.mode() ?? own.mode,
        restoresBest: $0.flag("restore-best") ?? own.restoresBest)
    },
    NamedCallback(
      name: "ema", settings: [.init("decay", .number), .init("validates", .flag)]
    ) {
      let own = try EMA()
      return try EMA(
        decay: $0.number("decay") ?? own.decay, validates: $0.flag("validates") ?? own.validates)
    },
    NamedCallback(
      name: "freeze-parameters",
      settings: [
        .init("parameters", .patterns), .init("from", .wholeNumber), .init("until", .wholeNumber),
      ]
    ) {
      let choice = try $0.required("parameters", $0.patterns)
      let own = try FreezeParameters(choice)
      return try FreezeParameters(
        choice, from: $0.wholeNumber("from") ?? own.from,
        until: $0.wholeNumber("until") ?? own.until)
    },
    NamedCallback(name: "gradient-accumulation", settings: [.init("batches", .wholeNumber)]) {
      try GradientAccumulation(batches: $0.required("batches", $0.wholeNumber))
    },
    NamedCallback(name: "gradient-centralization", settings: []) { _ in
      GradientCentralization()
    },
    NamedCallback(
      name: "gradient-clip",
      settings: [
        .init("by", .choice(GradientClip.Kind.allCases.map(\.rawValue))), .init("max", .number),
      ]
    ) {
      let own = try GradientClip()
      return try GradientClip(
        $0.value("by", GradientClip.Kind.init) ?? own.kind,
        maximum: $0.number("max") ?? own.maximum)
    },
    NamedCallback(
      name: "lookahead",
      settings: [
        .init("every", .wholeNumber), .init("decay", .number), .init("cubic", .flag),
      ]
    ) {
      let own = try Lookahead()
      let every = try $0.wholeNumber("every") ?? own.every
      let decay = try $0.number("decay")
      guard try $0.flag("cubic") == true else {
        return try decay.map { try Lookahead(every: every, decay: $0) } ?? Lookahead(every: every)
      }
      if decay != nil { throw CommandError.cubicDecay }
      return try Lookahead.cubic(every: every)
    },
    NamedCallback(
      name: "model-checkpoint",
      settings: [
        .init("folder", .folder), .init("every", .interval), .init("keep-last", .wholeNumber),
        .init("monitor", .metric), .init("keep-best", .wholeNumber), .mode,
        .init("contents", .choice(Learner.Contents.allCases.map(\.rawValue))),
        .init("name", .text),
      ]
    ) {
      let own = try ModelCheckpoint(folder: $0.required("folder", $0.text))
      return try ModelCheckpoint(
        folder: own.folder, every: $0.value("every") { ModelCheckpoint.Interval($0) } ?? own.every,
        keepLast: $0.wholeNumber("keep-last") ?? own.keepLast,
        monitor: $0.monitor() ?? own.monitor,
        keepBest: $0.wholeNumber("keep-best") ?? own.keepBest, mode: $0.mode() ?? own.mode,
        contents: $0.value("contents", Learner.Contents.init) ?? own.contents,
        name: $0.text("name") ?? own.nameTemplate,
        warnings: .warnings(of: "ModelCheckpoint", as: "--callback model-checkpoint"))
    },
    NamedCallback(
      name: "recompute-batch-norm-statistics",
      settings: [
        .init("at", .choice(RecomputeBatchNormStatistics.Moment.allCases.map(\.rawValue))),
        .init("batches", .wholeNumber), .init("augmented", .flag),
      ]
    ) {
      let own = try RecomputeBatchNormStatistics()
      return try RecomputeBatchNormStatistics(
        at: $0.value("at", RecomputeBatchNormStatistics.Moment.init) ?? own.moment,
        batches: $0.wholeNumber("batches"), augmented: $0.flag("augmented") ?? own.augmented)
    },
    NamedCallback(
      name: "reduce-lr-on-plateau",
      settings: [
        .init("monitor", .metric), .init("factor", .number), .init("patience", .wholeNumber),
        .init("min-delta", .number), .init("cooldown", .wholeNumber), .init("min-lr", .number),
        .mode,
      ]
    ) {
      let own = try ReduceLROnPlateau()
      return try ReduceLROnPlateau(
        monitor: $0.monitor() ?? own.monitor, factor: $0.number("factor") ?? own.factor,
        patience: $0.wholeNumber("patience") ?? own.patience,
        minDelta: $0.number("min-delta") ?? own.minDelta,
        cooldown: $0.wholeNumber("cooldown") ?? own.cooldown,
        minLR: $0.number("min-lr") ?? own.minLR, mode: $0.mode() ?? own.mode, notes: .notes)
    },
    NamedCallback(
      name: "sam", settings: [.init("radius", .number), .init("adaptive", .flag)]
    ) {
      let own = try SAM()
      return try SAM(
        radius: $0.number("radius") ?? own.radius, adaptive: $0.flag("adaptive") ?? own.adaptive)
    },
    NamedCallback(name: "step-logger", settings: [.init("path", .log)]) {
      StepLogger(path: try $0.required("path", $0.text))
    },
    NamedCallback(name: "terminate-on-nan", settings: []) { _ in TerminateOnNaN() },
    NamedCallback(name: "time-limit", settings: [.init("seconds", .number)]) {
      try TimeLimit(seconds: $0.required("seconds", $0.number))
    },
  ]
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
