/// The larger of a and b (ONNX `Max`, opset 13, of two; NumPy broadcasting; NaN when either is).
public struct Max: ElementwiseOperation {
  /// `Max`.
  public static let name = "Max"
  /// The larger of a and b.
  public var function: ElementwiseFunction { .maximum }

  /// The operation.
  public init() {}

  /// dy to the larger, half to each where they are equal, as in PyTorch.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (a, b) = (context.inputs[0], context.inputs[1])
    let isTie = try a.equalMask(b)
    return try context.broadcastGradients(
      { dy in
        let shared = try (dy * 0.5).selected(where: isTie, else: dy)
        return try dy.scalar(0).selected(where: a.lessMask(b), else: shared)
      },
      { dy in
        let shared = try (dy * 0.5).selected(where: isTie, else: dy)
        return try dy.scalar(0).selected(where: a.greaterMask(b), else: shared)
      })
  }
}

extension Symbol {
  /// Returns the larger of this and `other`, element by element, with broadcasting (ONNX `Max`).
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public func maximum(_ other: Symbol) throws -> Symbol { try applying(Max(), other) }
}
