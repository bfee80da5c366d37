import CrestTensor

extension StateValue {
  /// The value that was encoded into these fields.
  ///
  /// - Parameters:
  ///   - type: Its type.
  ///   - path: Where the fields lie, for messages.
  /// - Returns: The value.
  /// - Throws: ``StateError`` naming the field that is missing, of another type, or not used by the
  ///   value; what the value's own `init(from:)` throws.
  public func decode<Value: Decodable>(
    _ type: Value.Type, at path: Path = Path([])
  ) throws -> Value {
    let reading = StateReading()
    let value = try StateDecoder(state: self, path: path, reading: reading).value(type)
    if let path = reading.firstUntaken(of: self, at: path) { throw StateError.unexpected(path) }
    return value
  }
}

/// Which fields have been taken; a class, as the containers of a coder share it.
private final class StateReading {
  /// The paths whose fields are taken one by one.
  private var taken: [StateValue.Path: Set<String>] = [:]

  func begin(_ path: StateValue.Path) { taken[path, default: []].formUnion([]) }
  func take(_ name: String, at path: StateValue.Path) { taken[path, default: []].insert(name) }

  func firstUntaken(of state: StateValue, at path: StateValue.Path) -> StateValue.Path? {
    switch state {
    case .fields(let fields):
      for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
        if let names = taken[path], !names.contains(name) { return path.appending(name) }
        if let untaken = firstUntaken(of: value, at: path.appending(name)) { return untaken }
      }
    case .list(let values):
      for (index, value) in values.enumerated() {
        if let names = taken[path], !names.contains("\(index)") {
          return path.appending("\(index)")
        }
        if let untaken = firstUntaken(of: value, at: path.appending("\(index)")) { return untaken }
      }
    default: break
    }
    return nil
  }
}

/// Puts a value together.
private struct StateDecoder: Decoder {
  let state: StateValue
  let path: StateValue.Path
  let reading: StateReading
  var codingPath: [any CodingKey] { path.codingPath }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func value<Value: Decodable>(_ type: Value.Type) throws -> Value {
    if let simple = try simpleValue(type) {
      guard let value = simple as? Value else {
        programmerError("a \(Swift.type(of: simple)) was made for a \(type)")
      }
      return value
    }
    do {
      return try Value(from: self)
    } catch let error as DecodingError {
      throw mistyped(error.expectation)
    }
  }

  /// The value, when its type is one that is written as it is; nil for others.
  private func simpleValue<Value: Decodable>(_ type: Value.Type) throws -> Any? {
    if type == Bool.self {
      guard case .bool(let value) = state else { throw mistyped("true or false") }
      return value
    }
    if type == String.self {
      guard case .text(let value) = state else { throw mistyped("a string") }
      return value
    }
    if type == Double.self { return try number() }
    if type == Float.self {
      let value = try number()
      guard value.isNaN || Double(Float(value)) == value else { throw mistyped("a float32") }
      return Float(value)
    }
    if let type = type as? any FixedWidthInteger.Type { return try integer(type) }
    if type == [Float].self { return try array(of: Float.self) }
    if type == [UInt8].self { return try array(of: UInt8.self) }
    if type == [Double].self, case .array = state { return try array(of: Double.self) }
    if type == [Int].self, case .array = state { return try array(of: Int64.self).map(Int.init) }
    return nil
  }

  private func number() throws -> Double {
    switch state {
    case .number(let value): value
    case .integer(let value): Double(value)
    default: throw mistyped("a number")
    }
  }

  private func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
    switch state {
    case .integer(let value): if let value = Value(exactly: value) { return value }
    case .text(let text): if let value = Value(text) { return value }
    default: break
    }
    throw mistyped("an integer (\(type))")
  }

  private func array<Element: TensorElement>(of type: Element.Type) throws -> [Element] {
    guard case .array(let tensor) = state, tensor.elementType == Element.elementType,
      tensor.shape.rank == 1
    else { throw mistyped("a vector of \(Element.elementType)") }
    return tensor.array(as: type)
  }

  fileprivate func mistyped(_ expected: String) -> StateError {
    .mistyped(path, expected: expected, got: state.kind)
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
    guard case .fields(let fields) = state else { throw mistyped("fields") }
    reading.begin(path)
    return KeyedDecodingContainer(Keyed(fields: fields, path: path, reading: reading))
  }

  func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
    guard case .list(let values) = state else { throw mistyped("a list") }
    reading.begin(path)
    return Unkeyed(values: values, path: path, reading: reading)
  }

  func singleValueContainer() -> any SingleValueDecodingContainer { Single(decoder: self) }

  struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let fields: [String: StateValue]
    let path: StateValue.Path
    let reading: StateReading
    var codingPath: [any CodingKey] { path.codingPath }
    var allKeys: [Key] { fields.keys.sorted().compactMap { Key(stringValue: $0) } }

    func contains(_ key: Key) -> Bool { fields[key.stringValue] != nil }

    func decodeNil(forKey key: Key) throws -> Bool {
      let decoder = try decoder(key.stringValue)
      if case .null = decoder.state { return true }
      return false
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
      try decoder(key.stringValue).value(type)
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }

    // The protocol's own take a missing field for nil, and they are preferred to the one above.
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? {
      try decodeNil(forKey: key) ? nil : decode(type, forKey: key)
    }

    func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
      try decoder(key.stringValue).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
      try decoder(key.stringValue).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { try decoder("super") }
    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key.stringValue) }

    private func decoder(_ name: String) throws -> StateDecoder {
      guard let value = fields[name] else { throw StateError.missing(path.appending(name)) }
      reading.take(name, at: path)
      return StateDecoder(state: value, path: path.appending(name), reading: reading)
    }
  }

  struct Unkeyed: UnkeyedDecodingContainer {
    let values: [StateValue]
    let path: StateValue.Path
    let reading: StateReading
    var currentIndex = 0
    var codingPath: [any CodingKey] { path.codingPath }
    var count: Int? { values.count }
    var isAtEnd: Bool { currentIndex == values.count }

    init(values: [StateValue], path: StateValue.Path, reading: StateReading) {
      self.values = values
      self.path = path
      self.reading = reading
    }

    mutating func decodeNil() throws -> Bool {
      guard !isAtEnd, case .null = values[currentIndex] else { return false }
      _ = try next()
      return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
      try next().value(type)
    }

    mutating func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> { try next().container(keyedBy: type) }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
      try next().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { try next() }

    private mutating func next() throws -> StateDecoder {
      let name = "\(currentIndex)"
      guard !isAtEnd else { throw StateError.missing(path.appending(name)) }
      defer { currentIndex += 1 }
      reading.take(name, at: path)
      return StateDecoder(state: values[currentIndex], path: path.appending(name), reading: reading)
    }
  }

  struct Single: SingleValueDecodingContainer {
    let decoder: StateDecoder
    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool {
      if case .null = decoder.state { true } else { false }
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.value(type) }
  }
}

extension DecodingError {
  /// What a type's own `init(from:)` says it expects.
  fileprivate var expectation: String {
    switch self {
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context),
      .keyNotFound(_, let context):
      context.debugDescription
    @unknown default: "\(self)"
    }
  }
}
