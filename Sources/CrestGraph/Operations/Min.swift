/// The smaller of a and b (ONNX `Min`, opset 13, of two; NumPy broadcasting; NaN when either is).
public struct Min: ElementwiseOperation {
  /// `Min`.
  public static let name = "Min"
  /// The smaller of a and b.
  public var function: ElementwiseFunction { .minimum }

  /// The operation.
  public init() {}

  /// dy to the smaller, half to each where they are equal, as in PyTorch.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (a, b) = (context.inputs[0], context.inputs[1])
    let isTie = try a.equalMask(b)
    return try context.broadcastGradients(
      { dy in
        let shared = try (dy * 0.5).selected(where: isTie, else: dy)
        return try dy.scalar(0).selected(where: a.greaterMask(b), else: shared)
      },
      { dy in
        let shared = try (dy * 0.5).selected(where: isTie, else: dy)
        return try dy.scalar(0).selected(where: a.lessMask(b), else: shared)
      })
  }
}

extension Symbol {
  /// Returns the smaller of this and `other`, element by element, with broadcasting (ONNX `Min`).
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public func minimum(_ other: Symbol) throws -> Symbol { try applying(Min(), other) }
}
