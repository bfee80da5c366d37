import CrestTensor

/// The sum of the elements up to each along an axis (ONNX `CumSum`, opset 14, axis as an attribute).
package struct CumSum: BoundedOperation {
  /// The axis summed along, not negative.
  package let axis: Int
  /// Whether the element itself is left out.
  package let isExclusive: Bool
  /// Whether sums run from the end.
  package let isReversed: Bool

  /// A running sum along `axis`, which is not negative.
  package init(axis: Int, isExclusive: Bool = false, isReversed: Bool = false) {
    self.axis = axis
    self.isExclusive = isExclusive
    self.isReversed = isReversed
  }

  /// The input's type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkNumber(inputs[0])
    guard (0..<inputs[0].shape.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(inputs[0].shape)", got: "\(axis)")
    }
    return inputs
  }

  /// Each example independently, unless the axis counts them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.flow(of: self, along: [axis], "accumulates along the batch axis")
  }

  /// Sums along each line; those of integers wrap around.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (x, lines) = (inputs[0], inputs[0].lines(along: axis))
    func sums<Number: Numeric>(
      _ elements: [Number], _ add: (Number, Number) -> Number
    ) -> [Number] {
      var results = elements
      for line in lines {
        var sum = Number.zero
        for place in isReversed ? line.reversed() : line {
          let next = add(sum, elements[place])
          results[place] = isExclusive ? sum : next
          sum = next
        }
      }
      return results
    }
    switch x.elements {
    case .reals(let reals): return [ReferenceArray(sums(reals, +), x.type)]
    case .integers(let integers):
      return [
        ReferenceArray(
          Tensor(wrapping: sums(integers, &+), to: x.type.elementType, shape: x.shape))
      ]
    }
  }

  /// dy summed the other way.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [
      try context.outputGradient.applying(
        CumSum(axis: axis, isExclusive: isExclusive, isReversed: !isReversed))
    ]
  }
}

extension Symbol {
  /// Returns the sum of the elements up to each along `axis` (ONNX `CumSum`); a negative axis counts
  /// from the end.
  ///
  /// - Parameters:
  ///   - axis: The axis summed along.
  ///   - isExclusive: Whether the element itself is left out.
  ///   - isReversed: Whether sums run from the end.
  /// - Returns: A value of this one's type.
  /// - Throws: ``GraphError`` when the axis is out of range.
  public func cumulativeSum(
    axis: Int, isExclusive: Bool = false, isReversed: Bool = false
  ) throws -> Symbol {
    try applying(
      CumSum(
        axis: try resolvedAxis(axis, "CumSum"), isExclusive: isExclusive,
        isReversed: isReversed))
  }
}
