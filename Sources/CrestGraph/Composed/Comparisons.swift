import CrestTensor

extension Symbol {
  /// Returns where this = `other`, as booleans, with broadcasting (ONNX `Equal`, opset 13); false
  /// for NaN.
  ///
  /// - Throws: ``GraphError`` when the types differ or the shapes don't broadcast.
  public func equal(to other: Symbol) throws -> Symbol { try equalMask(other).cast(to: .bool) }

  /// Returns where this < `other`, as booleans, with broadcasting (ONNX `Less`, opset 13); false
  /// for NaN.
  ///
  /// - Throws: ``GraphError`` when the types differ or the shapes don't broadcast.
  public func less(than other: Symbol) throws -> Symbol { try lessMask(other).cast(to: .bool) }

  /// Returns where this > `other`, as booleans, with broadcasting (ONNX `Greater`, opset 13); false
  /// for NaN.
  ///
  /// - Throws: ``GraphError`` when the types differ or the shapes don't broadcast.
  public func greater(than other: Symbol) throws -> Symbol {
    try greaterMask(other).cast(to: .bool)
  }

  /// Returns where this ≤ `other`, as booleans, with broadcasting (ONNX `LessOrEqual`, opset 16);
  /// false for NaN.
  ///
  /// - Throws: ``GraphError`` when the types differ or the shapes don't broadcast.
  public func lessOrEqual(to other: Symbol) throws -> Symbol {
    try (lessMask(other) + equalMask(other)).cast(to: .bool)
  }

  /// Returns where this ≥ `other`, as booleans, with broadcasting (ONNX `GreaterOrEqual`, opset
  /// 16); false for NaN.
  ///
  /// - Throws: ``GraphError`` when the types differ or the shapes don't broadcast.
  public func greaterOrEqual(to other: Symbol) throws -> Symbol {
    try (greaterMask(other) + equalMask(other)).cast(to: .bool)
  }

  /// Returns where this is an infinity, as booleans (ONNX `IsInf`, opset 10).
  ///
  /// - Parameters:
  ///   - positive: Whether ∞ counts.
  ///   - negative: Whether -∞ counts.
  /// - Returns: Booleans of this value's shape.
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func isInfinite(positive: Bool = true, negative: Bool = true) throws -> Symbol {
    guard elementType.isFloat else {
      throw GraphError(
        path: builder.path, operation: "IsInf", expected: "a float input", got: "\(type)")
    }
    let isAbove = try positive ? equalMask(scalar(.infinity)) : scalar(0).expanded(to: shape)
    guard negative else { return try isAbove.cast(to: .bool) }
    return try (isAbove + equalMask(scalar(-.infinity))).cast(to: .bool)
  }

  /// Returns where this is NaN, as booleans (ONNX `IsNaN`, opset 13).
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func isNaN() throws -> Symbol {
    guard elementType.isFloat else {
      throw GraphError(
        path: builder.path, operation: "IsNaN", expected: "a float input", got: "\(type)")
    }
    return try equal(to: self).not()
  }
}
