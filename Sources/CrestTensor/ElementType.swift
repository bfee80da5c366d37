/// The type of a tensor's elements; raw values are the names ONNX and NumPy use.
public enum ElementType: String, Sendable, Hashable, CaseIterable, Codable {
  /// IEEE 754 binary32, the type training computes in.
  case float32
  /// IEEE 754 binary64.
  case float64
  /// The upper half of a binary32.
  case bfloat16
  /// IEEE 754 binary16.
  case float16
  /// Two's complement, 8 bits.
  case int8
  /// Two's complement, 16 bits.
  case int16
  /// Two's complement, 32 bits.
  case int32
  /// Two's complement, 64 bits.
  case int64
  /// Unsigned, 8 bits.
  case uint8
  /// A byte that is 0 or 1.
  case bool

  /// The size of one element, in bytes.
  public var byteCount: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .bfloat16, .float16, .int16: 2
    case .float32, .int32: 4
    case .float64, .int64: 8
    }
  }

  /// Whether elements are binary floating-point numbers.
  public var isFloat: Bool {
    switch self {
    case .float32, .float64, .bfloat16, .float16: true
    case .int8, .int16, .int32, .int64, .uint8, .bool: false
    }
  }

  /// Whether elements are integers (`bool` is neither a float nor an integer).
  public var isInteger: Bool { !isFloat && self != .bool }

  /// The range of an integer type; 0 and 1 for `bool`.
  ///
  /// - Precondition: it is not a float type.
  public var integerRange: ClosedRange<Int64> {
    switch self {
    case .int8: Int64(Int8.min)...Int64(Int8.max)
    case .int16: Int64(Int16.min)...Int64(Int16.max)
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    case .int64: .min ... .max
    case .uint8: 0...255
    case .bool: 0...1
    case .float32, .float64, .bfloat16, .float16:
      programmerError("\(self) is not an integer type")
    }
  }
}

/// A Swift type whose values a tensor holds in their own memory layout.
public protocol TensorElement: BitwiseCopyable, Sendable, Equatable {
  /// The element type it stands for.
  static var elementType: ElementType { get }
}

extension Float: TensorElement {
  /// `float32`.
  public static var elementType: ElementType { .float32 }
}
extension Double: TensorElement {
  /// `float64`.
  public static var elementType: ElementType { .float64 }
}
extension Int8: TensorElement {
  /// `int8`.
  public static var elementType: ElementType { .int8 }
}
extension Int16: TensorElement {
  /// `int16`.
  public static var elementType: ElementType { .int16 }
}
extension Int32: TensorElement {
  /// `int32`.
  public static var elementType: ElementType { .int32 }
}
extension Int64: TensorElement {
  /// `int64`.
  public static var elementType: ElementType { .int64 }
}
extension UInt8: TensorElement {
  /// `uint8`.
  public static var elementType: ElementType { .uint8 }
}
extension Bool: TensorElement {
  /// `bool`.
  public static var elementType: ElementType { .bool }
}

/// The bits of a bfloat16; converts to and from `Float` with rounding to nearest even.
public struct BFloat16: TensorElement, Hashable {
  /// The sixteen bits: sign, eight of exponent, seven of fraction.
  public var bits: UInt16

  /// `bfloat16`.
  public static var elementType: ElementType { .bfloat16 }

  /// The value nearest to `value`, ties to even; a NaN stays a (quiet) NaN.
  public init(_ value: Float) {
    let pattern = value.bitPattern
    if value.isNaN {
      bits = UInt16(truncatingIfNeeded: pattern >> 16) | 0x0040
    } else {
      let rounding = 0x7FFF + ((pattern >> 16) & 1)
      bits = UInt16(truncatingIfNeeded: (pattern &+ rounding) >> 16)
    }
  }

  /// The same value as a `Float`, exactly.
  public var float: Float { Float(bitPattern: UInt32(bits) << 16) }
}

/// The bits of an IEEE binary16; converts to and from `Float` with rounding to nearest even.
///
/// Swift's own `Float16` is missing on some platforms, so only its bits are public here.
public struct HalfFloat: TensorElement, Hashable {
  /// The sixteen bits: sign, five of exponent, ten of fraction.
  public var bits: UInt16

  /// `float16`.
  public static var elementType: ElementType { .float16 }

  /// The value nearest to `value`, ties to even; a NaN stays a (quiet) NaN.
  public init(_ value: Float) {
    let sign = UInt16(truncatingIfNeeded: (value.bitPattern >> 16) & 0x8000)
    let magnitude = value.magnitude
    if magnitude.isNaN {
      bits = sign | 0x7E00
    } else if magnitude >= 65520 {
      bits = sign | 0x7C00
    } else if magnitude < 0x1p-14 {
      // Subnormals are multiples of 2⁻²⁴; the scaling is exact, so rounding happens once.
      bits = sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    } else {
      let pattern = magnitude.bitPattern
      let rounded = pattern &+ 0x0FFF &+ ((pattern >> 13) & 1)
      bits = sign | UInt16(truncatingIfNeeded: (rounded >> 13) &- (112 << 10))
    }
  }

  /// The same value as a `Float`, exactly.
  public var float: Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10) & 0x1F
    let fraction = Float(bits & 0x3FF)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default:
      return sign * Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction * 0x1p-10)
    }
  }
}
