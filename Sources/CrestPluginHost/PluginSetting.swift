import CrestTensor

/// A setting of a plugin, as its manifest describes it.
public struct PluginSetting: Equatable, Sendable {
  /// The type of its values.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A number.
    case number
    /// An integer.
    case integer
    /// A string.
    case string
    /// True or false.
    case boolean
  }

  /// The type of its values.
  public let kind: Kind
  /// What it does, in a sentence.
  public let summary: String
  /// The values it may have: from the least to the greatest, of numbers.
  let minimum: Double?
  let maximum: Double?
  /// The values it may have, of texts; any when empty.
  let choices: [String]
  /// The default; a setting without one is required.
  let standard: JSONValue?

  init(_ value: JSONValue, at place: String, path: String) throws(PluginError) {
    var fields = try Fields(value, at: place, path: path)
    kind = try fields.take(
      "type", "one of \(Kind.allCases.map(\.rawValue).joined(separator: ", "))"
    ) {
      $0.text.flatMap(Kind.init(rawValue:))
    }
    summary = try fields.take("summary", "a string") { $0.text }
    let isNumber = kind == .number || kind == .integer
    func bound(_ name: String) throws(PluginError) -> Double? {
      try fields.takeIfPresent(name, "a number, for the type number or integer") { value in
        isNumber ? value.number : nil
      }
    }
    minimum = try bound("minimum")
    maximum = try bound("maximum")
    let isText = kind == .string
    choices =
      try fields.takeIfPresent("choices", "a list of strings, for the type string") {
        isText ? $0.texts : nil
      } ?? []
    let given = try fields.takeIfPresent("default", "a value") { $0 }
    try fields.end()
    standard = given
    if let given, let reason = objection(to: given) {
      throw .refused(path: path, reason: "\(place).default: \(reason)")
    }
  }

  /// Why it can't have `value`; nil when it can.
  func objection(to value: JSONValue) -> String? {
    let fits =
      switch (kind, value) {
      case (.number, .number), (.number, .integer), (.integer, .integer), (.string, .text),
        (.boolean, .bool):
        true
      default: false
      }
    guard fits else { return "expected \(expectation), got \(value.kind)" }
    if let number = value.number {
      let isInside = number >= minimum ?? -.infinity && number <= maximum ?? .infinity
      if !isInside { return "expected \(expectation), got \(value.kind)" }
    }
    if case .text(let text) = value, !choices.isEmpty, !choices.contains(text) {
      return "expected \(expectation), got \(value.kind)"
    }
    return nil
  }

  /// What values are, in words.
  var expectation: String {
    let what =
      switch kind {
      case .number: "a number"
      case .integer: "an integer"
      case .string: choices.isEmpty ? "a string" : "one of \(choices.joined(separator: ", "))"
      case .boolean: "true or false"
      }
    func text(_ bound: Double) -> String { JSONValue(bound).json }
    return switch (minimum, maximum) {
    case (nil, nil): what
    case (let minimum?, nil): "\(what) of at least \(text(minimum))"
    case (nil, let maximum?): "\(what) of at most \(text(maximum))"
    case (let minimum?, let maximum?): "\(what) from \(text(minimum)) to \(text(maximum))"
    }
  }

  /// The value that `text` on a command line stands for; nil when it is none of this kind.
  func value(from text: String) -> JSONValue? {
    switch kind {
    case .number, .integer: Double(text).flatMap { $0.isFinite ? JSONValue($0) : nil }
    case .string: .text(text)
    case .boolean: text == "true" ? .bool(true) : text == "false" ? .bool(false) : nil
    }
  }
}

/// A value of a plugin's setting, given in Swift.
public enum PluginValue: Equatable, Sendable, ExpressibleByFloatLiteral,
  ExpressibleByIntegerLiteral,
  ExpressibleByStringLiteral, ExpressibleByBooleanLiteral
{
  /// A number, whole ones too.
  case number(Double)
  /// A string.
  case text(String)
  /// True or false.
  case bool(Bool)
  /// As written on a command line; the setting's type decides what it is.
  case written(String)

  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A number.
  public init(integerLiteral value: Int) { self = .number(Double(value)) }
  /// A string.
  public init(stringLiteral value: String) { self = .text(value) }
  /// True or false.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension PluginManifest {
  /// The configuration as the plugin gets it: `values`, and defaults for the rest.
  ///
  /// - Throws: ``PluginError/configuration(plugin:setting:reason:)`` unless it fits the schema.
  func configuration(_ values: [String: PluginValue]) throws(PluginError) -> JSONValue {
    var members: [String: JSONValue] = [:]
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let setting = settings[name] else {
        let known = settings.keys.sorted()
        throw .configuration(
          plugin: identifier, setting: name,
          reason: known.isEmpty
            ? "the plugin has no settings; leave it out"
            : "there is no such setting; expected one of \(known.joined(separator: ", "))")
      }
      let given: JSONValue
      switch value {
      case .number(let number): given = JSONValue(number)
      case .text(let text): given = .text(text)
      case .bool(let bool): given = .bool(bool)
      case .written(let text): given = setting.value(from: text) ?? .text(text)
      }
      if let reason = setting.objection(to: given) {
        throw .configuration(plugin: identifier, setting: name, reason: reason)
      }
      members[name] = given
    }
    for (name, setting) in settings.sorted(by: { $0.key < $1.key }) where members[name] == nil {
      guard let standard = setting.standard else {
        throw .configuration(
          plugin: identifier, setting: name,
          reason: "it is missing; give \(name)=…, \(setting.expectation)")
      }
      members[name] = standard
    }
    return .object(members)
  }
}
