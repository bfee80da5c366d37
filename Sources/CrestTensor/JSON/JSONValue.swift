/// A JSON text as a tree, of bounded size.
package enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case list([JSONValue])
  case object([String: JSONValue])

  /// What a text may hold, far beyond any real one and little enough for memory.
  package struct Limits: Sendable {
    /// What the digits of a number say.
    package enum Numbers: Sendable {
      /// Whole numbers and others are told apart as they are written, and whole ones must fit an `Int`.
      case asWritten
      /// A number is the nearest `Double`, and whole if that is: `1.0` and `1` are the same.
      case asValues
    }

    /// The deepest nesting.
    package let depth: Int
    /// The most values.
    package let count: Int
    package let numbers: Numbers

    package init(depth: Int, count: Int, numbers: Numbers) {
      self.depth = depth
      self.count = count
      self.numbers = numbers
    }
  }

  /// The nearest integer if it is one, else the number.
  package init(_ number: Double) {
    self = Int(exactly: number).map { .integer($0) } ?? .number(number)
  }

  /// Reads all of `bytes`; an object that has a key twice is refused.
  ///
  /// - Parameters:
  ///   - bytes: The text, in UTF-8.
  ///   - limits: What it may hold.
  ///   - expectation: What an object with these members should be instead; nil when it is well.
  /// - Throws: Where the text isn't what it should be.
  package init(
    parsing bytes: UnsafeRawBufferPointer, within limits: Limits,
    expecting expectation: ([String: JSONValue]) -> String? = { _ in nil }
  ) throws(JSONScanner.Fault) {
    self = try withoutActuallyEscaping(expectation) { expectation throws(JSONScanner.Fault) in
      var reader = Reader(scanner: JSONScanner(bytes), limits: limits, expectation: expectation)
      let value = try reader.value(depth: 0)
      try reader.scanner.expectEnd()
      return value
    }
  }

  /// Reads all of `text`; an object that has a key twice is refused.
  ///
  /// - Parameters:
  ///   - text: The text.
  ///   - limits: What it may hold.
  ///   - expectation: What an object with these members should be instead; nil when it is well.
  /// - Throws: Where the text isn't what it should be.
  package init(
    parsing text: String, within limits: Limits,
    expecting expectation: ([String: JSONValue]) -> String? = { _ in nil }
  ) throws(JSONScanner.Fault) {
    var text = text
    let result = text.withUTF8 { bytes in
      Result { () throws(JSONScanner.Fault) in
        try JSONValue(
          parsing: UnsafeRawBufferPointer(bytes), within: limits, expecting: expectation)
      }
    }
    self = try result.get()
  }

  private struct Reader {
    var scanner: JSONScanner
    let limits: Limits
    let expectation: ([String: JSONValue]) -> String?
    var count = 0

    mutating func value(depth: Int) throws(JSONScanner.Fault) -> JSONValue {
      count += 1
      guard depth <= limits.depth, count <= limits.count else {
        throw scanner.fault("at most \(limits.count) values, \(limits.depth) deep")
      }
      switch scanner.peek() {
      case "{": return .object(try object(depth: depth))
      case "[": return .list(try list(depth: depth))
      case "\"": return .text(try scanner.string())
      case "t" where scanner.accept(word: "true"): return .bool(true)
      case "f" where scanner.accept(word: "false"): return .bool(false)
      case "n" where scanner.accept(word: "null"): return .null
      default: return try number()
      }
    }

    private mutating func number() throws(JSONScanner.Fault) -> JSONValue {
      let start = scanner.position
      let text = try scanner.number()
      let isWhole = !text.utf8.contains { [0x2E, 0x45, 0x65].contains($0) }
      if limits.numbers == .asWritten, isWhole {
        if let value = Int(text) { return .integer(value) }
      } else if let value = Double(text), value.isFinite {
        return limits.numbers == .asWritten ? .number(value) : JSONValue(value)
      }
      throw JSONScanner.Fault(offset: start, expected: "a number of 64 bits")
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
      let start = scanner.position
      try scanner.expect("{")
      var members: [String: JSONValue] = [:]
      guard !scanner.accept("}") else { return members }
      repeat {
        let key = try scanner.string()
        try scanner.expect(":")
        guard members.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
          throw scanner.fault("\"\(key)\" once")
        }
      } while scanner.accept(",")
      try scanner.expect("}")
      if let expected = expectation(members) {
        throw JSONScanner.Fault(offset: start, expected: expected)
      }
      return members
    }
  }
}

extension JSONValue {
  /// The value as JSON on one line, keys in order; numbers in the fewest digits that read back the same, and what JSON
  /// has no number for as a text: `"nan"`, `"inf"`, `"-inf"`.
  package var json: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .number(let value) where value.isFinite: text += "\(value)"
    case .number(let value): text += value.isNaN ? "\"nan\"" : value < 0 ? "\"-inf\"" : "\"inf\""
    case .text(let value): text += value.jsonQuoted
    case .list(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        value.write(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, (key, value)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { text += "," }
        text += key.jsonQuoted + ":"
        value.write(to: &text)
      }
      text += "}"
    }
  }
}

extension JSONValue {
  /// The text, if it is one.
  package var text: String? { if case .text(let text) = self { text } else { nil } }

  /// The number, if it is one.
  package var number: Double? {
    switch self {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }

  /// The integer, if it is one.
  package var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }

  /// The texts, if it is a list of nothing else.
  package var texts: [String]? { list(of: \.text) }

  /// The numbers, if it is a list of nothing else.
  package var numbers: [Double]? { list(of: \.number) }

  private func list<Element>(of element: (JSONValue) -> Element?) -> [Element]? {
    guard case .list(let values) = self else { return nil }
    let elements = values.compactMap(element)
    return elements.count == values.count ? elements : nil
  }
}
