import CCrestKernels
import Testing

struct CastTests {
  static let kernels = ["cast"]

  /// A value of any element type; integers keep all their bits.
  enum Value: Equatable {
    case float(Double)
    case integer(Int64)
  }

  struct ElementType: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let type: ck_type
    let bytes: Int
    /// Fraction bits and least normal exponent of a float type.
    var digits = 0
    var leastExponent = 0
    var greatestExponent = 0
    /// Range of an integer type.
    var range: ClosedRange<Int64>?
  }

  static let types = [
    ElementType(
      testDescription: "float32", type: CK_FLOAT32, bytes: 4, digits: 23, leastExponent: -126,
      greatestExponent: 127),
    ElementType(
      testDescription: "float64", type: CK_FLOAT64, bytes: 8, digits: 52, leastExponent: -1022,
      greatestExponent: 1023),
    ElementType(
      testDescription: "bfloat16", type: CK_BFLOAT16, bytes: 2, digits: 7, leastExponent: -126,
      greatestExponent: 127),
    ElementType(
      testDescription: "float16", type: CK_FLOAT16, bytes: 2, digits: 10, leastExponent: -14,
      greatestExponent: 15),
    ElementType(testDescription: "int8", type: CK_INT8, bytes: 1, range: -128...127),
    ElementType(testDescription: "int16", type: CK_INT16, bytes: 2, range: -32768...32767),
    ElementType(
      testDescription: "int32", type: CK_INT32, bytes: 4, range: Int64(Int32.min)...Int64(Int32.max)
    ),
    ElementType(testDescription: "int64", type: CK_INT64, bytes: 8, range: .min ... .max),
    ElementType(testDescription: "uint8", type: CK_UINT8, bytes: 1, range: 0...255),
    ElementType(testDescription: "bool", type: CK_BOOL, bytes: 1, range: 0...1),
  ]

  /// Bit patterns of a type: all of a type of 16 bits or fewer, chosen and random ones of others.
  private func patterns(_ type: ElementType) -> [UInt64] {
    if type.bytes <= 2 { return (0..<UInt64(1) << (8 * type.bytes)).map { $0 } }
    var numbers = SeededNumbers(seed: 81)
    let mask = type.bytes == 8 ? UInt64.max : UInt64(UInt32.max)
    var patterns = (0..<3000).map { _ in numbers.next() & mask }
    guard type.range == nil else {
      // Around powers of two, where integers stop fitting into floats and into each other.
      for bit in 0..<(8 * type.bytes) {
        for offset: UInt64 in [0, 1, .max, 0x7f, 0x81, 0x400] {
          patterns.append(((1 << UInt64(bit)) &+ offset) & mask)
          patterns.append((0 &- (1 << UInt64(bit)) &+ offset) & mask)
        }
      }
      return patterns
    }
    // Around the bounds of integers, halves, ties, and the smallest and greatest of each float type.
    let bounds: [Double] = [
      0, -0.0, 0.5, 1.5, -0.9, 127.9, 128, -128.5, -129, 255.9, 256, 32767.9, 32768, 0x1p31,
      -0x1p31, 0x1p31 - 1, 0x1p63, -0x1p63, 0x1p53, 65504, 65519.9, 65520, 0x1p-24, 0x1p-25,
      0x1.8p-25, 0x1.002p0, 0x1.006p0, 0x1.01p0, 0x1.03p0, 0x1.ffp-15, 0x1.fffp-15, 0x1p-133,
      0x1p-134, 0x1.8p-134, 0x1.ffp127, 0x1.fep127, 0x1.feffffp127, .infinity, .nan, 1e300,
      0x1.0080000000001p0, 0x1.0010000000001p0, 0x1p-149, 0x1p-150,
    ]
    for value in bounds + bounds.map({ -$0 }) {
      patterns.append(
        type.bytes == 8 ? value.bitPattern : UInt64(Float(value).bitPattern))
    }
    // Values of ordinary size, which random bits rarely are.
    for value in numbers.floats(1000, in: -300..<300) {
      patterns.append(type.bytes == 8 ? Double(value).bitPattern : UInt64(value.bitPattern))
    }
    return patterns
  }

  private func decode(_ bits: UInt64, _ type: ElementType) -> Value {
    if type.type == CK_BOOL { return .integer(bits == 0 ? 0 : 1) }
    if let range = type.range {
      let unused = UInt64(64 - 8 * type.bytes)
      let signed = Int64(bitPattern: bits << unused) >> Int64(unused)
      return .integer(range.lowerBound < 0 ? signed : Int64(bits))
    }
    let exponentBits = 8 * type.bytes - 1 - type.digits
    let fraction = Double(bits & ((1 << UInt64(type.digits)) - 1))
    let exponent = Int(bits >> UInt64(type.digits)) & ((1 << exponentBits) - 1)
    let sign: Double = bits >> UInt64(8 * type.bytes - 1) == 0 ? 1 : -1
    if exponent == (1 << exponentBits) - 1 {
      return .float(fraction == 0 ? sign * .infinity : .nan)
    }
    let scale = Double(sign: .plus, exponent: type.leastExponent - type.digits, significand: 1)
    if exponent == 0 { return .float(sign * fraction * scale) }
    let significand = 1 + fraction / Double(sign: .plus, exponent: type.digits, significand: 1)
    return .float(
      sign
        * Double(
          sign: .plus, exponent: exponent - 1 + type.leastExponent, significand: significand))
  }

  /// The nearest value of a float type, ties to even: scaled so that its step is one.
  private func rounded(_ x: Double, to type: ElementType) -> Double {
    guard x.isFinite, x != 0, type.digits < 52 else { return x }
    let step = max(Int(x.exponent), type.leastExponent) - type.digits
    let scale = Double(sign: .plus, exponent: step / 2, significand: 1)
    let rest = Double(sign: .plus, exponent: step - step / 2, significand: 1)
    let result = (x / scale / rest).rounded(.toNearestOrEven) * scale * rest
    let greatest = Double(sign: .plus, exponent: type.greatestExponent, significand: 2)
    return abs(result) >= greatest ? (x < 0 ? -.infinity : .infinity) : result
  }

  /// An integer as a float type, rounded once: by exact integer arithmetic.
  private func rounded(_ x: Int64, to type: ElementType) -> Double {
    let magnitude = x.magnitude
    let excess = 64 - magnitude.leadingZeroBitCount - (type.digits + 1)
    guard excess > 0 else { return rounded(Double(x), to: type) }
    let unit = UInt64(1) << UInt64(excess)
    let (kept, dropped) = (magnitude / unit, magnitude % unit)
    let up = dropped > unit / 2 || (dropped == unit / 2 && kept % 2 == 1)
    let result = Double(kept + (up ? 1 : 0)) * Double(unit)
    return rounded(x < 0 ? -result : result, to: type)
  }

  private func convert(_ value: Value, to type: ElementType) -> Value {
    switch (value, type.range) {
    case (.float(let x), nil): return .float(rounded(x, to: type))
    case (.integer(let x), nil): return .float(rounded(x, to: type))
    case (.float(let x), .some(let range)):
      if type.type == CK_BOOL { return .integer(x != 0 ? 1 : 0) }
      if x.isNaN { return .integer(0) }
      if x >= Double(range.upperBound) { return .integer(range.upperBound) }
      if x <= Double(range.lowerBound) { return .integer(range.lowerBound) }
      return .integer(Int64(x))
    case (.integer(let x), .some):
      if type.type == CK_BOOL { return .integer(x != 0 ? 1 : 0) }
      let mask = type.bytes == 8 ? UInt64.max : (1 << UInt64(8 * type.bytes)) - 1
      return decode(UInt64(bitPattern: x) & mask, type)
    }
  }

  private func same(_ a: Value, _ b: Value) -> Bool {
    guard case .float(let x) = a, case .float(let y) = b else { return a == b }
    return x.isNaN || y.isNaN ? x.isNaN && y.isNaN : x == y && x.sign == y.sign
  }

  private func bytes(_ patterns: [UInt64], _ type: ElementType) -> [UInt8] {
    patterns.flatMap { pattern in
      (0..<type.bytes).map { UInt8(truncatingIfNeeded: pattern >> UInt64(8 * $0)) }
    }
  }

  @Test(arguments: types, types)
  func `every conversion rounds once, truncates and saturates as defined`(
    from: ElementType, to: ElementType
  ) {
    let patterns = patterns(from)
    let x = bytes(patterns, from)
    let expected = patterns.map { convert(decode($0, from), to: to) }
    for set in InstructionSet.available {
      var y = [UInt8](repeating: 0xee, count: patterns.count * to.bytes)
      set.kernels.cast(Pool(threads: 2).pointer, from.type, to.type, patterns.count, x, &y)
      for index in patterns.indices {
        let bits = (0..<to.bytes).reduce(UInt64(0)) {
          $0 | UInt64(y[index * to.bytes + $1]) << UInt64(8 * $1)
        }
        let actual = decode(bits, to)
        if same(actual, expected[index]) { continue }
        Issue.record(
          """
          \(set.testDescription): \(decode(patterns[index], from)) of \(from.testDescription) \
          became \(actual) of \(to.testDescription), expected \(expected[index])
          """)
        break
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a cast of nothing writes nothing`(set: InstructionSet) {
    var y: [UInt8] = [7]
    set.kernels.cast(Pool().pointer, CK_INT64, CK_FLOAT32, 0, [UInt8](), &y)
    #expect(y == [7])
  }
}
