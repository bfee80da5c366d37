/// Reads numbers as texts of a table have them.
struct TableNumbers: Sendable {
  /// What separates the whole from its fraction.
  let decimal: UInt8
  /// The powers of 10 that a `Double` holds exactly.
  private let powers = (0...22).reduce(into: [1.0]) { powers, place in
    if place > 0 { powers.append(powers[place - 1] * 10) }
  }

  init(decimal: UInt8) { self.decimal = decimal }

  /// What is written, as the nearest `Double`; nil for anything else, and for what no `Double` is near.
  ///
  /// A sign, digits with a decimal among them, and an exponent; no spaces, separators of thousands, hexadecimal digits or
  /// words.
  func value(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    let count = bytes.count
    var at = 0
    guard count > 0 else { return nil }
    let isNegative = bytes[0] == UInt8(ascii: "-")
    if isNegative || bytes[0] == UInt8(ascii: "+") { at = 1 }
    var (mantissa, digits, exponent) = (UInt64(0), 0, 0)
    var isExact = true
    /// Takes digits, of which each lowers the exponent by `step`.
    func takeDigits(lowering step: Int) -> Int {
      let start = at
      while at < count {
        let digit = bytes[at] &- UInt8(ascii: "0")
        guard digit < 10 else { break }
        if digits < 19 {
          mantissa = mantissa * 10 + UInt64(digit)
          exponent -= step
          if mantissa > 0 { digits += 1 }
        } else {
          isExact = false
        }
        at += 1
      }
      return at - start
    }
    var found = takeDigits(lowering: 0)
    if at < count, bytes[at] == decimal {
      at += 1
      found += takeDigits(lowering: 1)
    }
    guard found > 0 else { return nil }
    if at < count, bytes[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      var isBelow = false
      if at < count, bytes[at] == UInt8(ascii: "-") || bytes[at] == UInt8(ascii: "+") {
        isBelow = bytes[at] == UInt8(ascii: "-")
        at += 1
      }
      guard at < count else { return nil }
      var power = 0
      while at < count {
        let digit = bytes[at] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        power = min(power * 10 + Int(digit), 1_000_000)
        at += 1
      }
      exponent += isBelow ? -power : power
    }
    guard at == count else { return nil }
    // Both are exact then, and their product or quotient is rounded once (Clinger 1990).
    if isExact, mantissa <= 1 << 53, abs(exponent) < powers.count {
      let power = powers[abs(exponent)]
      let value = exponent < 0 ? Double(mantissa) / power : Double(mantissa) * power
      return isNegative ? -value : value
    }
    let text = String(
      decoding: bytes.lazy.map { $0 == decimal ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }

  /// Whether a whole number begins with a 0 that it doesn't need, as codes do.
  static func isCode(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    bytes.count > 1 && bytes[0] == UInt8(ascii: "0")
      && bytes.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
  }
}
