package import CrestTensor

extension StateValue {
  /// The value as JSON, its arrays taken out.
  ///
  /// An array is written as an object whose only key is empty and whose value is what `name` calls it.
  /// Numbers are written in the fewest digits that read back the same, whole ones of ``number(_:)`` with a
  /// point; infinities and NaN, which JSON lacks, as an object with an empty key and their bits.
  package func json(_ name: (Path, Tensor) -> String) -> String {
    jsonValue(at: Path([]), name).json
  }

  private func jsonValue(at path: Path, _ name: (Path, Tensor) -> String) -> JSONValue {
    switch self {
    case .null: .null
    case .bool(let value): .bool(value)
    case .integer(let value): .integer(value)
    case .number(let value) where value.isFinite: .number(value)
    case .number(let value): .object(["": .text(""), "bits": .text("\(value.bitPattern)")])
    case .text(let value): .text(value)
    case .list(let values):
      .list(
        values.enumerated().map { index, value in
          value.jsonValue(at: path.appending("\(index)"), name)
        })
    case .fields(let fields):
      .object(
        Dictionary(
          // In order, as arrays lie in the file in the order they are named in.
          uniqueKeysWithValues: fields.sorted { $0.key < $1.key }.map { key, value in
            (key, value.jsonValue(at: path.appending(key), name))
          }))
    case .array(let tensor): .object(["": .text(name(path, tensor))])
    }
  }

  /// The most values of a state, arrays' elements not counted, and how deep they may lie.
  private static let limits = JSONValue.Limits(depth: 64, count: 2_000_000, numbers: .asWritten)

  /// A value from its JSON, with the arrays that `array` gives for their names.
  init(
    json: String, array: (String) throws(JSONScanner.Fault) -> Tensor
  ) throws(JSONScanner.Fault) {
    let value = try JSONValue(parsing: json, within: Self.limits) { members in
      members[""] == nil || Marked(members) != nil ? nil : "an array's name, or a number's bits"
    }
    try self.init(value, array)
  }

  private init(
    _ value: JSONValue, _ array: (String) throws(JSONScanner.Fault) -> Tensor
  ) throws(JSONScanner.Fault) {
    switch value {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .number(value)
    case .text(let value): self = .text(value)
    case .list(let values):
      self = .list(
        try values.map { (value) throws(JSONScanner.Fault) in try StateValue(value, array) })
    case .object(let members):
      switch Marked(members) {
      case .array(let name): self = .array(try array(name))
      case .number(let number): self = .number(number)
      case nil:
        var fields: [String: StateValue] = [:]
        for (name, value) in members { fields[name] = try StateValue(value, array) }
        self = .fields(fields)
      }
    }
  }
}

/// What an object with an empty key stands for.
private enum Marked {
  case array(name: String)
  case number(Double)

  init?(_ members: [String: JSONValue]) {
    guard case .text(let name)? = members[""] else { return nil }
    if members.count == 1 {
      self = .array(name: name)
    } else if members.count == 2, name.isEmpty, case .text(let text)? = members["bits"],
      let bits = UInt64(text)
    {
      self = .number(Double(bitPattern: bits))
    } else {
      return nil
    }
  }
}
