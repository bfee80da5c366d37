import CrestTensor

extension StateValue {
  /// The fields of `value`.
  ///
  /// Arrays of `Float` and bytes, and longer ones of `Double` and `Int`, become tensors. An optional that is
  /// nil is a field too, so that a missing one is noticed.
  ///
  /// - Throws: ``StateError/notSavable(_:reason:)``, and what the value's own `encode(to:)` throws.
  public init(encoding value: some Encodable) throws {
    self = try StateEncoder(path: Path([])).value(of: value)
  }
}

/// The number of elements from which a list of numbers is an array.
let arrayThreshold = 16

/// Takes a value apart.
private struct StateEncoder: Encoder {
  let path: StateValue.Path
  var node = StateNode()
  var codingPath: [any CodingKey] { path.codingPath }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func value<Value: Encodable>(of value: Value) throws -> StateValue {
    if let simple = try simpleValue(of: value) { return simple }
    let encoder = StateEncoder(path: path)
    try value.encode(to: encoder)
    return encoder.node.value
  }

  private func simpleValue<Value: Encodable>(of value: Value) throws -> StateValue? {
    switch value {
    case let value as Bool: return .bool(value)
    case let value as String: return .text(value)
    case let value as Double: return .number(value)
    case let value as Float: return .number(Double(value))
    case let value as any FixedWidthInteger:
      // A seed may be larger than any Int.
      return Int(exactly: value).map { .integer($0) } ?? .text("\(value)")
    default: break
    }
    // By type, since an empty array can be cast to any.
    if Value.self == [Float].self, let value = value as? [Float] { return .array(Tensor(value)) }
    if Value.self == [UInt8].self, let value = value as? [UInt8] { return .array(Tensor(value)) }
    if Value.self == [Double].self, let value = value as? [Double], value.count >= arrayThreshold {
      return .array(Tensor(value))
    }
    if Value.self == [Int].self, let value = value as? [Int], value.count >= arrayThreshold {
      return .array(Tensor(value.map(Int64.init)))
    }
    return nil
  }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.becomeFields()
    return KeyedEncodingContainer(Keyed(path: path, node: node))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.becomeList()
    return Unkeyed(path: path, node: node)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    Single(path: path, node: node)
  }

  struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let path: StateValue.Path
    let node: StateNode
    var codingPath: [any CodingKey] { path.codingPath }

    mutating func encodeNil(forKey key: Key) { node.set(.null, key.stringValue) }

    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
      guard !key.stringValue.isEmpty else {
        throw StateError.notSavable(path, reason: "a key of it is empty")
      }
      node.set(
        try StateEncoder(path: path.appending(key.stringValue)).value(of: value), key.stringValue)
    }

    mutating func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
      if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
    }

    // The protocol's own leave out what is nil, and they are preferred to the one above.
    mutating func encodeIfPresent(_ value: Bool?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: String?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: Double?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: Float?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: Int?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: Int8?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: Int16?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: Int32?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: Int64?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: UInt?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws {
      try encode(value, forKey: key)
    }

    mutating func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
      encoder(key.stringValue).container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
      encoder(key.stringValue).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { encoder("super") }
    mutating func superEncoder(forKey key: Key) -> any Encoder { encoder(key.stringValue) }

    private func encoder(_ name: String) -> StateEncoder {
      StateEncoder(path: path.appending(name), node: node.child(name))
    }
  }

  struct Unkeyed: UnkeyedEncodingContainer {
    let path: StateValue.Path
    let node: StateNode
    var codingPath: [any CodingKey] { path.codingPath }
    var count: Int { node.count }

    mutating func encodeNil() { node.append(.null) }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
      node.append(try StateEncoder(path: path.appending("\(count)")).value(of: value))
    }

    mutating func nestedContainer<Nested: CodingKey>(
      keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> { encoder().container(keyedBy: type) }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
      encoder().unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { encoder() }

    private func encoder() -> StateEncoder {
      StateEncoder(path: path.appending("\(count)"), node: node.nextChild())
    }
  }

  struct Single: SingleValueEncodingContainer {
    let path: StateValue.Path
    let node: StateNode
    var codingPath: [any CodingKey] { path.codingPath }

    mutating func encodeNil() { node.become(.null) }

    mutating func encode<Value: Encodable>(_ value: Value) throws {
      node.become(try StateEncoder(path: path).value(of: value))
    }
  }
}

/// A value that is being put together; a class, as the containers of a coder share it.
private final class StateNode {
  private enum Content {
    case value(StateValue)
    case fields([String: StateNode])
    case list([StateNode])
  }

  private var content = Content.value(.fields([:]))

  init() {}
  init(_ value: StateValue) { content = .value(value) }

  var value: StateValue {
    switch content {
    case .value(let value): value
    case .fields(let fields): .fields(fields.mapValues(\.value))
    case .list(let nodes): .list(nodes.map(\.value))
    }
  }

  var count: Int {
    if case .list(let nodes) = content { nodes.count } else { 0 }
  }

  func become(_ value: StateValue) { content = .value(value) }

  func becomeFields() {
    if case .fields = content { return }
    content = .fields([:])
  }

  func becomeList() {
    if case .list = content { return }
    content = .list([])
  }

  func set(_ value: StateValue, _ name: String) { insert(StateNode(value), name) }

  func append(_ value: StateValue) { insert(StateNode(value)) }

  func child(_ name: String) -> StateNode {
    let node = StateNode()
    insert(node, name)
    return node
  }

  func nextChild() -> StateNode {
    let node = StateNode()
    insert(node)
    return node
  }

  private func insert(_ node: StateNode, _ name: String) {
    guard case .fields(var fields) = content else { return }
    content = .fields([:])
    fields[name] = node
    content = .fields(fields)
  }

  private func insert(_ node: StateNode) {
    guard case .list(var nodes) = content else { return }
    content = .list([])
    nodes.append(node)
    content = .list(nodes)
  }
}

extension StateValue.Path {
  /// The path as coders want it.
  var codingPath: [any CodingKey] { components.map { StateKey($0) } }
}

/// A component of a path.
struct StateKey: CodingKey {
  let stringValue: String
  var intValue: Int? { Int(stringValue) }

  init(_ component: String) { stringValue = component }
  init(stringValue: String) { self.stringValue = stringValue }
  init(intValue: Int) { stringValue = String(intValue) }
}
