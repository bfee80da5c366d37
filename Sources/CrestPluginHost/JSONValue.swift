import CrestTensor

/// A JSON value as a tree, for small texts: manifests, configurations, messages of plugins.
enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  /// The deepest nesting and the most values that are read: far beyond any real message.
  private static let (depthLimit, countLimit) = (16, 100_000)

  /// A text that is no JSON, or more than a plugin has to say.
  struct Fault: Error, Equatable, CustomStringConvertible {
    let offset: Int
    let expected: String
    var description: String { "it is no JSON at byte \(offset): expected \(expected)" }
  }

  /// Reads all of `bytes`; an object that has a key twice is refused.
  init(parsing bytes: UnsafeRawBufferPointer) throws(Fault) {
    var reader = Reader(scanner: JSONScanner(bytes))
    do throws(JSONScanner.Fault) {
      self = try reader.value(depth: 0)
      try reader.scanner.expectEnd()
    } catch {
      throw Fault(offset: error.offset, expected: error.expected)
    }
  }

  /// Reads all of `bytes`.
  init(parsing bytes: [UInt8]) throws(Fault) {
    let result = bytes.withUnsafeBytes { bytes in
      Result { () throws(Fault) in try JSONValue(parsing: bytes) }
    }
    self = try result.get()
  }

  private struct Reader {
    var scanner: JSONScanner
    var count = 0

    mutating func value(depth: Int) throws(JSONScanner.Fault) -> JSONValue {
      count += 1
      guard depth <= JSONValue.depthLimit, count <= JSONValue.countLimit else {
        throw scanner.fault("at most \(countLimit) values, \(depthLimit) deep")
      }
      switch scanner.peek() {
      case "{": return .object(try object(depth: depth))
      case "[": return .list(try list(depth: depth))
      case "\"": return .text(try scanner.string())
      case "t" where scanner.accept(word: "true"): return .bool(true)
      case "f" where scanner.accept(word: "false"): return .bool(false)
      case "n" where scanner.accept(word: "null"): return .null
      default:
        guard let number = Double(try scanner.number()), number.isFinite else {
          throw scanner.fault("a number of 64 bits before it")
        }
        return .number(number)
      }
    }

    private mutating func list(depth: Int) throws(JSONScanner.Fault) -> [JSONValue] {
      try scanner.expect("[")
      if scanner.accept("]") { return [] }
      var values: [JSONValue] = []
      repeat { values.append(try value(depth: depth + 1)) } while scanner.accept(",")
      try scanner.expect("]")
      return values
    }

    private mutating func object(depth: Int) throws(JSONScanner.Fault) -> [String: JSONValue] {
      try scanner.expect("{")
      if scanner.accept("}") { return [:] }
      var members: [String: JSONValue] = [:]
      repeat {
        let key = try scanner.string()
        try scanner.expect(":")
        let value = try value(depth: depth + 1)
        guard members.updateValue(value, forKey: key) == nil else {
          throw scanner.fault("\"\(key)\" once")
        }
      } while scanner.accept(",")
      try scanner.expect("}")
      return members
    }
  }
}

extension JSONValue {
  /// The value as JSON on one line, keys in order; numbers in the fewest digits that read back the same.
  var json: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .number(let value): Self.number(value)
    case .text(let text): text.jsonQuoted
    case .list(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
    case .object(let members):
      "{"
        + members.sorted { $0.key < $1.key }.map { $0.key.jsonQuoted + ":" + $0.value.json }
        .joined(separator: ",") + "}"
    }
  }

  /// A number; what JSON has none for as a text: `"nan"`, `"inf"`, `"-inf"`.
  static func number(_ value: Double) -> String {
    guard value.isFinite else {
      return value.isNaN ? "\"nan\"" : value < 0 ? "\"-inf\"" : "\"inf\""
    }
    return Int(exactly: value).map { "\($0)" } ?? "\(value)"
  }

  /// What it is, for messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let value): Self.number(value)
    case .text(let text): text.jsonQuoted
    case .list: "a list"
    case .object: "an object"
    }
  }

  /// The text, if it is one.
  var text: String? { if case .text(let text) = self { text } else { nil } }
  /// The number, if it is one or its name.
  var number: Double? {
    switch self {
    case .number(let number): number
    case .text("nan"): .nan
    case .text("inf"): .infinity
    case .text("-inf"): -.infinity
    default: nil
    }
  }
  /// The whole number, if it is one.
  var integer: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }
  /// The texts, if it is a list of nothing else.
  var texts: [String]? {
    guard case .list(let values) = self else { return nil }
    let texts = values.compactMap(\.text)
    return texts.count == values.count ? texts : nil
  }
}
