/// a where c ≠ 0, else b (ours; ONNX `Where` with a float condition; NumPy broadcasting).
///
/// Inputs are a, b, c. A value that isn't chosen has no effect, not even as NaN.
public struct Select: ElementwiseOperation {
  /// `Select`.
  public static let name = "Select"
  /// a where c ≠ 0, else b.
  public var function: ElementwiseFunction { .select }

  /// The operation.
  public init() {}

  /// dy where chosen, else 0; c only chooses, so its gradient is zero.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let condition = context.inputs[2]
    return try context.broadcastGradients(
      { try $0.selected(where: condition, else: $0.scalar(0)) },
      { try $0.scalar(0).selected(where: condition, else: $0) }) + [nil]
  }
}

extension Symbol {
  /// Returns this where `condition` ≠ 0, else `other`, with broadcasting (PyTorch `where`).
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public func selected(where condition: Symbol, else other: Symbol) throws -> Symbol {
    try applying(Select(), other, condition)
  }
}
