/// A message that may stand in a field of another.
protocol WireMessage {
  /// The message at `span`, which lies in `depth - 1` others.
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> Self
}

/// Reads the messages of a model, and counts what they hold.
///
/// Each message's own fields are read in the file that declares its type.
struct MessageParser {
  let bytes: UnsafeRawBufferPointer
  let limits: WireLimits
  private var counts = [Int](repeating: 0, count: WireLimits.Counted.allCases.count)

  init(_ bytes: UnsafeRawBufferPointer, limits: WireLimits) {
    self.bytes = bytes
    self.limits = limits
  }

  /// The fields of a message, in order; a field that may stand once does.
  ///
  /// Protobuf lets the last one win or merges them, and readers disagree: an attacker's tool.
  struct Fields {
    private var reader: WireReader
    private let singular: UInt64
    private var seen: UInt64 = 0

    init(_ reader: WireReader, singular: [Int]) {
      self.reader = reader
      self.singular = singular.reduce(0) { $0 | 1 << UInt64($1) }
    }

    mutating func next() throws(WireFault) -> WireField? {
      guard let field = try reader.next() else { return nil }
      guard field.number < 64 else { return field }
      let bit: UInt64 = 1 << UInt64(field.number)
      if singular & seen & bit != 0 {
        throw WireFault(
          at: field.span.start, expected: "field \(field.number) once", got: "it twice")
      }
      seen |= bit
      return field
    }
  }

  /// The fields of the message at `range`; those of `singular` numbers may stand once.
  func fields(
    in range: Range<Int>, depth: Int, singular: [Int]
  ) throws(WireFault) -> Fields {
    guard depth <= limits.depth else {
      throw WireFault(at: range.lowerBound, limit: "\(limits.depth) nested messages")
    }
    return Fields(WireReader(bytes, in: range), singular: singular)
  }

  /// Counts `amount` things against their limit.
  mutating func count(
    _ counted: WireLimits.Counted, _ amount: Int = 1, at offset: Int
  ) throws(WireFault) {
    let limit = limits[counted]
    guard amount <= limit - counts[counted.rawValue] else {
      throw WireFault(at: offset, limit: "\(limit) \(counted.name)")
    }
    counts[counted.rawValue] += amount
  }

  // MARK: Messages in fields

  /// The message in `field`; faults are told from `component` on.
  mutating func message<Message: WireMessage>(
    _ field: WireField, _ component: String, depth: Int
  ) throws(WireFault) -> Message {
    _ = try body(field, component)
    return try inside(component) { () throws(WireFault) in
      try Message.read(field.span, depth: depth + 1, by: &self)
    }
  }

  /// Appends the message in `field`, an element of the repeated field `name`.
  mutating func append<Message: WireMessage>(
    _ field: WireField, _ name: String, to messages: inout [Message], depth: Int
  ) throws(WireFault) {
    _ = try body(field, name)
    let index = messages.count
    messages.append(
      try inside("\(name)[\(index)]") { () throws(WireFault) in
        try Message.read(field.span, depth: depth + 1, by: &self)
      })
  }

  // MARK: Values of fields

  func expect(_ type: WireType, _ field: WireField, _ name: String) throws(WireFault) {
    guard field.type == type else {
      throw WireFault(at: field.span.start, name, expected: type.name, got: field.type.name)
    }
  }

  /// The body of a message or of bytes.
  func body(_ field: WireField, _ name: String) throws(WireFault) -> Range<Int> {
    try expect(.bytes, field, name)
    return field.span.body
  }

  func text(_ field: WireField, _ name: String) throws(WireFault) -> String {
    let range = try body(field, name)
    guard range.count <= limits.textByteCount else {
      throw WireFault(at: range.lowerBound, name, limit: "\(limits.textByteCount) bytes of text")
    }
    guard let text = String(validating: bytes[range], as: UTF8.self) else {
      throw WireFault(
        at: range.lowerBound, name, expected: "text in UTF-8", got: "bytes that are not")
    }
    return text
  }

  func integer(_ field: WireField, _ name: String) throws(WireFault) -> Int64 {
    try expect(.varint, field, name)
    return Int64(bitPattern: field.varint)
  }

  /// An `int32` or an enumeration's number.
  func number(_ field: WireField, _ name: String) throws(WireFault) -> Int32 {
    let value = try integer(field, name)
    guard let number = Int32(exactly: value) else {
      throw WireFault(
        at: field.span.bodyStart, name, expected: "a number of 32 bits", got: "\(value)")
    }
    return number
  }

  func float(_ field: WireField, _ name: String) throws(WireFault) -> Float {
    try expect(.fixed32, field, name)
    return bytes.loadUnaligned(fromByteOffset: field.span.bodyStart, as: Float.self)
  }

  /// Appends the elements of a repeated `int64`, packed or single.
  mutating func integers(
    _ field: WireField, _ name: String, into list: inout [Int64]
  ) throws(WireFault) {
    let count = try elementCount(field, width: nil, name)
    try self.count(.listElements, count, at: field.span.start)
    guard field.type == .bytes else { return list.append(Int64(bitPattern: field.varint)) }
    list.reserveCapacity(list.count + count)
    var reader = WireReader(bytes, in: field.span.body)
    while !reader.isAtEnd {
      list.append(
        Int64(bitPattern: try inside(name) { () throws(WireFault) in try reader.varint() }))
    }
  }

  /// Appends the elements of a repeated `float`, packed or single.
  mutating func floats(
    _ field: WireField, _ name: String, into list: inout [Float]
  ) throws(WireFault) {
    let count = try elementCount(field, width: 4, name)
    try self.count(.listElements, count, at: field.span.start)
    for index in 0..<count {
      let offset = field.span.bodyStart + 4 * index
      list.append(bytes.loadUnaligned(fromByteOffset: offset, as: Float.self))
    }
  }

  /// How many elements a field of a repeated number holds, packed or single, of `width` bytes each
  /// or varints when nil.
  func elementCount(
    _ field: WireField, width: Int?, _ name: String
  ) throws(WireFault) -> Int {
    let single: WireType = width.map { $0 == 4 ? .fixed32 : .fixed64 } ?? .varint
    if field.type == single { return 1 }
    let range = try body(field, name)
    guard let width else { return try varintCount(range, name) }
    guard range.count.isMultiple(of: width) else {
      throw WireFault(
        at: range.lowerBound, name, expected: "a multiple of \(width) bytes", got: "\(range.count)")
    }
    return range.count / width
  }

  /// How many varints a range holds, the last of which ends in it.
  private func varintCount(_ range: Range<Int>, _ name: String) throws(WireFault) -> Int {
    guard !range.isEmpty else { return 0 }
    guard bytes[range.upperBound - 1] < 0x80 else {
      throw WireFault(
        at: range.upperBound - 1, name, expected: "the last byte of a varint",
        got: "the end of the field")
    }
    return CrestONNX.varintCount(UnsafeRawBufferPointer(rebasing: bytes[range]))
  }
}
