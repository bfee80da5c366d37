public import CrestTensor

/// The minimum over axes (ONNX `ReduceMin`, opset 18, axes as an attribute); NaN when any is, ∞ of
/// nothing.
public struct ReduceMin: Reduction {
  /// `ReduceMin`.
  public static let name = "ReduceMin"
  /// The axes folded, ascending, none negative.
  public let axes: [Int]
  /// Whether folded axes stay, with size 1.
  public let keepsDimensions: Bool

  /// A minimum over `axes`, ascending and none negative.
  public init(axes: [Int], keepsDimensions: Bool) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  /// The smallest.
  public func fold(_ group: [Double]) -> Double {
    group.reduce(.infinity) { ElementwiseFunction.minimum.evaluate([$0, $1]) }
  }

  /// The smallest; the largest number of the type of nothing.
  public func fold(_ group: [Int64], of type: ElementType) -> Int64 {
    group.min() ?? type.integerRange.upperBound
  }

  /// dy split evenly among the elements that are the minimum, as PyTorch's `amin`.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
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
        axes: try reductionAxes(axes, ReduceMin.name), keepsDimensions: keepingDimensions))
  }
}
