public import CrestTensor

/// The maximum over axes (ONNX `ReduceMax`, opset 18, axes as an attribute); NaN when any is, -∞ of
/// nothing.
package struct ReduceMax: Reduction {
  /// The axes folded, ascending, none negative.
  package let axes: [Int]
  /// Whether folded axes stay, with size 1.
  package let keepsDimensions: Bool

  /// A maximum over `axes`, ascending and none negative.
  package init(axes: [Int], keepsDimensions: Bool) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  /// The largest.
  package func fold(_ group: [Double]) -> Double {
    group.reduce(-.infinity) { ElementwiseFunction.maximum.evaluate([$0, $1]) }
  }

  /// The largest; the least number of the type of nothing.
  package func fold(_ group: [Int64], of type: ElementType) -> Int64 {
    group.max() ?? type.integerRange.lowerBound
  }

  /// dy split evenly among the elements that are the maximum, as PyTorch's `amax`.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try splitAmongExtremes(context)]
  }
}

extension Symbol {
  /// Returns the maximum over `axes` (ONNX `ReduceMax`).
  ///
  /// Over all axes when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func max(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try applying(
      ReduceMax(
        axes: try reductionAxes(axes, "ReduceMax"), keepsDimensions: keepingDimensions))
  }
}
