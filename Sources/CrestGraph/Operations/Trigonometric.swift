import CrestTensor

// C's mathematics, not Foundation's: the engine's targets stay free of Foundation.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A function of angles, or its inverse, of every element (ONNX `Sin`, `Cos`, … opset 7 and 9).
///
/// The hyperbolic tangent, which networks use, is ``Tanh``.
public struct Trigonometric: Operation {
  /// `Trigonometric`.
  public static let name = "Trigonometric"

  /// Which function; raw values are ONNX's operators.
  public enum Function: String, Sendable, Hashable, CaseIterable {
    /// arccos x in 0...π; NaN beyond ±1.
    case arcCosine = "Acos"
    /// The inverse of cosh, not negative; NaN below 1.
    case areaCosine = "Acosh"
    /// arcsin x in -π/2...π/2; NaN beyond ±1.
    case arcSine = "Asin"
    /// The inverse of sinh.
    case areaSine = "Asinh"
    /// arctan x in -π/2...π/2.
    case arcTangent = "Atan"
    /// The inverse of tanh; NaN beyond ±1.
    case areaTangent = "Atanh"
    /// cos x, x in radians.
    case cosine = "Cos"
    /// (eˣ + e⁻ˣ) / 2.
    case hyperbolicCosine = "Cosh"
    /// sin x, x in radians.
    case sine = "Sin"
    /// (eˣ - e⁻ˣ) / 2.
    case hyperbolicSine = "Sinh"
    /// tan x, x in radians.
    case tangent = "Tan"

    fileprivate func callAsFunction(_ x: Double) -> Double {
      switch self {
      case .arcCosine: acos(x)
      case .areaCosine: acosh(x)
      case .arcSine: asin(x)
      case .areaSine: asinh(x)
      case .arcTangent: atan(x)
      case .areaTangent: atanh(x)
      case .cosine: cos(x)
      case .hyperbolicCosine: cosh(x)
      case .sine: sin(x)
      case .hyperbolicSine: sinh(x)
      case .tangent: tan(x)
      }
    }

    /// The derivative at `x`, where the function is `y`.
    fileprivate func slope(_ x: Symbol, _ y: Symbol) throws -> Symbol {
      switch self {
      case .arcCosine: try -((1 - x * x).squareRoot().reciprocal())
      case .areaCosine: try (x * x - 1).squareRoot().reciprocal()
      case .arcSine: try (1 - x * x).squareRoot().reciprocal()
      case .areaSine: try (x * x + 1).squareRoot().reciprocal()
      case .arcTangent: try (x * x + 1).reciprocal()
      case .areaTangent: try (1 - x * x).reciprocal()
      case .cosine: try -x.trigonometric(.sine)
      case .hyperbolicCosine: try x.trigonometric(.hyperbolicSine)
      case .sine: try x.trigonometric(.cosine)
      case .hyperbolicSine: try x.trigonometric(.hyperbolicCosine)
      case .tangent: try y * y + 1
      }
    }
  }

  /// Which function.
  public let function: Function

  /// The operation of a function.
  public init(_ function: Function) { self.function = function }

  /// The input's type.
  public func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0])
    return inputs
  }

  /// Each example by itself.
  public func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// The C library's function of every element.
  public func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [ReferenceArray(inputs[0].reals.map { function($0) }, inputs[0].type)]
  }

  /// dy times the derivative.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient * function.slope(context.inputs[0], context.outputs[0])]
  }
}

extension Symbol {
  /// Returns a function of angles, or its inverse, of every element (ONNX `Sin`, `Cos`, …).
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func trigonometric(_ function: Trigonometric.Function) throws -> Symbol {
    try applying(Trigonometric(function))
  }
}
