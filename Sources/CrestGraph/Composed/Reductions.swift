import CrestTensor

extension Symbol {
  /// Returns the sum of magnitudes over `axes` (ONNX `ReduceL1`, opset 18).
  ///
  /// Over all axes when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func l1Norm(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try absolute().sum(axes: axes, keepingDimensions: keepingDimensions)
  }

  /// Returns the root of the sum of squares over `axes` (ONNX `ReduceL2`, opset 18).
  ///
  /// Over all axes when nil; negative ones count from the end. Where the norm is 0 its gradient is
  /// 0, as in PyTorch.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func l2Norm(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    let squares = try sumOfSquares(axes: axes, keepingDimensions: keepingDimensions)
    // The root's slope at 0 is infinite: where the sum is 0 the root is of 1, which nothing reaches.
    let isZero = try squares.equalMask(scalar(0))
    return try scalar(0).selected(
      where: isZero, else: scalar(1).selected(where: isZero, else: squares).squareRoot())
  }

  /// Returns the sum of squares over `axes` (ONNX `ReduceSumSquare`, opset 18).
  ///
  /// Over all axes when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func sumOfSquares(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try (self * self).sum(axes: axes, keepingDimensions: keepingDimensions)
  }

  /// Returns the logarithm of the sum over `axes` (ONNX `ReduceLogSum`, opset 18).
  ///
  /// Over all axes when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func logSum(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try sum(axes: axes, keepingDimensions: keepingDimensions).log()
  }

  /// Returns log Σ eˣ over `axes`, without overflow (ONNX `ReduceLogSumExp`, opset 18); -∞ of
  /// nothing.
  ///
  /// Over all axes when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func logSumExp(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    let largest = try max(axes: axes, keepingDimensions: true)
    // An infinite maximum would give ∞ - ∞; the exponentials of 0 and ∞ need no help.
    let isFinite = try largest.absolute().lessMask(scalar(.infinity))
    let level = try largest.selected(where: isFinite, else: scalar(0))
    let result = try (self - level).exp().sum(axes: axes, keepingDimensions: true).log() + level
    guard !keepingDimensions else { return result }
    return try result.squeezed(axes: axes ?? Array(shape.indices))
  }

  /// Returns the maximum over the spatial axes of this value, [N, C, spatial…] (ONNX
  /// `GlobalMaxPool`, opset 1).
  ///
  /// - Throws: ``GraphError`` when there are no spatial axes.
  public func globalMaxPool() throws -> Symbol {
    guard shape.rank >= 3 else {
      throw GraphError(
        path: builder.path, operation: "GlobalMaxPool", expected: "an input [N, C, spatial…]",
        got: "\(shape)")
    }
    return try max(axes: Array(2..<shape.rank), keepingDimensions: true)
  }
}
