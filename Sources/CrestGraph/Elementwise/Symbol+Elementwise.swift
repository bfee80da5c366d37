// What a user writes to apply an elementwise function: one line a function. All broadcast by NumPy's
// rule, and throw ``GraphError`` when shapes don't broadcast or the element types differ or don't suit.

import CrestTensor

extension Symbol {
  /// Returns a + b (ONNX `Add`).
  public static func + (left: Symbol, right: Symbol) throws -> Symbol { try left(.add, right) }

  /// Returns a + b for a number b.
  public static func + (left: Symbol, right: Double) throws -> Symbol {
    try left + left.scalar(right)
  }

  /// Returns a + b for a number a.
  public static func + (left: Double, right: Symbol) throws -> Symbol {
    try right.scalar(left) + right
  }

  /// Returns a - b (ONNX `Sub`).
  public static func - (left: Symbol, right: Symbol) throws -> Symbol { try left(.subtract, right) }

  /// Returns a - b for a number b.
  public static func - (left: Symbol, right: Double) throws -> Symbol {
    try left - left.scalar(right)
  }

  /// Returns a - b for a number a.
  public static func - (left: Double, right: Symbol) throws -> Symbol {
    try right.scalar(left) - right
  }

  /// Returns a · b (ONNX `Mul`).
  public static func * (left: Symbol, right: Symbol) throws -> Symbol { try left(.multiply, right) }

  /// Returns a · b for a number b.
  public static func * (left: Symbol, right: Double) throws -> Symbol {
    try left * left.scalar(right)
  }

  /// Returns a · b for a number a.
  public static func * (left: Double, right: Symbol) throws -> Symbol {
    try right.scalar(left) * right
  }

  /// Returns a / b (ONNX `Div`); of integers truncated, and 0 where b is 0.
  public static func / (left: Symbol, right: Symbol) throws -> Symbol { try left(.divide, right) }

  /// Returns a / b for a number b.
  public static func / (left: Symbol, right: Double) throws -> Symbol {
    try left / left.scalar(right)
  }

  /// Returns a / b for a number a.
  public static func / (left: Double, right: Symbol) throws -> Symbol {
    try right.scalar(left) / right
  }

  /// Returns this to the power of `exponent` (ONNX `Pow`).
  public func power(_ exponent: Symbol) throws -> Symbol { try self(.power, exponent) }

  /// Returns this to the power of a number (ONNX `Pow`).
  public func power(_ exponent: Double) throws -> Symbol { try power(scalar(exponent)) }

  /// Returns the larger of this and `other`, element by element; NaN when either is (ONNX `Max`).
  public func maximum(_ other: Symbol) throws -> Symbol { try self(.maximum, other) }

  /// Returns the smaller of this and `other`, element by element; NaN when either is (ONNX `Min`).
  public func minimum(_ other: Symbol) throws -> Symbol { try self(.minimum, other) }

  /// Returns -x (ONNX `Neg`).
  public static prefix func - (x: Symbol) throws -> Symbol { try x(.negate) }

  /// Returns |x| (ONNX `Abs`).
  public func absolute() throws -> Symbol { try self(.absolute) }

  /// Returns -1, 0 or 1 by the sign of x; NaN for NaN (ONNX `Sign`).
  public func sign() throws -> Symbol { try self(.sign) }

  /// Returns 1 / x (ONNX `Reciprocal`).
  public func reciprocal() throws -> Symbol { try self(.reciprocal) }

  /// Returns √x (ONNX `Sqrt`).
  public func squareRoot() throws -> Symbol { try self(.squareRoot) }

  /// Returns eˣ (ONNX `Exp`).
  public func exp() throws -> Symbol { try self(.exponential) }

  /// Returns the natural logarithm (ONNX `Log`).
  public func log() throws -> Symbol { try self(.logarithm) }

  /// Returns max(x, 0) (ONNX `Relu`).
  public func relu() throws -> Symbol { try self(.relu) }

  /// Returns 1 / (1 + e⁻ˣ) (ONNX `Sigmoid`).
  public func sigmoid() throws -> Symbol { try self(.sigmoid) }

  /// Returns the hyperbolic tangent (ONNX `Tanh`).
  public func tanh() throws -> Symbol { try self(.tanh) }

  /// Returns log(1 + eˣ), without overflow (ONNX `Softplus`).
  public func softplus() throws -> Symbol { try self(.softplus) }

  /// Returns x · min(max(x/6 + 1/2, 0), 1) (ONNX `HardSwish`, opset 14).
  public func hardSwish() throws -> Symbol { try self(.hardSwish) }

  /// Returns the error function, 2/√π · ∫₀ˣ e^(-t²) dt (ONNX `Erf`).
  public func erf() throws -> Symbol { try self(.erf) }

