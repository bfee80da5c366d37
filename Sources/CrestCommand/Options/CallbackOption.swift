import ArgumentParser
import Crest

/// A callback as an option names it: `name` or `name:key=value,…`.
struct CallbackOption: ExpressibleByArgument {
  private let named: NamedSettings

  init(argument: String) { named = NamedSettings(argument) }

  func make() throws -> any Callback {
    guard let kind = NamedCallback.all.first(where: { $0.name == named.name })
    else {
      throw CommandError.unknownName(
        what: "--callback", name: named.name, known: NamedCallback.all.map(\.name))
    }
    return try kind.make(CallbackSettings(of: kind, named))
  }
}

/// A shipped callback that has a name on the command line.
struct NamedCallback: Sendable {
  let name: String
  let settings: [String]
  let make: @Sendable (CallbackSettings) throws -> any Callback

  static let all = [
    NamedCallback(name: "csv-logger", settings: ["path"]) { settings in
      CSVLogger(path: try settings.required("path"))
    },
    NamedCallback(
      name: "early-stopping",
      settings: ["monitor", "patience", "min-delta", "mode", "restore-best"]
    ) { settings in
      try EarlyStopping(
        monitor: settings.text("monitor").map { Monitor($0) } ?? .validLoss,
        patience: settings.value("patience", "a whole number", Int.init) ?? 1,
        minDelta: settings.value("min-delta", "a number", Double.init) ?? 0,
        mode: settings.mode(), restoresBest: settings.flag("restore-best") ?? false)
    },
    NamedCallback(name: "ema", settings: ["decay", "validates"]) { settings in
      try EMA(
        decay: settings.value("decay", "a number", Double.init) ?? 0.999,
        validates: settings.flag("validates") ?? true)
    },
    NamedCallback(name: "gradient-accumulation", settings: ["batches"]) { settings in
      let batches = try settings.required("batches")
      guard let count = Int(batches) else {
        throw CommandError.settingValue(
          callback: "gradient-accumulation", setting: "batches", value: batches,
          expected: "a whole number")
      }
      return try GradientAccumulation(batches: count)
    },
    NamedCallback(name: "gradient-clip", settings: ["by", "max"]) { settings in
      try GradientClip(
        settings.value(
          "by", GradientClip.Kind.allCases.map(\.rawValue).joined(separator: " or "),
          GradientClip.Kind.init) ?? .norm,
        maximum: settings.value("max", "a number", Double.init) ?? 1)
    },
    NamedCallback(
      name: "model-checkpoint",
      settings: [
        "folder", "every", "keep-last", "monitor", "keep-best", "mode", "contents", "name",
      ]
    ) { settings in
      try ModelCheckpoint(
        folder: settings.required("folder"),
        every: settings.value("every", "as in 2epochs or 500steps", { CheckpointInterval($0) })
          ?? .epochs(1),
        keepLast: settings.value("keep-last", "a whole number", Int.init) ?? 3,
        monitor: settings.text("monitor").map { Monitor($0) },
        keepBest: settings.value("keep-best", "a whole number", Int.init) ?? 1,
        mode: settings.mode(),
        contents: settings.value(
          "contents", Learner.Contents.allCases.map(\.rawValue).joined(separator: " or "),
          Learner.Contents.init) ?? .everything,
        name: settings.text("name") ?? "checkpoint-{step:10}")
    },
    NamedCallback(
      name: "reduce-lr-on-plateau",
      settings: ["monitor", "factor", "patience", "min-delta", "cooldown", "min-lr", "mode"]
    ) { settings in
      try ReduceLROnPlateau(
        monitor: settings.text("monitor").map { Monitor($0) } ?? .validLoss,
        factor: settings.value("factor", "a number", Double.init) ?? 0.1,
        patience: settings.value("patience", "a whole number", Int.init) ?? 10,
        minDelta: settings.value("min-delta", "a number", Double.init) ?? 1e-4,
        cooldown: settings.value("cooldown", "a whole number", Int.init) ?? 0,
        minLR: settings.value("min-lr", "a number", Double.init) ?? 0, mode: settings.mode())
    },
    NamedCallback(name: "step-logger", settings: ["path"]) { settings in
      StepLogger(path: try settings.required("path"))
    },
    NamedCallback(name: "terminate-on-nan", settings: []) { _ in TerminateOnNaN() },
  ]
}

/// The settings that a callback was given.
struct CallbackSettings {
  private let callback: String
  private var values: [String: String] = [:]

  init(of kind: NamedCallback, _ named: NamedSettings) throws(CommandError) {
    callback = kind.name
    for (key, value) in try named.pairs(of: "--callback") {
      guard kind.settings.contains(key) else {
        throw .unknownSetting(callback: callback, setting: key, known: kind.settings)
      }
      values[key] = value
    }
  }

  func text(_ key: String) -> String? { values[key] }

  func required(_ key: String) throws(CommandError) -> String {
    guard let value = values[key], !value.isEmpty else {
      throw .missingSetting(callback: callback, setting: key)
    }
    return value
  }

  func flag(_ key: String) throws(CommandError) -> Bool? {
    try value(key, "true or false", Bool.init)
  }

  func mode() throws(CommandError) -> MetricDirection? {
    try value(
      "mode", MetricDirection.allCases.map(\.rawValue).joined(separator: " or "),
      MetricDirection.init)
  }

  func value<Value>(
    _ key: String, _ expected: String, _ read: (String) -> Value?
  ) throws(CommandError) -> Value? {
    guard let text = values[key] else { return nil }
    guard let value = read(text) else {
      throw .settingValue(callback: callback, setting: key, value: text, expected: expected)
    }
    return value
  }
}
