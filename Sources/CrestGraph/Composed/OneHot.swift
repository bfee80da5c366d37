import CrestTensor

extension Symbol {
  /// Returns 1 at the largest element along `axis`, the first of several, and 0 elsewhere (ONNX
  /// `Hardmax`, opset 13).
  ///
  /// - Throws: ``GraphError`` when the axis is out of range or empty.
  public func hardmax(axis: Int = -1) throws -> Symbol {
    let axis = try resolvedAxis(axis, "Hardmax")
    return try argMax(axis: axis, keepingDimension: false).oneHot(
      depth: shape[axis], axis: axis, on: scalar(1), off: scalar(0))
  }

  /// Returns these indices as vectors that hold one value at the index and another elsewhere (ONNX
  /// `OneHot`, opset 11, depth as an attribute).
  ///
  /// An index in -depth ..< 0 counts from the end; one out of range holds the other value everywhere.
  ///
  /// - Parameters:
  ///   - depth: The length of each vector, at most 2²⁴.
  ///   - axis: The place of the vectors' axis in the result; a negative one counts from its end.
  ///   - on: The value at the index, a scalar.
  ///   - off: The value elsewhere, a scalar of the same type.
  /// - Returns: A value of one more axis, in the type of `on`.
  /// - Throws: ``GraphError`` when these aren't integers, or depth or axis is out of range.
  public func oneHot(depth: Int, axis: Int = -1, on: Symbol, off: Symbol) throws -> Symbol {
    func refused(_ expected: String, _ got: String) -> GraphError {
      GraphError(path: builder.path, operation: "OneHot", expected: expected, got: got)
    }
    let rank = shape.rank + 1
    let place = axis < 0 ? axis + rank : axis
    guard elementType.isInteger else { throw refused("integer indices", "\(type)") }
    guard (0...1 << 24).contains(depth) else {
      throw refused("a depth in 0...\(1 << 24)", "\(depth)")
    }
    guard (0..<rank).contains(place) else {
      throw refused("an axis in \(-rank)..<\(rank) of the result", "\(axis)")
    }
    guard on.shape == [], off.type == on.type else {
      throw refused("two scalars of one type", "\(on.type) and \(off.type)")
    }
    // Compared as int64: a depth need not fit the type of the indices.
    let wide = try cast(to: .int64)
    let fromStart = try (wide + Double(depth)).selected(
      where: wide.less(than: wide.scalar(0)), else: wide)
    var sizes = [Int](repeating: 1, count: rank)
    sizes[place] = depth
    try builder.makeRoom(forConstant: depth, .int64, "OneHot")
    let places = builder.constant(Tensor((0..<Int64(depth)).map { $0 }, shape: Shape(sizes)))
    return try on.selected(
      where: fromStart.unsqueezed(axes: [place]).equal(to: places), else: off)
  }
}
