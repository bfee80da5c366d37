import CrestPlatform

extension ElementwiseFunction.Row {
  static let add: Self = .two(
    "Add", .operator(), { $0 + $1 }, whole: { $0 &+ $1 },
    gradients: { dy, _, _, _ in dy }, { dy, _, _, _ in dy })
  static let subtract: Self = .two(
    "Sub", .operator(), { $0 - $1 }, whole: { $0 &- $1 },
    gradients: { dy, _, _, _ in dy }, { dy, _, _, _ in try -dy })
  static let multiply: Self = .two(
    "Mul", .operator(), { $0 * $1 }, whole: { $0 &* $1 },
    gradients: { dy, _, b, _ in try dy * b }, { dy, a, _, _ in try dy * a })
  // By zero it is 0, as NumPy has it (ONNX leaves it open).
  static let divide: Self = .two(
    "Div", .operator(), { $0 / $1 },
    whole: { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue },
    gradients: { dy, _, b, _ in try dy / b }, { dy, _, b, y in try -(dy * y / b) })
  // PyTorch's exceptions: the first gradient is 0 where p = 0, whatever x is; the second is 0
  // where x = 0 and p ≥ 0.
  static let power: Self = .two(
    "Pow", .operator(), pow, whole: wholePower,
    gradients: { dy, x, p, _ in
      let slope = try dy * p * x.power(p - 1)
      return try dy.scalar(0).selected(where: p.equalMask(p.scalar(0)), else: slope)
    },
    { dy, x, p, y in
      let isFlat = try x.equalMask(x.scalar(0)) * (1 - p.lessMask(p.scalar(0)))
      return try dy.scalar(0).selected(where: isFlat, else: dy * y * x.log())
    })
  static let maximum: Self = .two(
    "Max", .operator(), { $0.isNaN || $1.isNaN ? .nan : Swift.max($0, $1) },
    whole: { Swift.max($0, $1) },
    gradients: { dy, a, b, _ in try dy.shared(a, b, except: a.lessMask(b)) },
    { dy, a, b, _ in try dy.shared(a, b, except: a.greaterMask(b)) })
  static let minimum: Self = .two(
    "Min", .operator(), { $0.isNaN || $1.isNaN ? .nan : Swift.min($0, $1) },
    whole: { Swift.min($0, $1) },
    gradients: { dy, a, b, _ in try dy.shared(a, b, except: a.greaterMask(b)) },
    { dy, a, b, _ in try dy.shared(a, b, except: a.lessMask(b)) })
  static let negate: Self = .one("Neg", .operator(), { -$0 }, whole: { 0 &- $0 }) { dy, _, _ in
    try -dy
  }
  // At 0 the gradient is 0, as in PyTorch.
  static let absolute: Self = .one(
    "Abs", .operator(), { $0.magnitude }, whole: { $0 < 0 ? 0 &- $0 : $0 }
  ) { dy, x, _ in
    try dy * x.sign()
  }
  static let sign: Self = .one(
    "Sign", .operator(), { $0.isNaN ? .nan : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 },
    whole: { $0.signum() })
  static let reciprocal: Self = .one("Reciprocal", .operator(), { 1 / $0 }) { dy, _, y in
    try -(dy * y * y)
  }
  static let squareRoot: Self = .one("Sqrt", .operator(), { $0.squareRoot() }) { dy, _, y in
    try dy / (y * 2)
  }
  static let exponential: Self = .one("Exp", .operator(), exp) { dy, _, y in try dy * y }
  static let logarithm: Self = .one("Log", .operator(), log) { dy, x, _ in try dy / x }
  static let floor: Self = .one("Floor", .operator(), { $0.rounded(.down) })
  static let ceiling: Self = .one("Ceil", .operator(), { $0.rounded(.up) })
  static let round: Self = .one("Round", .operator(), { $0.rounded(.toNearestOrEven) })
}

// A power of whole numbers, which wraps around; a negative one is a reciprocal, truncated. By squaring:
// as many products as the exponent has bits.
private func wholePower(_ base: Int64, _ exponent: Int64) -> Int64 {
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

extension Symbol {
  /// This gradient of the larger or smaller of a and b: half where they are equal, as in PyTorch, and
  /// nothing where `loses`.
  fileprivate func shared(_ a: Symbol, _ b: Symbol, except loses: Symbol) throws -> Symbol {
    let half = try (self * 0.5).selected(where: a.equalMask(b), else: self)
    return try scalar(0).selected(where: loses, else: half)
  }
}
