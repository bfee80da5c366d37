import ArgumentParser
import Crest

/// A callback as an option names it: `name` or `name:key=value,…`.
struct CallbackOption: ExpressibleByArgument {
  let name: String
  let settings: String?

  init?(argument: String) {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    name = String(parts[0])
    settings = parts.count == 2 ? String(parts[1]) : nil
  }

  func make() throws -> any Callback {
    guard let kind = NamedCallback.all.first(where: { $0.name == name }) else {
      throw CommandError.unknownName(
        what: "--callback", name: name, known: NamedCallback.all.map(\.name))
    }
    return try kind.make(CallbackSettings(of: kind, settings))
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
      name: "early-stopping", settings: ["monitor", "patience", "min-delta", "mode"]
    ) { settings in
      try EarlyStopping(
        monitor: settings.text("monitor").map { EarlyStopping.Monitor($0) } ?? .validLoss,
        patience: settings.value("patience", "a whole number", Int.init) ?? 1,
        minDelta: settings.value("min-delta", "a number", Double.init) ?? 0,
        mode: settings.value(
          "mode", MetricDirection.allCases.map(\.rawValue).joined(separator: " or "),
          MetricDirection.init))
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

  init(of kind: NamedCallback, _ text: String?) throws(CommandError) {
    callback = kind.name
    for (key, value) in try keyedSettings(text, of: "--callback \(callback)") {
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
