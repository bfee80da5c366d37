import CrestFiles
import CrestTensor

/// A member of a manifest's object: its name, what it has to be, and how it is read.
struct ManifestField<Value>: Sendable {
  let name: String
  let expected: String
  /// The value; nil when it isn't what it has to be.
  let read: @Sendable (JSONValue) -> Value?

  init(_ name: String, _ expected: String, _ read: @escaping @Sendable (JSONValue) -> Value?) {
    self.name = name
    self.expected = expected
    self.read = read
  }
}

/// The members of an object in a manifest, each to be taken once.
struct Fields {
  private var members: [String: JSONValue]
  private let place: String
  private let path: String

  init(_ value: JSONValue, at place: String, path: String) throws(PluginError) {
    guard case .object(let members) = value else {
      throw .refused(
        path: path,
        reason:
          "\(place.isEmpty ? "" : "\(place): ")expected an object, got \(value.kind.shown(limit: 120))"
      )
    }
    self.members = members
    self.place = place.isEmpty ? "" : place + "."
    self.path = path
  }

  var names: [String] { members.keys.sorted() }

  mutating func take<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws(PluginError) -> Value {
    guard let value = try takeIfPresent(name, expected, read) else {
      throw .refused(path: path, reason: "\(place)\(name) is missing; expected \(expected)")
    }
    return value
  }

  mutating func takeIfPresent<Value>(
    _ name: String, _ expected: String, _ read: (JSONValue) -> Value?
  ) throws(PluginError) -> Value? {
    guard let value = members.removeValue(forKey: name) else { return nil }
    guard let result = read(value) else {
      throw .refused(
        path: path,
        reason: "\(place)\(name): expected \(expected), got \(value.kind.shown(limit: 120))")
    }
    return result
  }

  mutating func take<Value>(_ field: ManifestField<Value>) throws(PluginError) -> Value {
    try take(field.name, field.expected, field.read)
  }

  mutating func takeIfPresent<Value>(
    _ field: ManifestField<Value>
  ) throws(PluginError) -> Value? {
    try takeIfPresent(field.name, field.expected, field.read)
  }

  /// Nothing may be left.
  func end() throws(PluginError) {
    guard let name = names.first else { return }
    throw .refused(path: path, reason: "\(place)\(name) is not a known field; remove it")
  }
}
