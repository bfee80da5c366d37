public import CrestTensor

extension Symbol {
  /// Returns a matrix of this one's shape with ones on a diagonal and zeros elsewhere (ONNX `EyeLike`,
  /// opset 9).
  ///
  /// - Parameters:
  ///   - diagonal: By how many columns the diagonal lies above the main one.
  ///   - elementType: The type of its elements; this one's when nil.
  /// - Returns: A matrix of this one's shape.
  /// - Throws: ``GraphError`` when this isn't a matrix, or has more rows or columns than a graph
  ///   from elsewhere may have constants.
  public func identityLike(
    diagonal: Int = 0, elementType: ElementType? = nil
  ) throws -> Symbol {
    guard shape.rank == 2 else {
      throw GraphError(
        path: builder.path, operation: "EyeLike", expected: "a matrix", got: "\(type)")
    }
    try builder.makeRoom(forConstant: shape[0], .int64, "EyeLike")
    try builder.makeRoom(forConstant: shape[1], .int64, "EyeLike")
    let first = Int64(Swift.min(Swift.max(diagonal, -shape[0]), shape[1]))
    let rows = Tensor((0..<Int64(shape[0])).map { $0 + first }, shape: [shape[0], 1])
    let columns = Tensor((0..<Int64(shape[1])).map { $0 }, shape: [1, shape[1]])
    return try builder.constant(rows).equal(to: builder.constant(columns))
      .cast(to: elementType ?? self.elementType)
  }

  /// Returns the upper or lower triangle of the matrices in the last two axes, zeros elsewhere (ONNX
  /// `Trilu`, opset 14).
  ///
  /// - Parameters:
  ///   - isUpper: Whether the upper triangle is kept.
  ///   - diagonal: By how many columns the kept diagonal lies above the main one.
  /// - Returns: A value of this one's type; what isn't kept is 0 even where this is NaN.
  /// - Throws: ``GraphError`` when there are fewer than two axes.
  public func triangle(isUpper: Bool = true, diagonal: Int = 0) throws -> Symbol {
    guard shape.rank >= 2 else {
      throw GraphError(
        path: builder.path, operation: "Trilu", expected: "matrices […, rows, columns]",
        got: "\(shape)")
    }
    guard shape.elementCount > 0 else { return self }
    let (rows, columns) = (shape[shape.rank - 2], shape[shape.rank - 1])
    try builder.makeRoom(forConstant: rows * columns, .bool, "Trilu")
    let first = Swift.min(Swift.max(diagonal, -rows), columns)
    let mask = (0..<rows * columns).map { place -> Bool in
      let (row, column) = place.quotientAndRemainder(dividingBy: columns)
      return isUpper ? column - row >= first : column - row <= first
    }
    let isKept = builder.constant(Tensor(mask, shape: [rows, columns]))
    return try selected(where: isKept, else: scalar(0))
  }
}
