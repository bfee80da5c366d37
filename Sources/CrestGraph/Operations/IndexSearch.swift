import CrestTensor

/// Where the largest or smallest element along an axis is, as `int64` (ONNX `ArgMax` and `ArgMin`,
/// opset 13).
///
/// NaN counts as both, as in NumPy and PyTorch.
package struct IndexSearch: BoundedOperation {
  /// What is searched; raw values are ONNX's operators.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case largest = "ArgMax"
    case smallest = "ArgMin"
  }

  package let kind: Kind
  /// The axis searched, not negative.
  package let axis: Int
  /// Whether the axis stays, with size 1.
  package let keepsDimension: Bool
  /// Whether the last of equals is taken, not the first (ONNX `select_last_index`).
  package let takesLast: Bool

  package init(_ kind: Kind, axis: Int, keepsDimension: Bool = true, takesLast: Bool = false) {
    self.kind = kind
    self.axis = axis
    self.keepsDimension = keepsDimension
    self.takesLast = takesLast
  }

  package var name: String { kind.rawValue }

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

  /// Each example independently, unless the axis searched counts them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.flow(
      of: self, along: [axis], removing: keepsDimension ? [] : [axis], "searches among the examples"
    )
  }

  /// The index in each line.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let x = inputs[0]
    func isBetter(_ left: Int, _ right: Int) -> Bool {
      let (high, low) = kind == .largest ? (left, right) : (right, left)
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

  /// None: an index is an integer.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil] }
}

extension Symbol {
  /// Returns the index of the largest element along `axis`, as `int64` (ONNX `ArgMax`); a negative
  /// axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range or empty.
  public func argMax(
    axis: Int = 0, keepingDimension: Bool = true, takingLast: Bool = false
  ) throws -> Symbol {
    try index(of: .largest, axis, keepingDimension, takingLast)
  }

  /// Returns the index of the smallest element along `axis`, as `int64` (ONNX `ArgMin`); a negative
  /// axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range or empty.
  public func argMin(
    axis: Int = 0, keepingDimension: Bool = true, takingLast: Bool = false
  ) throws -> Symbol {
    try index(of: .smallest, axis, keepingDimension, takingLast)
  }

  private func index(
    of kind: IndexSearch.Kind, _ axis: Int, _ keepsDimension: Bool, _ takesLast: Bool
  ) throws -> Symbol {
    try applying(
      IndexSearch(
        kind, axis: resolvedAxis(axis, kind.rawValue), keepsDimension: keepsDimension,
        takesLast: takesLast))
  }
}
