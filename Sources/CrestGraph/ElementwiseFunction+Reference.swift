// C's mathematics, not Foundation's: the engine's targets stay free of Foundation.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension ElementwiseFunction {
  /// The function's value, in `Double`.
  package func evaluate(_ x: [Double]) -> Double {
    switch self {
    case .add: x[0] + x[1]
    case .subtract: x[0] - x[1]
    case .multiply: x[0] * x[1]
    case .divide: x[0] / x[1]
    case .power: pow(x[0], x[1])
    case .maximum: x[0].isNaN || x[1].isNaN ? .nan : max(x[0], x[1])
    case .minimum: x[0].isNaN || x[1].isNaN ? .nan : min(x[0], x[1])
    case .negate: -x[0]
    case .exponential: exp(x[0])
    case .logarithm: log(x[0])
    case .squareRoot: x[0].squareRoot()
    case .reciprocal: 1 / x[0]
    case .absolute: x[0].magnitude
    case .sign: x[0].isNaN ? .nan : x[0] > 0 ? 1 : x[0] < 0 ? -1 : 0
    case .relu: x[0].isNaN ? .nan : max(x[0], 0)
    case .sigmoid: x[0] >= 0 ? 1 / (1 + exp(-x[0])) : exp(x[0]) / (1 + exp(x[0]))
    case .tanh: Self.hyperbolicTangent(x[0])
    case .softplus: max(x[0], 0) + log1p(exp(-x[0].magnitude))
    case .reluMask: x[1] > 0 ? x[0] : 0
    case .equal: x[0] == x[1] ? 1 : 0
    case .less: x[0] < x[1] ? 1 : 0
    case .greater: x[0] > x[1] ? 1 : 0
    case .select: x[2] != 0 ? x[0] : x[1]
    }
  }

  /// The function's value of integers, or of booleans as 0 and 1.
  ///
  /// Sums, differences, products and powers wrap around. Division truncates toward zero; by zero it
  /// is 0, as NumPy has it (ONNX leaves it open). A negative power is a reciprocal, truncated.
  ///
  /// - Precondition: the function is defined on them.
  package func evaluate(integers x: [Int64]) -> Int64 {
    switch self {
    case .add: x[0] &+ x[1]
    case .subtract: x[0] &- x[1]
    case .multiply: x[0] &* x[1]
    case .divide: x[1] == 0 ? 0 : x[0].dividedReportingOverflow(by: x[1]).partialValue
    case .maximum: max(x[0], x[1])
    case .minimum: min(x[0], x[1])
    case .negate: 0 &- x[0]
    case .absolute: x[0] < 0 ? 0 &- x[0] : x[0]
    case .sign: x[0].signum()
    case .relu: max(x[0], 0)
    case .equal: x[0] == x[1] ? 1 : 0
    case .less: x[0] < x[1] ? 1 : 0
    case .greater: x[0] > x[1] ? 1 : 0
    case .select: x[2] != 0 ? x[0] : x[1]
    case .power: Self.power(x[0], x[1])
    case .exponential, .logarithm, .squareRoot, .reciprocal, .sigmoid, .tanh, .softplus,
      .reluMask:
      preconditionFailure("\(self) is not defined on integers")
    }
  }

  /// By squaring: as many products as the exponent has bits.
  private static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
    guard exponent >= 0 else {
      switch base {
      case 1: return 1
      case -1: return exponent % 2 == 0 ? 1 : -1
      default: return 0
      }
    }
    var (result, square, rest): (Int64, Int64, Int64) = (1, base, exponent)
    while rest > 0 {
      if rest % 2 == 1 { result = result &* square }
      square = square &* square
      rest /= 2
    }
    return result
  }

  /// `tanh` of the C library, which the case of the same name hides.
  private static func hyperbolicTangent(_ x: Double) -> Double {
    #if canImport(Glibc)
      Glibc.tanh(x)
    #elseif canImport(Musl)
      Musl.tanh(x)
    #else
      Darwin.tanh(x)
    #endif
  }
}
