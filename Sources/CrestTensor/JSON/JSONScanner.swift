/// Reads the tokens of a JSON text (RFC 8259) one after the other.
///
/// It builds no tree, never reads beyond its bytes and never recurses: its user's grammar decides
/// what a text may hold, and how deeply nested.
package struct JSONScanner {
  /// Where a text differs from what its reader expects.
  package struct Fault: Error, Equatable, CustomStringConvertible {
    /// The offset in the text.
    package let offset: Int
    /// What should be there.
    package let expected: String

    package init(offset: Int, expected: String) {
      self.offset = offset
      self.expected = expected
    }

    /// As in `it is no JSON at byte 7: expected '}'`.
    package var description: String { "it is not JSON at byte \(offset): expected \(expected)" }
  }

  private let bytes: UnsafeRawBufferPointer
  /// The offset of the next character.
  package private(set) var position = 0

  /// A scanner at the beginning of `bytes`, which must outlive it.
  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The next character that isn't white space; nil at the end.
  package mutating func peek() -> Unicode.Scalar? {
    while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) {
      position += 1
    }
    return position < bytes.count ? Unicode.Scalar(bytes[position]) : nil
  }

  /// Takes `character` if it is next.
  package mutating func accept(_ character: Unicode.Scalar) -> Bool {
    guard peek() == character else { return false }
    position += 1
    return true
  }

  /// Takes `character`, which must be next.
  package mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
    guard accept(character) else { throw fault("'\(character)'") }
  }

  /// Takes `word` if it is next.
  package mutating func accept(word: StaticString) -> Bool {
    guard peek() != nil else { return false }
    let length = word.utf8CodeUnitCount
    let matches = word.withUTF8Buffer { bytes[position...].starts(with: $0) }
    if matches { position += length }
    return matches
  }

  /// Nothing but white space may follow.
  package mutating func expectEnd() throws(Fault) {
    if peek() != nil { throw fault("nothing more") }
  }

  /// Takes a number as it is written.
  package mutating func number() throws(Fault) -> String {
    _ = peek()
    let start = position
    if next == "-" { position += 1 }
    if next == "0" { position += 1 } else { try digits() }
    if next == "." {
      position += 1
      try digits()
    }
    if next == "e" || next == "E" {
      position += 1
      if next == "+" || next == "-" { position += 1 }
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// Takes an integer from 0 to the largest `Int`.
  package mutating func wholeNumber() throws(Fault) -> Int {
    _ = peek()
    let start = position
    guard let value = Int(try number()), value >= 0, bytes[start] != 0x2D else {
      throw Fault(offset: start, expected: "an integer from 0 to \(Int.max)")
    }
    return value
  }

  /// Takes a string, without its quotes and with its escapes replaced.
  package mutating func string() throws(Fault) -> String {
    guard accept("\"") else { throw fault("a string in quotes") }
    let start = position
    var decoded: [UInt8] = []
    var copied = position
    while position < bytes.count {
      switch bytes[position] {
      case 0x22:
        decoded += bytes[copied..<position]
        position += 1
        guard let text = String(validating: decoded, as: UTF8.self) else {
          throw Fault(offset: start, expected: "a string in UTF-8")
        }
        return text
      case 0x5C:
        decoded += bytes[copied..<position]
        try escape(into: &decoded)
        copied = position
      case 0..<0x20: throw fault("a string without control characters")
      default: position += 1
      }
    }
    throw fault("the end of a string")
  }

  /// A failure at the next character.
  package func fault(_ expected: String) -> Fault { Fault(offset: position, expected: expected) }

  private var next: Unicode.Scalar? {
    position < bytes.count ? Unicode.Scalar(bytes[position]) : nil
  }

  private mutating func digits() throws(Fault) {
    let start = position
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
    if position == start { throw fault("a digit") }
  }

  private mutating func escape(into decoded: inout [UInt8]) throws(Fault) {
    position += 1
    guard let code = next else { throw fault("an escape") }
    position += 1
    switch code {
    case "\"", "\\", "/": decoded.append(UInt8(code.value))
    case "b": decoded.append(0x08)
    case "f": decoded.append(0x0C)
    case "n": decoded.append(0x0A)
    case "r": decoded.append(0x0D)
    case "t": decoded.append(0x09)
    case "u": decoded += String(try unicodeEscape()).utf8
    default:
      position -= 1
      throw fault("one of the escapes of JSON")
    }
  }

  private mutating func unicodeEscape() throws(Fault) -> Character {
    let start = position
    var units = [try hexadecimal()]
    if UTF16.isLeadSurrogate(units[0]), next == "\\" {
      position += 1
      guard next == "u" else { throw fault("the second half of a surrogate pair") }
      position += 1
      units.append(try hexadecimal())
    }
    guard let text = String(validating: units, as: UTF16.self), let character = text.first else {
      throw Fault(offset: start, expected: "a character of Unicode")
    }
    return character
  }

  private mutating func hexadecimal() throws(Fault) -> UInt16 {
    let end = position + 4
    guard end <= bytes.count else { throw fault("four hexadecimal digits") }
    var value: UInt16 = 0
    for byte in bytes[position..<end] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw fault("four hexadecimal digits")
      }
      value = value << 4 | UInt16(digit)
    }
    position = end
    return value
  }
}

extension String {
  /// The text as a JSON string, in quotes, with escapes only where JSON requires them, so that
  /// equal texts give equal bytes.
  package var jsonQuoted: String {
    var result = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
