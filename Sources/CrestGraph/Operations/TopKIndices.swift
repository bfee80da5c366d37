import CrestTensor

/// Where the largest or smallest elements along an axis are, the best first, as `int64` (the second
/// output of ONNX `TopK`, opset 11, k as an attribute).
///
/// Of equals the first wins; NaN counts as the largest, as in NumPy and PyTorch.
package struct TopKIndices: BoundedOperation {
  /// How many are taken.
  package let count: Int
  /// The axis searched, not negative.
  package let axis: Int
  /// Whether the largest are taken, not the smallest.
  package let takesLargest: Bool

  /// The places of `count` elements along `axis`, which is not negative.
  package init(count: Int, axis: Int, takesLargest: Bool = true) {
    self.count = count
    self.axis = axis
    self.takesLargest = takesLargest
  }

  /// The input's sizes, `count` along the axis.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    try OperationError.checkNumber(inputs[0])
    guard (0..<shape.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(shape)", got: "\(axis)")
    }
    guard (0...shape[axis]).contains(count) else {
      throw OperationError(expected: "a count in 0...\(shape[axis])", got: "\(count)")
    }
    var sizes = shape.dimensions
    sizes[axis] = count
    return [ValueType(Shape(sizes), .int64)]
  }

  /// Each example independently, unless the axis counts them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.flow(of: self, along: [axis], "searches among the examples")
  }

  /// The places, by sorting each line.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let x = inputs[0]
    func isLess(_ left: Int, _ right: Int) -> Bool {
      switch x.elements {
      case .integers(let integers): integers[left] < integers[right]
      case .reals(let reals):
        reals[left] < reals[right] || !reals[left].isNaN && reals[right].isNaN
      }
    }
    var sizes = x.shape.dimensions
    sizes[axis] = count
    let shape = Shape(sizes)
    var results = [Int64](repeating: 0, count: shape.elementCount)
    let targets = ReferenceArray(integers: results, ValueType(shape, .int64)).lines(along: axis)
    for (line, target) in zip(x.lines(along: axis), targets) {
      // Swift's sort keeps the order of equals.
      let order = line.indices.sorted {
        takesLargest ? isLess(line[$1], line[$0]) : isLess(line[$0], line[$1])
      }
      for (place, chosen) in zip(target, order) { results[place] = Int64(chosen) }
    }
    return [ReferenceArray(integers: results, ValueType(shape, .int64))]
  }

  /// None: an index is an integer.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil] }
}

extension Symbol {
  /// Returns the largest or smallest elements along `axis`, the best first, and where they were (ONNX
  /// `TopK`); a negative axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range, or has fewer elements than `count`.
  public func topK(
    _ count: Int, axis: Int = -1, takingLargest: Bool = true
  ) throws -> (values: Symbol, indices: Symbol) {
    let axis = try resolvedAxis(axis, "TopKIndices")
    let indices = try applying(TopKIndices(count: count, axis: axis, takesLargest: takingLargest))
    return (try gatheredElements(indices, axis: axis), indices)
  }
}