  /// How ``Symbol/gelu(_:)`` computes Φ(x).
  public enum GeluApproximation: Sendable, Hashable {
    /// By the error function (ONNX `none`).
    case none
    /// By a hyperbolic tangent (ONNX `tanh`).
    case tanh
  }

  /// Returns x · Φ(x), Φ being the normal distribution (ONNX `Gelu`, opset 20).
  ///
  ///     none: x/2 · (1 + erf(x/√2))
  ///     tanh: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))
  ///
  /// Hendrycks, Gimpel: *Gaussian Error Linear Units*, 2016. Of -∞ it is NaN, as in PyTorch. The gradient
  /// is computed from x alone.
  public func gelu(_ approximation: GeluApproximation = .none) throws -> Symbol {
    try self(approximation == .none ? .gelu : .geluTanh)
  }

  /// Returns sin x, x in radians (ONNX `Sin`).
  public func sin() throws -> Symbol { try self(.sine) }

  /// Returns cos x, x in radians (ONNX `Cos`).
  public func cos() throws -> Symbol { try self(.cosine) }

  /// Returns tan x, x in radians (ONNX `Tan`).
  public func tan() throws -> Symbol { try self(.tangent) }

  /// Returns arcsin x in -π/2...π/2; NaN beyond ±1 (ONNX `Asin`).
  public func asin() throws -> Symbol { try self(.arcSine) }

  /// Returns arccos x in 0...π; NaN beyond ±1 (ONNX `Acos`).
  public func acos() throws -> Symbol { try self(.arcCosine) }

  /// Returns arctan x in -π/2...π/2 (ONNX `Atan`).
  public func atan() throws -> Symbol { try self(.arcTangent) }

  /// Returns (eˣ - e⁻ˣ) / 2 (ONNX `Sinh`).
  public func sinh() throws -> Symbol { try self(.hyperbolicSine) }

  /// Returns (eˣ + e⁻ˣ) / 2 (ONNX `Cosh`).
  public func cosh() throws -> Symbol { try self(.hyperbolicCosine) }

  /// Returns the inverse of sinh (ONNX `Asinh`).
  public func asinh() throws -> Symbol { try self(.areaSine) }

  /// Returns the inverse of cosh, not negative; NaN below 1 (ONNX `Acosh`).
  public func acosh() throws -> Symbol { try self(.areaCosine) }

  /// Returns the inverse of tanh; NaN beyond ±1 (ONNX `Atanh`).
  public func atanh() throws -> Symbol { try self(.areaTangent) }

  /// Returns the largest integer that isn't above x (ONNX `Floor`).
  public func floor() throws -> Symbol { try self(.floor) }

  /// Returns the smallest integer that isn't below x (ONNX `Ceil`).
  public func ceiling() throws -> Symbol { try self(.ceiling) }

  /// Returns the nearest integer, the even one of two (ONNX `Round`).
  public func round() throws -> Symbol { try self(.round) }

  /// Returns where both this and `other` are true (ONNX `And`).
  public func and(_ other: Symbol) throws -> Symbol { try self(.and, other) }

  /// Returns where this or `other` is true (ONNX `Or`).
  public func or(_ other: Symbol) throws -> Symbol { try self(.or, other) }

  /// Returns where just one of this and `other` is true (ONNX `Xor`).
  public func xor(_ other: Symbol) throws -> Symbol { try self(.xor, other) }

  /// Returns where this is false (ONNX `Not`).
  public func not() throws -> Symbol { try self(.not) }

  /// Returns 1 where this = `other`, else 0, in the type of both.
  public func equalMask(_ other: Symbol) throws -> Symbol { try self(.equal, other) }

  /// Returns 1 where this < `other`, else 0, in the type of both.
  public func lessMask(_ other: Symbol) throws -> Symbol { try self(.less, other) }

  /// Returns 1 where this > `other`, else 0, in the type of both.
  public func greaterMask(_ other: Symbol) throws -> Symbol { try self(.greater, other) }

  /// Returns this where `condition` holds, else `other` (ONNX `Where`).
  ///
  /// The condition is boolean, or of this value's type, and then holds where it isn't 0.
  public func selected(where condition: Symbol, else other: Symbol) throws -> Symbol {
    let isCast = condition.elementType == .bool && elementType != .bool
    return try self(.select, other, isCast ? condition.cast(to: elementType) : condition)
  }

  /// An elementwise function of this and others.
  package func callAsFunction(
    _ function: ElementwiseFunction, _ others: Symbol...
  ) throws -> Symbol {
    try builder.apply(Elementwise(function), [self] + others)[0]
  }
}
