import CCrestKernels
import Foundation

/// One operation of an elementwise program, rounded once from its value in double precision.
func referenceOperation(_ op: ck_op, _ a: Float, _ b: Float, _ c: Float, _ constant: Float) -> Float
{
  let (x, y) = (Double(a), Double(b))
  switch op {
  case CK_ADD: return Float(x + y)
  case CK_SUB: return Float(x - y)
  case CK_MUL: return Float(x * y)
  case CK_DIV: return Float(x / y)
  case CK_POW: return Float(pow(x, y))
  case CK_MAX: return a.isNaN || b.isNaN ? .nan : max(a, b)
  case CK_MIN: return a.isNaN || b.isNaN ? .nan : min(a, b)
  case CK_NEG: return -a
  case CK_FLOOR: return a.rounded(.down)
  case CK_CEIL: return a.rounded(.up)
  case CK_ROUND: return a.rounded(.toNearestOrEven)
  case CK_REMAINDER: return Float(fmod(x, y))
  case CK_EXP: return Float(exp(x))
  case CK_LOG: return Float(log(x))
  case CK_SQRT: return Float(x.squareRoot())
  case CK_RECIPROCAL: return Float(1 / x)
  case CK_ABS: return abs(a)
  case CK_SIGN: return a > 0 ? 1 : a < 0 ? -1 : a
  case CK_RELU: return a <= 0 ? 0 : a
  case CK_SIGMOID: return Float(referenceSigmoid(x))
  case CK_TANH: return Float(tanh(x))
  case CK_SOFTPLUS: return Float(referenceSoftplus(x))
  case CK_EQUAL: return a == b ? 1 : 0
  case CK_LESS: return a < b ? 1 : 0
  case CK_GREATER: return a > b ? 1 : 0
  case CK_RELU_MASK: return b > 0 ? a : 0
  case CK_SELECT: return c != 0 ? a : b
  case CK_CONSTANT: return constant
  default: preconditionFailure("no reference for operation \(op.rawValue)")
  }
}

func referenceSigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

func referenceSoftplus(_ x: Double) -> Double {
  x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))
}

/// The distance of `actual` from `exact` in units of the last place of a float of that size.
func unitsInLastPlace(_ actual: Float, _ exact: Double) -> Double {
  let nearest = Float(exact)
  if exact.isNaN { return actual.isNaN ? 0 : .infinity }
  if nearest.isInfinite { return actual == nearest ? 0 : .infinity }
  guard actual.isFinite else { return .infinity }
  let exponent = exact == 0 ? -126 : max(Int(exact.exponent), -126)
  let unit = Double(sign: .plus, exponent: exponent - 23, significand: 1)
  return abs(Double(actual) - exact) / unit
}
