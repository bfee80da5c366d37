public import CrestTensor

/// Σ over axes (ONNX `ReduceSum`, opset 13, axes as an attribute).
package struct ReduceSum: Reduction {
  /// The axes summed over, ascending, none negative.
  package let axes: [Int]
  /// Whether summed axes stay, with size 1.
  package let keepsDimensions: Bool

  /// A sum over `axes`, ascending and none negative.
  package init(axes: [Int], keepsDimensions: Bool) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  /// The sum.
  package func fold(_ group: [Double]) -> Double {
    group.reduce(0, +)
  }

  /// The sum.
  package func fold(_ group: [Int64], of type: ElementType) -> Int64 {
    group.reduce(0, &+)
  }

  /// dy, repeated over the summed axes.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
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
        axes: try reductionAxes(axes, "ReduceSum"), keepsDimensions: keepingDimensions))
  }
}
