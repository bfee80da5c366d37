import CrestTensor

/// An operation that tells where the largest or smallest element along an axis is, as `int64`.
///
/// NaN counts as both, as in NumPy and PyTorch.
package protocol IndexSearch: GraphOperation {
  /// Whether the largest is searched, not the smallest.
  static var seeksLargest: Bool { get }
  /// The axis searched, not negative.
  var axis: Int { get }
  /// Whether the axis stays, with size 1.
  var keepsDimension: Bool { get }
  /// Whether the last of equals is taken, not the first (ONNX `select_last_index`).
  var takesLast: Bool { get }
}

extension IndexSearch {
  /// The other sizes.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    try OperationError.checkNumber(inputs[0])
    guard (0..<shape.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(shape)", got: "\(axis)")
    }
    let sizes = foldedSizes(shape)
    guard shape[axis] > 0 || sizes.contains(0) else {
      throw OperationError(expected: "elements along axis \(axis)", got: "none in \(shape)")
    }
    return [ValueType(Shape(sizes), .int64)]
  }

  private func foldedSizes(_ shape: Shape) -> [Int] {
    var sizes = shape.dimensions
    sizes[axis] = 1
    if !keepsDimension { sizes.remove(at: axis) }
    return sizes
  }

  /// Each example by itself, unless the axis searched counts them.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try context.flow(
      of: self, along: [axis], removing: keepsDimension ? [] : [axis], "searches among the examples"
    )
  }

  /// The index in each line.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let x = inputs[0]
    func isBetter(_ left: Int, _ right: Int) -> Bool {
      let (high, low) = Self.seeksLargest ? (left, right) : (right, left)
      return switch x.elements {
      case .integers(let integers): integers[high] > integers[low]
      case .reals(let reals):
        reals[high] > reals[low] || reals[left].isNaN && !reals[right].isNaN
      }
    }
    let indices = x.lines(along: axis).map { line -> Int64 in
      let leader = line.indices.dropFirst().reduce(0) { leader, candidate in
        isBetter(line[candidate], line[leader])
          || takesLast && !isBetter(line[leader], line[candidate]) ? candidate : leader
      }
      return Int64(leader)
    }
    return [ReferenceArray(integers: indices, ValueType(Shape(foldedSizes(x.shape)), .int64))]
  }

  /// None: an index is a whole number.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil] }
}
