import CCrestPlugin
import CrestFiles
import CrestTensor
import CrestTraining

/// What a plugin in a process of its own writes once it runs, and what it is written (docs/plugins.md).
package struct PluginMessage {
  /// The number of the event that it answers; nil when it answers none.
  let event: Int?
  /// What it wants done.
  let actions: [PluginAction]
  /// Its state, where it was asked for that.
  let state: String?
  /// How it failed.
  let error: String?

  /// Reads a line.
  ///
  /// - Throws: ``ChildProcess/Fault/misbehaved(_:)`` when it isn't a message, or has a member that there isn't or of
  ///   another kind than it should be.
  package init(_ line: ArraySlice<UInt8>) throws(ChildProcess.Fault) {
    var members = Members(try Self.members(of: line), of: "a message")
    event = try members.take("event", "a whole number") { $0.integer }
    state = try members.take("state", "a string") { $0.text }
    error = try members.take("error", "a string") { $0.text }
    let values = try members.take("actions", "a list") { value -> [JSONValue]? in
      if case .list(let values) = value { values } else { nil }
    }
    try members.end()
    var actions: [PluginAction] = []
    for value in values ?? [] { actions.append(try PluginAction(value)) }
    self.actions = actions
  }

  /// The members of a line, which is an object.
  static func members(
    of line: ArraySlice<UInt8>
  ) throws(ChildProcess.Fault) -> [String: JSONValue] {
    do throws(JSONScanner.Fault) {
      let value = try JSONValue(parsing: Array(line))
      if case .object(let members) = value { return members }
      throw JSONScanner.Fault(offset: 0, expected: "an object")
    } catch {
      let start = String(decoding: line.prefix(80), as: UTF8.self)
      throw .misbehaved("it sent \(start.debugDescription), but \(error)")
    }
  }

  /// The members of an object, each taken once.
  struct Members {
    private var members: [String: JSONValue]
    private let place: String

    init(_ members: [String: JSONValue], of place: String) {
      (self.members, self.place) = (members, place)
    }

    /// A member of this name; nil when there is none.
    mutating func take<Value>(
      _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(ChildProcess.Fault) -> Value? {
      guard let value = members.removeValue(forKey: name) else { return nil }
      guard let result = read(value) else {
        throw .misbehaved(
          "it sent \(place) whose \(name) is \(value.kind.shown(limit: 120)), expected \(expected)")
      }
      return result
    }

    /// A member that must be there.
    mutating func require<Value>(
      _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
    ) throws(ChildProcess.Fault) -> Value {
      guard let result = try take(name, expected, read) else {
        throw .misbehaved("it sent \(place) without \(name), expected \(expected)")
      }
      return result
    }

    /// Nothing may be left.
    func end() throws(ChildProcess.Fault) {
      guard let name = members.keys.min() else { return }
      throw .misbehaved(
        "it sent \(place) with \(name.shown(limit: 120).debugDescription), which the protocol does not have; remove it"
      )
    }
  }

  /// The version of the protocol, which is the major one of the interface.
  static let version = Int(CREST_PLUGIN_MAJOR)

  private static let outcomes = ["running", "finished", "cancelled", "interrupted", "failed"]
  private static let purposes = ["", "training", "validation"]

  /// An event, with its line feed.
  static func line(_ number: Int, _ hook: PluginHook, _ event: PluginEvent) -> [UInt8] {
    let values = event.pointer.pointee
    var line = Line()
    line.add("event", number)
    line.add("hook", text: hook.name)
    if values.purpose != 0 { line.add("purpose", text: purposes[Int(values.purpose)]) }
    if values.outcome != 0 { line.add("outcome", text: outcomes[Int(values.outcome)]) }
    if let reason = event.reason { line.add("reason", json: reason.jsonQuoted) }
    if values.epoch >= 0 { line.add("epoch", Int(values.epoch)) }
    line.add("epoch_count", Int(values.epoch_count))
    if values.batch >= 0 { line.add("batch", Int(values.batch)) }
    line.add("batch_count", Int(values.batch_count))
    line.add("step", Int(values.step))
    line.add("step_count", Int(values.step_count))
    if values.example_count > 0 { line.add("example_count", Int(values.example_count)) }
    let isLossKnown =
      hook.isOfBatch
      ? hook.rawValue >= PluginHook.afterLoss.rawValue
      : hook == .afterTrain || hook == .afterValidate
    if isLossKnown { line.add("loss", values.loss) }
    if !values.smoothed_loss.isNaN { line.add("smoothed_loss", values.smoothed_loss) }
    if !values.train_loss.isNaN { line.add("train_loss", values.train_loss) }
    if !values.validation_loss.isNaN { line.add("valid_loss", values.validation_loss) }
    line.add("learning_rate", values.learning_rate)
    line.add("momentum", values.momentum)
    line.add("weight_decay", values.weight_decay)
    if !event.metrics.isEmpty {
      let metrics = event.metrics.map { $0.name.jsonQuoted + ":" + JSONValue($0.value).json }
      line.add("metrics", json: "{" + metrics.joined(separator: ",") + "}")
    }
    return line.finished()
  }

  /// A message of other members, with its line feed.
  static func line(_ members: [(String, JSONValue)]) -> [UInt8] {
    var line = Line()
    for (name, value) in members { line.add(name, json: value.json) }
    return line.finished()
  }

  /// An object on a line, written member by member: tens of thousands a second.
  private struct Line {
    private var bytes: [UInt8] = [0x7B]

    init() { bytes.reserveCapacity(512) }

    mutating func add(_ name: StaticString, _ value: Int) { add(name, json: "\(value)") }
    mutating func add(_ name: StaticString, _ value: Double) {
      add(name, json: JSONValue(value).json)
    }
    /// Text without characters that JSON escapes.
    mutating func add(_ name: StaticString, text: String) { add(name, json: "\"\(text)\"") }
    mutating func add(_ name: StaticString, json: String) {
      name.withUTF8Buffer { add($0, json: json) }
    }
    mutating func add(_ name: String, json: String) {
      var name = name
      name.withUTF8 { add($0, json: json) }
    }

    private mutating func add(_ name: UnsafeBufferPointer<UInt8>, json: String) {
      if bytes.count > 1 { bytes.append(0x2C) }
      bytes.append(0x22)
      bytes += name
      bytes += [0x22, 0x3A]
      bytes += json.utf8
    }

    mutating func finished() -> [UInt8] {
      bytes += [0x7D, 0x0A]
      return bytes
    }
  }
}

/// What a plugin wants done.
enum PluginAction: Equatable {
  case log(PluginLogLevel, String)
  case report(String, Double)
  case set(Hyperparameter.Part, Double)
  case cancel(Phase, String)

  /// An action from its object.
  ///
  /// - Throws: ``ChildProcess/Fault/misbehaved(_:)`` when it is none, or has a member that it hasn't or of another kind.
  init(_ value: JSONValue) throws(ChildProcess.Fault) {
    guard case .object(let object) = value else {
      throw .misbehaved(
        "it sent an action that is \(value.kind.shown(limit: 120)), expected an object")
    }
    guard let kind = ["log", "report", "set", "cancel"].first(where: { object[$0] != nil }) else {
      throw .misbehaved("there is no action \(value.json.shown(limit: 200))")
    }
    var members = PluginMessage.Members(object, of: "the action \(kind)")
    switch kind {
    case "log":
      let message = try members.require("log", "a string") { $0.text }
      let level = try members.take(
        "level", "one of " + PluginLogLevel.allCases.map { "\($0)" }.joined(separator: ", ")
      ) { value in PluginLogLevel.allCases.first { "\($0)" == value.text } }
      self = .log(level ?? .info, message)
    case "report":
      let name = try members.require("report", "a string") { $0.text }
      self = .report(name, try members.require("value", "a number") { $0.namedNumber })
    case "set":
      let part = try members.require(
        "set", "one of " + Hyperparameter.Part.numbered.map(\.wireName).joined(separator: ", ")
      ) { value in Hyperparameter.Part.numbered.first { $0.wireName == value.text } }
      self = .set(part, try members.require("value", "a number") { $0.namedNumber })
    default:
      let phase = try members.require(
        "cancel", "one of " + Phase.allCases.map { "\($0)" }.joined(separator: ", ")
      ) { value in Phase.allCases.first { "\($0)" == value.text } }
      let reason = try members.take("reason", "a string") { $0.text }
      self = .cancel(phase, reason ?? "no reason given")
    }
    try members.end()
  }
}
