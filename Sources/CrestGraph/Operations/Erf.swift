import CrestTensor

// C's mathematics, not Foundation's: the engine's targets stay free of Foundation.
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The error function, 2/√π · ∫₀ˣ e^(-t²) dt (ONNX `Erf`, opset 13).
public struct Erf: Operation {
  /// `Erf`.
  public static let name = "Erf"

  /// The operation.
  public init() {}

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

  /// C's `erf` of every element.
  public func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [ReferenceArray(inputs[0].reals.map { erf($0) }, inputs[0].type)]
  }

  /// dy · 2/√π · e^(-x²).
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let x = context.inputs[0]
    let slope = try (-(x * x)).exp() * (2 / Double.pi.squareRoot())
    return [try context.outputGradient * slope]
  }
}

extension Symbol {
  /// Returns the error function of every element (ONNX `Erf`).
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func erf() throws -> Symbol { try applying(Erf()) }
}
