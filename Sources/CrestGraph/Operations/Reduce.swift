import CrestTensor

/// Axes folded away: ONNX `ReduceSum`, `ReduceMean`, `ReduceMax`, `ReduceMin`, `ReduceProd`, opset 18,
/// axes as an attribute.
package struct Reduce: BoundedOperation {
  /// What a group of elements becomes; raw values are ONNX's operators.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Their sum; 0 of nothing.
    case sum = "ReduceSum"
    /// Their mean, of integers truncated; NaN of nothing, 0 of no integers.
    case mean = "ReduceMean"
    /// The largest; NaN when any is, -∞ or the least number of the type of nothing.
    case max = "ReduceMax"
    /// The smallest; NaN when any is, ∞ or the largest number of the type of nothing.
    case min = "ReduceMin"
    /// Their product; 1 of nothing.
    case product = "ReduceProd"
  }

  package let kind: Kind
  /// The axes folded, ascending, none negative.
  package let axes: [Int]
  /// Whether folded axes stay, with size 1.
  package let keepsDimensions: Bool

  package init(_ kind: Kind, axes: [Int], keepsDimensions: Bool) {
    self.kind = kind
    self.axes = axes
    self.keepsDimensions = keepsDimensions
  }

  package var name: String { kind.rawValue }

  /// The input's shape without the folded axes, or with size 1 there.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkNumber(inputs[0])
    let shape = inputs[0].shape
    guard axes.allSatisfy({ (0..<shape.rank).contains($0) }), Set(axes).count == axes.count else {
      throw OperationError(expected: "different axes of \(shape)", got: "\(axes)")
    }
    return [ValueType(foldedShape(shape), inputs[0].elementType)]
  }

  private func foldedShape(_ shape: Shape) -> Shape {
    Shape(
      (0..<shape.rank).compactMap { axis in
        !axes.contains(axis) ? shape[axis] : keepsDimensions ? 1 : nil
      })
  }

  package func valueRange(
    _ inputs: [ClosedRange<Double>], _ types: [ValueType]
  ) -> ClosedRange<Double> {
    let x = inputs[0]
    switch kind {
    case .mean, .max, .min: return x
    case .sum:
      let count = Double(axes.reduce(1) { $0 * types[0].shape[$1] })
      return x.combined(count...count, *)
    case .product: return (0.0...1).contains(x.lowerBound) && x.upperBound <= 1 ? 0...1 : .anyNumber
    }
  }

  /// Each example independently, unless one of the reduced axes counts them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.flow(
      of: self, along: axes, removing: keepsDimensions ? [] : axes,
      "reduces the batch axis")
  }

  /// Folds the elements of each group, in row-major order; integers wrap to their type.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let x = inputs[0]
    let kept = (0..<x.shape.rank).map { axes.contains($0) ? 1 : x.shape[$0] }
    let strides = Shape(kept).strides(broadcastTo: x.shape)
    func groups<Number>(_ elements: [Number]) -> [[Number]] {
      var groups = [[Number]](repeating: [], count: kept.reduce(1, *))
      for (element, value) in elements.enumerated() {
        groups[offset(x.shape.index(ofElement: element), strides)].append(value)
      }
      return groups
    }
    let type = ValueType(foldedShape(x.shape), x.type.elementType)
    switch x.elements {
    case .reals(let reals): return [ReferenceArray(groups(reals).map { fold($0) }, type)]
    case .integers(let integers):
      let results = groups(integers).map { fold($0, of: type.elementType) }
      return [
        ReferenceArray(Tensor(wrapping: results, to: type.elementType, shape: type.shape))
      ]
    }
  }

  private func fold(_ group: [Double]) -> Double {
    func extreme(_ function: ElementwiseFunction, of nothing: Double) -> Double {
      let function = function.real
      return group.reduce(nothing) { function([$0, $1]) }
    }
    return switch kind {
    case .sum: group.reduce(0, +)
    case .mean: group.reduce(0, +) / Double(group.count)
    case .max: extreme(.maximum, of: -.infinity)
    case .min: extreme(.minimum, of: .infinity)
    case .product: group.reduce(1, *)
    }
  }

  private func fold(_ group: [Int64], of type: ElementType) -> Int64 {
    switch kind {
    case .sum: group.reduce(0, &+)
    case .mean: group.isEmpty ? 0 : group.reduce(0, &+) / Int64(group.count)
    case .max: group.max() ?? type.integerRange.lowerBound
    case .min: group.min() ?? type.integerRange.upperBound
    case .product: group.reduce(1, &*)
    }
  }

  /// dy repeated over the folded axes, by the kind.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (x, dy) = (context.inputs[0], context.outputGradient)
    switch kind {
    case .sum: return [try spread(dy, like: x)]
    case .mean:
      let count = axes.reduce(1) { $0 * x.shape[$1] }
      return [try spread(dy / Double(count), like: x)]
    // Split evenly among the elements that equal it, as PyTorch's `amax` and `amin`.
    case .max, .min:
      let winners = try x.equalMask(spread(context.outputs[0], like: x))
      let counts = try winners.sum(axes: axes, keepingDimensions: keepsDimensions)
      return [try winners * spread(dy / counts, like: x)]
    // dy times the product of the others, which is not 0 where at most the element itself is.
    case .product:
      let (zero, one) = try (x.scalar(0), x.scalar(1))
      let isZero = try x.equalMask(zero)
      let nonzero = try one.selected(where: isZero, else: x)
      let product = try nonzero.product(axes: axes, keepingDimensions: keepsDimensions)
      let zeros = try isZero.sum(axes: axes, keepingDimensions: keepsDimensions)
      let alone = try spread(zeros.equalMask(one), like: x)
      let none = try spread(zeros.equalMask(zero), like: x)
      let others = try spread(product, like: x) / nonzero
      return [try spread(dy, like: x) * others * alone.selected(where: isZero, else: none)]
    }
  }

  /// A value of the output's shape, repeated over the folded axes to the input's shape.
  private func spread(_ value: Symbol, like input: Symbol) throws -> Symbol {
    let kept = (0..<input.shape.rank).map { axes.contains($0) ? 1 : input.shape[$0] }
    return try value.reshaped(exactlyTo: Shape(kept)).expanded(to: input.shape)
  }
}

