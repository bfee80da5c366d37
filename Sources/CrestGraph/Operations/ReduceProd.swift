public import CrestTensor

/// Π over axes (ONNX `ReduceProd`, opset 18, axes as an attribute); 1 of nothing.
package struct ReduceProd: Reduction {
  /// The axes multiplied over, ascending, none negative.
  package let axes: [Int]
  /// Whether multiplied axes stay, with size 1.
  package let keepsDimensions: Bool

  /// A product over `axes`, ascending and none negative.
  package init(axes: [Int], keepsDimensions: Bool) {
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  /// The product.
  package func fold(_ group: [Double]) -> Double {
    group.reduce(1, *)
  }

  /// The product.
  package func fold(_ group: [Int64], of type: ElementType) -> Int64 {
    group.reduce(1, &*)
  }

  /// dy times the product of the others, which is not 0 where at most the element itself is.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let x = context.inputs[0]
    let (zero, one) = try (x.scalar(0), x.scalar(1))
    let isZero = try x.equalMask(zero)
    let nonzero = try one.selected(where: isZero, else: x)
    let product = try nonzero.product(axes: axes, keepingDimensions: keepsDimensions)
    let zeros = try isZero.sum(axes: axes, keepingDimensions: keepsDimensions)
    let alone = try spread(zeros.equalMask(one), like: x)
    let none = try spread(zeros.equalMask(zero), like: x)
    let others = try spread(product, like: x) / nonzero
    return [
      try spread(context.outputGradient, like: x) * others
        * alone.selected(where: isZero, else: none)
    ]
  }
}

extension Symbol {
  /// Returns the product over `axes` (ONNX `ReduceProd`).
  ///
  /// Over all axes when nil; negative ones count from the end.
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func product(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try applying(
      ReduceProd(
        axes: try reductionAxes(axes, "ReduceProd"), keepsDimensions: keepingDimensions))
  }
}
