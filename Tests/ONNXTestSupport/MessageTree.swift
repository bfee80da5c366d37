import CrestONNX

/// A message of ONNX as a tree of fields, to be changed and written again.
///
/// A reader of its own: what mutates models must not share a fault with the reader under test.
struct MessageTree: Sendable {
  /// The messages whose fields are known; others stay bytes.
  enum Kind: Sendable {
    case model, operatorSet, graph, node, attribute, tensor, value, type, tensorType, shape
    case dimension, entry

    /// The kind of the message in a field; nil when the field holds none that is known.
    func kind(ofField number: Int) -> Kind? {
      switch (self, number) {
      case (.model, 7), (.attribute, 6), (.attribute, 11): .graph
      case (.model, 8): .operatorSet
      case (.model, 14), (.tensor, 13): .entry
      case (.graph, 1): .node
      case (.graph, 5), (.attribute, 5), (.attribute, 10): .tensor
      case (.graph, 11), (.graph, 12), (.graph, 13): .value
      case (.node, 5): .attribute
      case (.value, 2): .type
      case (.type, 1): .tensorType
      case (.tensorType, 2): .shape
      case (.shape, 1): .dimension
      default: nil
      }
    }

    /// Whether a field holds a name of values, which other fields refer to.
    func isValueName(_ number: Int) -> Bool {
      switch self {
      case .node: number == 1 || number == 2
      case .tensor: number == 8
      case .value: number == 1
      default: false
      }
    }
  }

  enum Value: Sendable {
    case varint(UInt64)
    case fixed32([UInt8])
    case fixed64([UInt8])
    case bytes([UInt8])
    case message(MessageTree)
  }

  struct Field: Sendable {
    var number: Int
    var value: Value
  }

  let kind: Kind
  var fields: [Field] = []

  /// The tree of `bytes`; nil when they are no message.
  init?(_ bytes: ArraySlice<UInt8>, _ kind: Kind) {
    self.kind = kind
    var rest = bytes
    while !rest.isEmpty {
      guard let tag = Self.varint(&rest), tag >> 3 > 0, tag >> 3 < 1 << 29 else { return nil }
      let number = Int(tag >> 3)
      let value: Value
      switch tag & 7 {
      case 0:
        guard let number = Self.varint(&rest) else { return nil }
        value = .varint(number)
      case 1:
        guard rest.count >= 8 else { return nil }
        value = .fixed64(Array(rest.prefix(8)))
        rest = rest.dropFirst(8)
      case 5:
        guard rest.count >= 4 else { return nil }
        value = .fixed32(Array(rest.prefix(4)))
        rest = rest.dropFirst(4)
      case 2:
        guard let count = Self.varint(&rest), count <= rest.count else { return nil }
        let body = rest.prefix(Int(count))
        rest = rest.dropFirst(Int(count))
        value =
          kind.kind(ofField: number).flatMap { MessageTree(body, $0) }.map(Value.message)
          ?? .bytes(Array(body))
      default: return nil
      }
      fields.append(Field(number: number, value: value))
    }
  }

  private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    return nil
  }

  /// The message's bytes.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    write(to: &bytes)
    return bytes
  }

  private func write(to bytes: inout [UInt8]) {
    func varint(_ value: UInt64) {
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
    for field in fields {
      let tag = UInt64(field.number) << 3
      switch field.value {
      case .varint(let value):
        varint(tag)
        varint(value)
      case .fixed64(let value):
        varint(tag | 1)
        bytes += value
      case .fixed32(let value):
        varint(tag | 5)
        bytes += value
      case .bytes(let value):
        varint(tag | 2)
        varint(UInt64(value.count))
        bytes += value
      case .message(let message):
        varint(tag | 2)
        let body = message.bytes
        varint(UInt64(body.count))
        bytes += body
      }
    }
  }

  /// How many fields there are, those of inner messages included.
  var fieldCount: Int {
    fields.reduce(fields.count) { count, field in
      if case .message(let message) = field.value { count + message.fieldCount } else { count }
    }
  }

  /// Calls `body` with the message that holds the field of this number, counted depth first, and the
  /// field's place in it.
  mutating func change(_ number: Int, _ body: (inout MessageTree, Int) -> Void) {
    var rest = number
    _ = change(&rest, body)
  }

  private mutating func change(
    _ rest: inout Int, _ body: (inout MessageTree, Int) -> Void
  ) -> Bool {
    for place in fields.indices {
      if rest == 0 {
        body(&self, place)
        return true
      }
      rest -= 1
      guard case .message(var message) = fields[place].value else { continue }
      let found = message.change(&rest, body)
      if found {
        fields[place].value = .message(message)
        return true
      }
    }
    return false
  }

  /// Calls `body` with every field and the kind of the message it is in.
  func forEachField(_ body: (Kind, Field) -> Void) {
    for field in fields {
      body(kind, field)
      if case .message(let message) = field.value { message.forEachField(body) }
    }
  }
}
