public import CrestTensor

/// The minimum over axes (ONNX `ReduceMin`, opset 18, axes as an attribute); NaN when any is, ∞ of
/// nothing.
package struct ReduceMin: Reduction {
  /// The axes folded, ascending, none negative.
  package let axes: [Int]
  /// Whether folded axes stay, with size 1.
  package let keepsDimensions: Bool

  /// A minimum over `axes`, ascending and none negative.
  package init(axes: [Int], keepsDimensions: Bool) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  /// The smallest.
  package func fold(_ group: [Double]) -> Double {
    group.reduce(.infinity) { ElementwiseFunction.minimum.evaluate([$0, $1]) }
  }

  /// The smallest; the largest number of the type of nothing.
  package func fold(_ group: [Int64], of type: ElementType) -> Int64 {
    group.min() ?? type.integerRange.upperBound
  }

  /// dy split evenly among the elements that are the minimum, as PyTorch's `amin`.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try splitAmongExtremes(context)]
  }
}

extension Symbol {
  /// Returns the minimum over `axes` (ONNX `ReduceMin`).
  ///
  /// Over all axes when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func min(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try applying(
      ReduceMin(
        axes: try reductionAxes(axes, "ReduceMin"), keepsDimensions: keepingDimensions))
  }
}
