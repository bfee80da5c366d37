/// The index of the smallest element along an axis (ONNX `ArgMin`, opset 13), as `int64`.
package struct ArgMin: IndexSearch {
  /// No: the smallest.
  package static var seeksLargest: Bool { false }
  /// The axis searched, not negative.
  package let axis: Int
  /// Whether the axis stays, with size 1.
  package let keepsDimension: Bool
  /// Whether the last of equals is taken, not the first (ONNX `select_last_index`).
  package let takesLast: Bool

  /// A search along `axis`, which is not negative.
  package init(axis: Int, keepsDimension: Bool = true, takesLast: Bool = false) {
    self.axis = axis
    self.keepsDimension = keepsDimension
    self.takesLast = takesLast
  }
}

extension Symbol {
  /// Returns the index of the smallest element along `axis`, as `int64` (ONNX `ArgMin`); a negative
  /// axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range or empty.
  public func argMin(
    axis: Int = 0, keepingDimension: Bool = true, takingLast: Bool = false
  ) throws -> Symbol {
    try applying(
      ArgMin(
        axis: resolvedAxis(axis, "ArgMin"), keepsDimension: keepingDimension,
        takesLast: takingLast))
  }
}
