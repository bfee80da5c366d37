/// xᵖ (ONNX `Pow`, opset 15, of one type; NumPy broadcasting; floats as C's `pow`,
/// integers exactly or wrapped around).
public struct Pow: ElementwiseOperation {
  /// `Pow`.
  public static let name = "Pow"
  /// xᵖ.
  public var function: ElementwiseFunction { .power }

  /// The operation.
  public init() {}

  /// dy · p · xᵖ⁻¹ and dy · y · log x, with PyTorch's exceptions.
  ///
  /// The first is 0 where p = 0, whatever x is; the second is 0 where x = 0 and p ≥ 0.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (x, p, y) = (context.inputs[0], context.inputs[1], context.outputs[0])
    return try context.broadcastGradients(
      { dy in
        let slope = try dy * p * x.power(p - 1)
        return try dy.scalar(0).selected(where: p.equalMask(p.scalar(0)), else: slope)
      },
      { dy in
        let isFlat = try x.equalMask(x.scalar(0)) * (1 - p.lessMask(p.scalar(0)))
        return try dy.scalar(0).selected(where: isFlat, else: dy * y * x.log())
      })
  }
}

extension Symbol {
  /// Returns this to the power of `exponent`, with broadcasting (ONNX `Pow`).
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public func power(_ exponent: Symbol) throws -> Symbol { try applying(Pow(), exponent) }

  /// Returns this to the power of a number (ONNX `Pow`).
  public func power(_ exponent: Double) throws -> Symbol { try power(scalar(exponent)) }
}
