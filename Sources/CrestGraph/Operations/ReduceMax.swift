public import CrestTensor

/// The maximum over axes (ONNX `ReduceMax`, opset 18, axes as an attribute); NaN when any is, -∞ of
/// nothing.
public struct ReduceMax: Reduction {
  /// `ReduceMax`.
  public static let name = "ReduceMax"
  /// The axes folded, ascending, none negative.
  public let axes: [Int]
  /// Whether folded axes stay, with size 1.
  public let keepsDimensions: Bool

  /// A maximum over `axes`, ascending and none negative.
  public init(axes: [Int], keepsDimensions: Bool) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  /// The largest.
  public func fold(_ group: [Double]) -> Double {
    group.reduce(-.infinity) { ElementwiseFunction.maximum.evaluate([$0, $1]) }
  }

  /// The largest; the least number of the type of nothing.
  public func fold(_ group: [Int64], of type: ElementType) -> Int64 {
    group.max() ?? type.integerRange.lowerBound
  }

  /// dy split evenly among the elements that are the maximum, as PyTorch's `amax`.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
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
        axes: try reductionAxes(axes, ReduceMax.name), keepsDimensions: keepingDimensions))
  }
}
