package import CrestTensor

extension StateValue {
  /// The value as JSON, its arrays taken out.
  ///
  /// An array is written as an object whose only key is empty and whose value is what `name` calls it.
  /// Numbers are written in the fewest digits that read back the same, whole ones of ``number(_:)`` with a
  /// point; infinities and NaN, which JSON lacks, as an object with an empty key and their bits.
  package func json(_ name: (StatePath, Tensor) -> String) -> String {
    var text = ""
    write(to: &text, at: StatePath([]), name)
    return text
  }

  private func write(
    to text: inout String, at path: StatePath, _ name: (StatePath, Tensor) -> String
  ) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .number(let value):
      text += value.isFinite ? "\(value)" : "{\"\":\"\",\"bits\":\"\(value.bitPattern)\"}"
    case .text(let value): text += value.jsonQuoted
    case .list(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        value.write(to: &text, at: path.appending("\(index)"), name)
      }
      text += "]"
    case .fields(let fields):
      text += "{"
      for (place, (key, value)) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
        if place > 0 { text += "," }
        text += key.jsonQuoted + ":"
        value.write(to: &text, at: path.appending(key), name)
      }
      text += "}"
    case .array(let tensor): text += "{\"\":" + name(path, tensor).jsonQuoted + "}"
    }
  }

  /// The most values of a state, arrays' elements not counted, and how deep they may lie: far beyond any real
  /// one, and little enough for memory.
  static let (countLimit, depthLimit) = (2_000_000, 64)

  /// A value from its JSON, with the arrays that `array` gives for their names.
  init(
    json: String, array: @escaping (String) throws(StateFault) -> Tensor
  ) throws(StateFault) {
    var text = json
    let result = text.withUTF8 { bytes in
      Result { () throws(StateFault) in
        var reader = StateReader(scanner: JSONScanner(UnsafeRawBufferPointer(bytes)), array: array)
        let value = try reader.value(depth: 0)
        try reader.end()
        return value
      }
    }
    self = try result.get()
  }
}

/// Why the JSON of a state can't be read.
struct StateFault: Error, Equatable {
  let offset: Int
  let expected: String
}

private struct StateReader {
  var scanner: JSONScanner
  let array: (String) throws(StateFault) -> Tensor
  var count = 0

  mutating func value(depth: Int) throws(StateFault) -> StateValue {
    count += 1
    guard depth <= StateValue.depthLimit, count <= StateValue.countLimit else {
      throw StateFault(
        offset: scanner.position,
        expected: "at most \(StateValue.countLimit) values, \(StateValue.depthLimit) deep")
    }
    switch scanner.peek() {
    case "{": return try object(depth: depth)
    case "[": return try list(depth: depth)
    case "\"":
      return .text(try token { (scanner) throws(JSONScanner.Fault) in try scanner.string() })
    case "t" where scanner.accept(word: "true"): return .bool(true)
    case "f" where scanner.accept(word: "false"): return .bool(false)
    case "n" where scanner.accept(word: "null"): return .null
    default: return try number()
    }
  }

  mutating func end() throws(StateFault) {
    try token { (scanner) throws(JSONScanner.Fault) in try scanner.expectEnd() }
  }

  private mutating func number() throws(StateFault) -> StateValue {
    let start = scanner.position
    let text = try token { (scanner) throws(JSONScanner.Fault) in try scanner.number() }
    if let value = Int(text) { return .integer(value) }
    guard text.contains(where: { ".eE".contains($0) }), let value = Double(text), value.isFinite
    else { throw StateFault(offset: start, expected: "a number of 64 bits") }
    return .number(value)
  }

  private mutating func list(depth: Int) throws(StateFault) -> StateValue {
    var values: [StateValue] = []
    try token { (scanner) throws(JSONScanner.Fault) in try scanner.expect("[") }
    if scanner.accept("]") { return .list([]) }
    repeat { values.append(try value(depth: depth + 1)) } while scanner.accept(",")
    try token { (scanner) throws(JSONScanner.Fault) in try scanner.expect("]") }
    return .list(values)
  }

  private mutating func object(depth: Int) throws(StateFault) -> StateValue {
    let start = scanner.position
    var fields: [String: StateValue] = [:]
    try token { (scanner) throws(JSONScanner.Fault) in try scanner.expect("{") }
    if scanner.accept("}") { return .fields([:]) }
    repeat {
      let key = try token { (scanner) throws(JSONScanner.Fault) in
        let key = try scanner.string()
        try scanner.expect(":")
        return key
      }
      guard fields.updateValue(try value(depth: depth + 1), forKey: key) == nil else {
        throw StateFault(offset: scanner.position, expected: "\"\(key)\" once")
      }
    } while scanner.accept(",")
    try token { (scanner) throws(JSONScanner.Fault) in try scanner.expect("}") }
    guard let mark = fields[""] else { return .fields(fields) }
    if fields.count == 1, case .text(let name) = mark { return .array(try array(name)) }
    if fields.count == 2, mark == .text(""), case .text(let text)? = fields["bits"],
      let bits = UInt64(text)
    {
      return .number(Double(bitPattern: bits))
    }
    throw StateFault(offset: start, expected: "an array's name, or a number's bits")
  }

  private mutating func token<Result>(
    _ body: (inout JSONScanner) throws(JSONScanner.Fault) -> Result
  ) throws(StateFault) -> Result {
    do throws(JSONScanner.Fault) {
      return try body(&scanner)
    } catch {
      throw StateFault(offset: error.offset, expected: error.expected)
    }
  }
}