extension Graph.Node {
  /// The sum that it takes; nil of another operation.
  package var sum: Reduce? {
    guard let reduction = operation as? Reduce, reduction.kind == .sum else { return nil }
    return reduction
  }
}

extension Reduce: CustomStringConvertible {
  /// As fingerprints of graphs have it, which checkpoints hold.
  package var description: String {
    "\(name)(axes: \(axes), keepsDimensions: \(keepsDimensions))"
  }
}

// Over all axes when nil; negative ones count from the end. All throw ``GraphError`` when an axis is out
// of range or named twice.
extension Symbol {
  /// Returns the sum over `axes`, all when nil (ONNX `ReduceSum`).
  public func sum(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try reduced(.sum, axes, keepingDimensions)
  }

  /// Returns the mean over `axes`, all when nil (ONNX `ReduceMean`); NaN of nothing.
  public func mean(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try reduced(.mean, axes, keepingDimensions)
  }

  /// Returns the maximum over `axes`, all when nil (ONNX `ReduceMax`); NaN when any is, -∞ of nothing.
  public func max(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try reduced(.max, axes, keepingDimensions)
  }

  /// Returns the minimum over `axes`, all when nil (ONNX `ReduceMin`); NaN when any is, ∞ of nothing.
  public func min(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try reduced(.min, axes, keepingDimensions)
  }

  /// Returns the product over `axes`, all when nil (ONNX `ReduceProd`); 1 of nothing.
  public func product(axes: [Int]? = nil, keepingDimensions: Bool = false) throws -> Symbol {
    try reduced(.product, axes, keepingDimensions)
  }

  private func reduced(
    _ kind: Reduce.Kind, _ axes: [Int]?, _ keepsDimensions: Bool
  ) throws -> Symbol {
    let resolved = (axes ?? Array(0..<shape.rank)).compactMap(shape.resolved(axis:))
    guard resolved.count == axes?.count ?? shape.rank, Set(resolved).count == resolved.count else {
      throw GraphError(
        path: builder.path, operation: kind.rawValue, expected: "different axes of \(shape)",
        got: "\(axes ?? [])")
    }
    return try applying(Reduce(kind, axes: resolved.sorted(), keepsDimensions: keepsDimensions))
  }
}
