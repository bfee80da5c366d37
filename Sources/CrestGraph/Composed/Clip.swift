import CrestTensor

extension Symbol {
  /// Returns the values clipped to bounds (ONNX `Clip`, opset 13; PyTorch `clamp`).
  ///
  ///     y = min(max(x, minimum), maximum)
  ///
  /// NaN stays NaN, and the maximum wins when the bounds cross. The gradient passes between the
  /// bounds; at them and beyond it goes to the bound (as PyTorch's `hardtanh`, so that a clip at 0
  /// learns like a ReLU).
  ///
  /// - Parameters:
  ///   - minimum: A scalar of this value's type; no bound when nil.
  ///   - maximum: A scalar of this value's type; no bound when nil.
  /// - Returns: A value of this one's type.
  /// - Throws: ``GraphError`` when a bound isn't a scalar of this value's type.
  public func clipped(minimum: Symbol? = nil, maximum: Symbol? = nil) throws -> Symbol {
    for bound in [minimum, maximum] {
      guard let bound, bound.elementType != elementType || !bound.shape.isEmpty else { continue }
      throw GraphError(
        path: builder.path, operation: "Clip", expected: "a bound \(elementType) []",
        got: "\(bound.type)")
    }
    let raised =
      try minimum.map { bound in
        let isHeld = try lessMask(bound) + equalMask(bound)
        return try bound.selected(where: isHeld, else: self)
      } ?? self
    return try maximum.map { bound in
      let isHeld = try raised.greaterMask(bound) + raised.equalMask(bound)
      return try bound.selected(where: isHeld, else: raised)
    } ?? raised
  }

  /// Returns the values clipped to bounds given as numbers (ONNX `Clip`).
  ///
  /// - Throws: ``GraphError`` when the elements are booleans.
  public func clipped(minimum: Double, maximum: Double) throws -> Symbol {
    try clipped(minimum: scalar(minimum), maximum: scalar(maximum))
  }
}
