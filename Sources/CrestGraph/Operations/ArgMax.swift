/// The index of the largest element along an axis (ONNX `ArgMax`, opset 13), as `int64`.
public struct ArgMax: IndexSearch {
  /// `ArgMax`.
  public static let name = "ArgMax"
  /// Yes.
  public static var seeksLargest: Bool { true }
  /// The axis searched, not negative.
  public let axis: Int
  /// Whether the axis stays, with size 1.
  public let keepsDimension: Bool
  /// Whether the last of equals is taken, not the first (ONNX `select_last_index`).
  public let takesLast: Bool

  /// A search along `axis`, which is not negative.
  public init(axis: Int, keepsDimension: Bool = true, takesLast: Bool = false) {
    self.axis = axis
    self.keepsDimension = keepsDimension
    self.takesLast = takesLast
  }
}

extension Symbol {
  /// Returns the index of the largest element along `axis`, as `int64` (ONNX `ArgMax`); a negative
  /// axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range or empty.
  public func argMax(
    axis: Int = 0, keepingDimension: Bool = true, takingLast: Bool = false
  ) throws -> Symbol {
    try applying(
      ArgMax(
        axis: resolvedAxis(axis, ArgMax.name), keepsDimension: keepingDimension,
        takesLast: takingLast))
  }
}
