public import CrestTensor

/// An operation that folds axes away: sum, product, mean, maximum, minimum.
package protocol Reduction: GraphOperation {
  /// The axes folded, ascending, none negative.
  var axes: [Int] { get }
  /// Whether folded axes stay, with size 1.
  var keepsDimensions: Bool { get }

  /// What a group of elements becomes, which may be empty.
  func fold(_ group: [Double]) -> Double

  /// What a group of whole numbers of a type becomes, before it wraps to the type.
  func fold(_ group: [Int64], of type: ElementType) -> Int64
}

extension Reduction {
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

  /// Each example by itself, unless one of the reduced axes counts them.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try context.flow(
      of: self, along: axes, removing: keepsDimensions ? [] : axes,
      "reduces the axis of the examples")
  }

  /// Folds the elements of each group, in row-major order; whole numbers wrap to their type.
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

  /// A value of the output's shape, repeated over the folded axes to the input's shape.
  func spread(_ value: Symbol, like input: Symbol) throws -> Symbol {
    let kept = (0..<input.shape.rank).map { axes.contains($0) ? 1 : input.shape[$0] }
    return try value.reshaped(exactlyTo: Shape(kept)).expanded(to: input.shape)
  }

  /// dy of a maximum or minimum, split evenly among the elements that equal it.
  func splitAmongExtremes(_ context: GradientContext) throws -> Symbol {
    let x = context.inputs[0]
    let winners = try x.equalMask(spread(context.outputs[0], like: x))
    let counts = try winners.sum(axes: axes, keepingDimensions: keepsDimensions)
    return try winners * spread(context.outputGradient / counts, like: x)
  }
}

extension Symbol {
  /// The axes a reduction folds: all when nil, counted from the start, ascending.
  func reductionAxes(_ axes: [Int]?, _ operation: String) throws -> [Int] {
    guard let axes else { return Array(0..<shape.rank) }
    let resolved = axes.compactMap(shape.resolved(axis:))
    guard resolved.count == axes.count, Set(resolved).count == axes.count else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "different axes of \(shape)",
        got: "\(axes)")
    }
    return resolved.sorted()
  }
}
