import CrestPlatform

/// A function of scalars that `Elementwise` applies to every element.
///
/// To add one, add a case and its row. A kernel is a line in `crest_elementwise.def` and the name of
/// its instruction where the runtime lowers; without one it runs on the reference.
package enum ElementwiseFunction: String, Sendable, Hashable, CaseIterable {
  case add, subtract, multiply, divide, power, maximum, minimum
  case negate, absolute, sign, reciprocal, squareRoot, exponential, logarithm
  case relu, sigmoid, tanh, softplus, hardSwish, erf
  case sine, cosine, tangent, arcSine, arcCosine, arcTangent
  case hyperbolicSine, hyperbolicCosine, areaSine, areaCosine, areaTangent
  case floor, ceiling, round
  case and, or, xor, not
  case equal, less, greater, select, reluMask

  /// All that is known of the function, in one place.
  package var row: Row {
    switch self {
    case .add:
      .two(
        "Add", .operator(), { $0 + $1 }, whole: { $0 &+ $1 },
        gradients: { dy, _, _, _ in dy }, { dy, _, _, _ in dy })
    case .subtract:
      .two(
        "Sub", .operator(), { $0 - $1 }, whole: { $0 &- $1 },
        gradients: { dy, _, _, _ in dy }, { dy, _, _, _ in try -dy })
    case .multiply:
      .two(
        "Mul", .operator(), { $0 * $1 }, whole: { $0 &* $1 },
        gradients: { dy, _, b, _ in try dy * b }, { dy, a, _, _ in try dy * a })
    // By zero it is 0, as NumPy has it (ONNX leaves it open).
    case .divide:
      .two(
        "Div", .operator(), { $0 / $1 },
        whole: { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue },
        gradients: { dy, _, b, _ in try dy / b }, { dy, _, b, y in try -(dy * y / b) })
    // PyTorch's exceptions: the first gradient is 0 where p = 0, whatever x is; the second is 0
    // where x = 0 and p ≥ 0.
    case .power:
      .two(
        "Pow", .operator(), pow, whole: wholePower,
        gradients: { dy, x, p, _ in
          let slope = try dy * p * x.power(p - 1)
          return try dy.scalar(0).selected(where: p.equalMask(p.scalar(0)), else: slope)
        },
        { dy, x, p, y in
          let isFlat = try x.equalMask(x.scalar(0)) * (1 - p.lessMask(p.scalar(0)))
          return try dy.scalar(0).selected(where: isFlat, else: dy * y * x.log())
        })
    case .maximum:
      .two(
        "Max", .operator(), { $0.isNaN || $1.isNaN ? .nan : Swift.max($0, $1) },
        whole: { Swift.max($0, $1) },
        gradients: { dy, a, b, _ in try dy.shared(a, b, except: a.lessMask(b)) },
        { dy, a, b, _ in try dy.shared(a, b, except: a.greaterMask(b)) })
    case .minimum:
      .two(
        "Min", .operator(), { $0.isNaN || $1.isNaN ? .nan : Swift.min($0, $1) },
        whole: { Swift.min($0, $1) },
        gradients: { dy, a, b, _ in try dy.shared(a, b, except: a.greaterMask(b)) },
        { dy, a, b, _ in try dy.shared(a, b, except: a.lessMask(b)) })

    case .negate:
      .one("Neg", .operator(), { -$0 }, whole: { 0 &- $0 }) { dy, _, _ in try -dy }
    // At 0 the gradient is 0, as in PyTorch.
    case .absolute:
      .one("Abs", .operator(), { $0.magnitude }, whole: { $0 < 0 ? 0 &- $0 : $0 }) { dy, x, _ in
        try dy * x.sign()
      }
    case .sign:
      .one(
        "Sign", .operator(), { $0.isNaN ? .nan : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 },
        whole: { $0.signum() })
    case .reciprocal:
      .one("Reciprocal", .operator(), { 1 / $0 }) { dy, _, y in try -(dy * y * y) }
    case .squareRoot:
      .one("Sqrt", .operator(), { $0.squareRoot() }) { dy, _, y in try dy / (y * 2) }
    case .exponential:
      .one("Exp", .operator(), exp) { dy, _, y in try dy * y }
    case .logarithm:
      .one("Log", .operator(), log) { dy, x, _ in try dy / x }

    // At 0 the gradient is 0, as in PyTorch.
    case .relu:
      .one(
        "Relu", .operator(), { $0.isNaN ? .nan : Swift.max($0, 0) }, whole: { Swift.max($0, 0) }
      ) { dy, _, y in try dy.applying(Elementwise(.reluMask), y) }
    case .sigmoid:
      .one(
        "Sigmoid", .operator(), { $0 >= 0 ? 1 / (1 + exp(-$0)) : exp($0) / (1 + exp($0)) }
      ) { dy, _, y in try dy * y * (1 - y) }
    case .tanh:
      .one("Tanh", .operator(), hyperbolicTangent) { dy, _, y in try dy * (1 - y * y) }
    case .softplus:
      .one("Softplus", .operator(), { Swift.max($0, 0) + log1p(exp(-$0.magnitude)) }) { dy, x, _ in
        try dy * x.sigmoid()
      }
    // At ±3 the gradient is that of PyTorch.
    case .hardSwish:
      .one("HardSwish", .operator(since: 14), { $0 * Swift.min(Swift.max($0 / 6 + 0.5, 0), 1) }) {
        dy, x, _ in
        let (low, high) = (try x.lessMask(x.scalar(-3)), try x.greaterMask(x.scalar(3)))
        let slope = try x.scalar(1).selected(where: high, else: x * (1 / 3) + 0.5)
        return try dy * x.scalar(0).selected(where: low, else: slope)
      }
    case .erf:
      .one("Erf", .operator(since: 9), errorFunction) { dy, x, _ in
        try dy * ((-(x * x)).exp() * (2 / Double.pi.squareRoot()))
      }

    case .sine:
      .one("Sin", .operator(), sin) { dy, x, _ in try dy * x.cos() }
    case .cosine:
      .one("Cos", .operator(), cos) { dy, x, _ in try dy * -x.sin() }
    case .tangent:
      .one("Tan", .operator(), tan) { dy, _, y in try dy * (y * y + 1) }
    case .arcSine:
      .one("Asin", .operator(), asin) { dy, x, _ in
        try dy * (1 - x * x).squareRoot().reciprocal()
      }
    case .arcCosine:
      .one("Acos", .operator(), acos) { dy, x, _ in
        try dy * -((1 - x * x).squareRoot().reciprocal())
      }
    case .arcTangent:
      .one("Atan", .operator(), atan) { dy, x, _ in try dy * (x * x + 1).reciprocal() }
    case .hyperbolicSine:
      .one("Sinh", .operator(), sinh) { dy, x, _ in try dy * x.cosh() }
    case .hyperbolicCosine:
      .one("Cosh", .operator(), cosh) { dy, x, _ in try dy * x.sinh() }
    case .areaSine:
      .one("Asinh", .operator(), asinh) { dy, x, _ in
        try dy * (x * x + 1).squareRoot().reciprocal()
      }
    case .areaCosine:
      .one("Acosh", .operator(), acosh) { dy, x, _ in
        try dy * (x * x - 1).squareRoot().reciprocal()
      }
    case .areaTangent:
      .one("Atanh", .operator(), atanh) { dy, x, _ in try dy * (1 - x * x).reciprocal() }

    case .floor: .one("Floor", .operator(), { $0.rounded(.down) })
    case .ceiling: .one("Ceil", .operator(), { $0.rounded(.up) })
    case .round: .one("Round", .operator(), { $0.rounded(.toNearestOrEven) })

    case .and: .logical("And", arity: 2) { $0[0] & $0[1] }
    case .or: .logical("Or", arity: 2) { $0[0] | $0[1] }
    case .xor: .logical("Xor", arity: 2) { $0[0] ^ $0[1] }
    case .not: .logical("Not", arity: 1) { 1 - $0[0] }

    case .equal:
      .two(
        "EqualMask", .comparison("Equal"), { $0 == $1 ? 1 : 0 }, whole: { $0 == $1 ? 1 : 0 },
        types: .all)
    case .less:
      .two("LessMask", .comparison("Less"), { $0 < $1 ? 1 : 0 }, whole: { $0 < $1 ? 1 : 0 })
    case .greater:
      .two("GreaterMask", .comparison("Greater"), { $0 > $1 ? 1 : 0 }, whole: { $0 > $1 ? 1 : 0 })
    // A value that isn't chosen has no effect, not even as NaN.
    case .select:
      Row(
        name: "Select", arity: 3, onnx: .choice, types: .all,
        real: { $0[2] != 0 ? $0[0] : $0[1] }, whole: { $0[2] != 0 ? $0[0] : $0[1] },
        gradients: [
          { dy, x, _ in try dy.selected(where: x[2], else: dy.scalar(0)) },
          { dy, x, _ in try dy.scalar(0).selected(where: x[2], else: dy) },
          nil,
        ])
    case .reluMask:
      Row(
        name: "ReluMask", arity: 2, onnx: .none, types: .floats,
        real: { $0[1] > 0 ? $0[0] : 0 }, whole: nil,
        gradients: [{ dy, x, _ in try dy.applying(Elementwise(.reluMask), x[1]) }, nil])
    }
  }
}

// The C library's functions that cases of the same name hide.
private let hyperbolicTangent: @Sendable (Double) -> Double = { tanh($0) }
private let errorFunction: @Sendable (Double) -> Double = { erf($0) }

// A power of integers, which wraps around; a negative one is a reciprocal, truncated. By squaring:
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
