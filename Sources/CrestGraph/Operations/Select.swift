import CrestTensor

/// a where c ≠ 0, else b (ours; ONNX `Where`, opset 16, whose condition is boolean; NumPy
/// broadcasting).
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
  /// Returns this where `condition` holds, else `other`, with broadcasting (ONNX `Where`).
  ///
  /// The condition is boolean, or of this value's type, and then holds where it isn't 0.
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public func selected(where condition: Symbol, else other: Symbol) throws -> Symbol {
    let isCast = condition.elementType == .bool && elementType != .bool
    return try applying(Select(), other, isCast ? condition.cast(to: elementType) : condition)
  }
}
