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
