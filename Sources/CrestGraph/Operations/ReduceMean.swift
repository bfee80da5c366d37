public import CrestTensor

/// The mean over axes (ONNX `ReduceMean`, opset 18, axes as an attribute); NaN of nothing.
package struct ReduceMean: Reduction {
  /// The axes folded, ascending, none negative.
  package let axes: [Int]
  /// Whether folded axes stay, with size 1.
  package let keepsDimensions: Bool

  /// A mean over `axes`, ascending and none negative.
  package init(axes: [Int], keepsDimensions: Bool) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  /// The mean.
  package func fold(_ group: [Double]) -> Double {
    group.reduce(0, +) / Double(group.count)
  }

  /// The mean, truncated toward zero; 0 of nothing.
  package func fold(_ group: [Int64], of type: ElementType) -> Int64 {
    group.isEmpty ? 0 : group.reduce(0, &+) / Int64(group.count)
  }

  /// dy over the size of a group, repeated over the folded axes.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let x = context.inputs[0]
    let count = axes.reduce(1) { $0 * x.shape[$1] }
    return [try spread(context.outputGradient / Double(count), like: x)]
  }
}

extension Symbol {
  /// Returns the mean over `axes` (ONNX `ReduceMean`).
  ///
  /// Over all axes when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func mean(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try applying(
      ReduceMean(
        axes: try reductionAxes(axes, "ReduceMean"), keepsDimensions: keepingDimensions))
  }
}
