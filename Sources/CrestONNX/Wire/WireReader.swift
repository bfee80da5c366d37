import CrestTensor

/// The form in which a protobuf field's value is stored; groups, long obsolete, aren't read.
enum WireType: UInt8 {
  case varint = 0
  case fixed64 = 1
  case bytes = 2
  case fixed32 = 5

  var name: String {
    switch self {
    case .varint: "a varint"
    case .fixed64: "8 fixed bytes"
    case .bytes: "bytes with a length"
    case .fixed32: "4 fixed bytes"
    }
  }
}

/// Where a field lies in the source: tag, length if it has one, and body.
package struct WireSpan: Hashable, Sendable {
  /// The offset of the tag.
  package let start: Int
  /// The offset of the value, behind tag and length.
  package let bodyStart: Int
  /// The offset behind the value.
  package let end: Int

  /// The whole field.
  package var field: Range<Int> { start..<end }
  /// The value alone.
  package var body: Range<Int> { bodyStart..<end }
}

/// A field of a protobuf message.
struct WireField {
  let number: Int
  let type: WireType
  /// The value of a varint, else 0.
  let varint: UInt64
  let span: WireSpan
}

/// What is wrong in the bytes, before the file's name is known.
struct WireFault: Error {
  enum Kind {
    case malformed(expected: String, got: String)
    case overLimit(String)
  }

  let offset: Int
  var path: String
  let kind: Kind

  init(at offset: Int, _ path: String = "", expected: String, got: String) {
    self.offset = offset
    self.path = path
    kind = .malformed(expected: expected, got: got)
  }

  init(at offset: Int, _ path: String = "", limit: String) {
    self.offset = offset
    self.path = path
    kind = .overLimit(limit)
  }

  /// The same fault, seen from the message whose field `component` is.
  func inside(_ component: String) -> WireFault {
    var fault = self
    fault.path = path.isEmpty ? component : component + "." + path
    return fault
  }

  func error(in file: String) -> ONNXError {
    let place = ONNXError.Place(
      file: file, offset: offset, field: path.isEmpty ? "the model" : path)
    return switch kind {
    case .malformed(let expected, let got): .malformed(place, expected: expected, got: got)
    case .overLimit(let limit): .overLimit(place, limit: limit)
    }
  }
}

/// Adds `component` to the path of faults of `body`.
func inside<Result>(
  _ component: @autoclosure () -> String, _ body: () throws(WireFault) -> Result
) throws(WireFault) -> Result {
  do throws(WireFault) {
    return try body()
  } catch {
    throw error.inside(component())
  }
}

/// Reads the fields of one protobuf message, in order, and never outside of it.
struct WireReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var position: Int
  let end: Int

  /// A reader of the message that takes `range` of `bytes`.
  init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) {
    programmerError(
      unless: range.lowerBound >= 0 && range.upperBound <= bytes.count,
      "\(range) of \(bytes.count) bytes")
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  var isAtEnd: Bool { position == end }

  /// The next field; nil at the end of the message.
  mutating func next() throws(WireFault) -> WireField? {
    guard position < end else { return nil }
    let start = position
    let tag = try varint()
    guard (8..<(1 << 32)).contains(tag) else {
      throw WireFault(
        at: start, expected: "a field number from 1 to 536870911", got: "\(tag >> 3)")
    }
    let number = Int(tag >> 3)
    guard let type = WireType(rawValue: UInt8(tag & 7)) else {
      throw WireFault(
        at: start, expected: "a wire type of 0, 1, 2 or 5 for field \(number)", got: "\(tag & 7)")
    }
    var bodyStart = position
    var value: UInt64 = 0
    switch type {
    case .varint: value = try varint()
    case .fixed64: try skip(8, number)
    case .fixed32: try skip(4, number)
    case .bytes:
      let count = try varint()
      bodyStart = position
      try skip(count, number)
    }
    return WireField(
      number: number, type: type, varint: value,
      span: WireSpan(start: start, bodyStart: bodyStart, end: position))
  }

  /// A number of 7 bits a byte, at most 10 bytes.
  mutating func varint() throws(WireFault) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = bytes[position]
      position += 1
      if shift == 63, byte > 1 {
        throw WireFault(
          at: start, expected: "a varint of at most 64 bits in 10 bytes", got: "a longer one")
      }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw WireFault(at: start, expected: "a varint", got: "the end of the message at byte \(end)")
  }

  private mutating func skip(_ count: UInt64, _ number: Int) throws(WireFault) {
    guard count <= UInt64(end - position) else {
      throw WireFault(
        at: position, expected: "at most \(end - position) bytes, to the end of the message",
        got: "\(count) bytes of field \(number)")
    }
    position += Int(count)
  }
}
