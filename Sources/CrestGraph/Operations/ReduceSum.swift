public import CrestTensor

/// Σ over axes (ONNX `ReduceSum`, opset 13, axes as an attribute).
public struct ReduceSum: Reduction {
  /// `ReduceSum`.
  public static let name = "ReduceSum"
  /// The axes summed over, ascending, none negative.
  public let axes: [Int]
  /// Whether summed axes stay, with size 1.
  public let keepsDimensions: Bool

  /// A sum over `axes`, ascending and none negative.
  public init(axes: [Int], keepsDimensions: Bool) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  /// The sum.
  public func fold(_ group: [Double]) -> Double {
    group.reduce(0, +)
  }

  /// The sum.
  public func fold(_ group: [Int64], of type: ElementType) -> Int64 {
    group.reduce(0, &+)
  }

  /// dy, repeated over the summed axes.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try spread(context.outputGradient, like: context.inputs[0])]
  }
}

extension Symbol {
  /// Returns the sum over `axes` (ONNX `ReduceSum`).
  ///
  /// Over all axes when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func sum(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try applying(
      ReduceSum(
        axes: try reductionAxes(axes, ReduceSum.name), keepsDimensions: keepingDimensions))
  }
}
