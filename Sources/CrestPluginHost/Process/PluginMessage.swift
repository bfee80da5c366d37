import CCrestPlugin
package import CrestTensor
package import CrestTraining

/// Lines of the protocol between a host and a plugin in a process of its own (docs/plugins.md).
enum PluginMessage {
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
package enum PluginAction: Equatable {
  case log(PluginLogLevel, String)
  case report(String, Double)
  case set(Hyperparameter.Part, Double)
  case cancel(Phase, String)

  /// An action from its object; nil when it is none.
  package init?(_ value: JSONValue) {
    guard case .object(let members) = value else { return nil }
    let names = Set(members.keys)
    if let message = members["log"]?.text, names.isSubset(of: ["log", "level"]) {
      let name = members["level"]?.text ?? "info"
      guard let level = PluginLogLevel.allCases.first(where: { "\($0)" == name }) else {
        return nil
      }
      self = .log(level, message)
    } else if let name = members["report"]?.text, names == ["report", "value"],
      let number = members["value"]?.namedNumber
    {
      self = .report(name, number)
    } else if let name = members["set"]?.text, names == ["set", "value"],
      let part = Hyperparameter.Part.numbered.first(where: { $0.wireName == name }),
      let number = members["value"]?.namedNumber
    {
      self = .set(part, number)
    } else if let name = members["cancel"]?.text, names.isSubset(of: ["cancel", "reason"]),
      let phase = Phase.allCases.first(where: { "\($0)" == name })
    {
      self = .cancel(phase, members["reason"]?.text ?? "no reason given")
    } else {
      return nil
    }
  }
}
