/// A function of scalars that `Elementwise` applies to every element.
///
/// To add one, add a case, and its row beside those of its family. A kernel is a line in
/// `crest_elementwise.def` and the name of its instruction where the runtime lowers; without one it runs
/// on the reference.
package enum ElementwiseFunction: String, Sendable, Hashable, CaseIterable {
  case add, subtract, multiply, divide, power, maximum, minimum
  case negate, absolute, sign, reciprocal, squareRoot, exponential, logarithm
  case relu, sigmoid, tanh, softplus, hardSwish, erf
  case gelu, geluTanh, geluSlope, geluTanhSlope
  case sine, cosine, tangent, arcSine, arcCosine, arcTangent
  case hyperbolicSine, hyperbolicCosine, areaSine, areaCosine, areaTangent
  case floor, ceiling, round
  case and, or, xor, not
  case equal, less, greater, select, reluMask

  /// All that is known of the function, in one place.
  package var row: Row {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .power: .power
    case .maximum: .maximum
    case .minimum: .minimum
    case .negate: .negate
    case .absolute: .absolute
    case .sign: .sign
    case .reciprocal: .reciprocal
    case .squareRoot: .squareRoot
    case .exponential: .exponential
    case .logarithm: .logarithm
    case .relu: .relu
    case .sigmoid: .sigmoid
    case .tanh: .tanh
    case .softplus: .softplus
    case .hardSwish: .hardSwish
    case .erf: .erf
    case .gelu: .gelu
    case .geluTanh: .geluTanh
    case .geluSlope: .geluSlope
    case .geluTanhSlope: .geluTanhSlope
    case .sine: .sine
    case .cosine: .cosine
    case .tangent: .tangent
    case .arcSine: .arcSine
    case .arcCosine: .arcCosine
    case .arcTangent: .arcTangent
    case .hyperbolicSine: .hyperbolicSine
    case .hyperbolicCosine: .hyperbolicCosine
    case .areaSine: .areaSine
    case .areaCosine: .areaCosine
    case .areaTangent: .areaTangent
    case .floor: .floor
    case .ceiling: .ceiling
    case .round: .round
    case .and: .and
    case .or: .or
    case .xor: .xor
    case .not: .not
    case .equal: .equal
    case .less: .less
    case .greater: .greater
    case .select: .select
    case .reluMask: .reluMask
    }
  }
}
