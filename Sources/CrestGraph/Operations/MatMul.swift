package import CrestTensor

/// Matrix product over the last two axes, batched and broadcast over the others (ONNX `MatMul`,
/// opset 13).
///
///     y[…, m, n] = Σₖ a[…, m, k] · b[…, k, n]
///
/// A vector on the left is a row, on the right a column, and its axis is gone from the result.
package struct MatMul: GraphOperation {

  /// The operation.
  package init() {}

  /// The sizes a product works with: batch, m, k, n.
  package struct Sizes {
    package let a: Shape
    package let b: Shape
    package let batch: Shape
    package let m: Int
    package let k: Int
    package let n: Int

    /// Nil when the shapes can't be multiplied.
    package init?(_ a: Shape, _ b: Shape) {
      guard a.rank >= 1, b.rank >= 1 else { return nil }
      self.a = a.rank == 1 ? Shape([1] + a.dimensions) : a
      self.b = b.rank == 1 ? Shape(b.dimensions + [1]) : b
      m = self.a[self.a.rank - 2]
      k = self.a[self.a.rank - 1]
      n = self.b[self.b.rank - 1]
      let batches = (
        Shape(Array(self.a.dimensions.dropLast(2))), Shape(Array(self.b.dimensions.dropLast(2)))
      )
      guard self.b[self.b.rank - 2] == k, let batch = batches.0.broadcast(with: batches.1) else {
        return nil
      }
      self.batch = batch
    }
  }

  /// […, m, n], without m or n where that operand was a vector.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkSameElementType(inputs)
    try OperationError.checkNumber(inputs[0])
    let (a, b) = (inputs[0].shape, inputs[1].shape)
    guard let sizes = Sizes(a, b) else {
      throw OperationError(
        expected: "matrices […, m, k] and […, k, n]", got: "\(a) and \(b)")
    }
    let matrix = (a.rank == 1 ? [] : [sizes.m]) + (b.rank == 1 ? [] : [sizes.n])
    return [ValueType(Shape(sizes.batch.dimensions + matrix), inputs[0].elementType)]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .products(outputs[0].shape, terms: [inputs[0].shape[inputs[0].shape.rank - 1]])
  }

  /// `Gemm`, of two matrices, whose kernel takes their transposes too.
  package func simplified(_ inputs: [Symbol]) throws -> [Symbol]? {
    guard inputs.allSatisfy({ $0.shape.rank == 2 }) else { return nil }
    return [try inputs[0].gemm(inputs[1])]
  }

  /// Each example independently, unless products are summed over them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    let (a, b, y) = (context.inputs[0], context.inputs[1], context.outputs[0])
    let matrixRank = (a.rank == 1 ? 0 : 1) + (b.rank == 1 ? 0 : 1)
    /// Where an operand's axis of the examples lies in the output.
    func rows(_ input: Int, summed: Int, last: Int) throws(Graph.RowMixing) -> Rows? {
      guard case .along(let axis, let inner) = context.rows[input] else { return nil }
      let operand = context.inputs[input]
      guard axis != summed else { throw .combined("sums products over the examples") }
      // Axes before the matrices are aligned at their end.
      let place = axis < operand.rank - 2 ? axis + y.rank - matrixRank - (operand.rank - 2) : last
      guard y[place] == operand[axis] else { throw .unknown("repeats the batch axis") }
      return .along(axis: place, inner: inner)
    }
    let left = try rows(0, summed: a.rank - 1, last: y.rank - matrixRank)
    let right = try rows(1, summed: Swift.max(b.rank - 2, 0), last: y.rank - 1)
    if let left, let right, left != right {
      throw .combined("multiplies each example with the others")
    }
    func flow(_ rows: Rows) -> RowFlow {
      RowFlow([rows], settings: AnyHashable([a.last]), keepsUniform: true)
    }
    guard let found = left ?? right else {
      // Equal rows give equal rows, equal columns equal columns.
      let batchRank = y.rank - matrixRank
      let uniform = y.indices.filter { axis in
        guard y[axis] != 1 else { return false }
        if axis < batchRank {
          return [0, 1].allSatisfy { input in
            let own = axis - batchRank + context.inputs[input].rank - 2
            return own < 0 || context.isUniform(input, along: own)
          }
        }
        let isRow = axis == batchRank && a.rank > 1
        return isRow
          ? context.isUniform(0, along: a.rank - 2) : context.isUniform(1, along: b.rank - 1)
      }
      return flow(.shared(uniform: Set(uniform)))
    }
    if case .along(let axis, _) = found {
      for input in [0, 1] where context.axis(input) == nil {
        let operand = context.inputs[input]
        let own = axis - (y.rank - matrixRank) + operand.rank - 2
        guard own >= 0, own < operand.rank - 2, !context.isUniform(input, along: own) else {
          continue
        }
        throw .combined("has a separate matrix for each index in the batch")
      }
    }
    return flow(found)
  }

  /// Sums the products.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    guard let sizes = Sizes(inputs[0].shape, inputs[1].shape),
      let type = try? outputTypes(for: inputs.map(\.type))[0]
    else { programmerError("\(inputs[0].type) and \(inputs[1].type) can't be multiplied") }
    let (m, k, n) = (sizes.m, sizes.k, sizes.n)
    let a = inputs[0].reshaped(sizes.a).broadcast(to: Shape(sizes.batch.dimensions + [m, k]))
    let b = inputs[1].reshaped(sizes.b).broadcast(to: Shape(sizes.batch.dimensions + [k, n]))
    return [
      a.products(with: b, type) { element in
        let (row, column) = element.quotientAndRemainder(dividingBy: n)
        return (left: (row * k, 1), right: (row / m * k * n + column, n), count: k)
      }
    ]
  }

  /// da = dy · bᵀ, db = aᵀ · dy, summed over broadcast batches.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (a, b) = (context.inputs[0], context.inputs[1])
    guard let sizes = Sizes(a.shape, b.shape) else {
      programmerError("\(a.type) and \(b.type) can't be multiplied")
    }
    let dy = try context.outputGradient.reshaped(
      exactlyTo: Shape(sizes.batch.dimensions + [sizes.m, sizes.n]))
    let rows = try a.reshaped(exactlyTo: sizes.a)
    let columns = try b.reshaped(exactlyTo: sizes.b)
    // An operand without batch axes is a weight shared by all rows: one product over all of them
    // instead of a batch of products and a sum.
    let isShared = sizes.b.rank == 2
    let da = try context.isNeeded[0] ? dy.matMul(columns.transposedMatrix()) : nil
    let db: Symbol? =
      if !context.isNeeded[1] {
        nil
      } else if isShared {
        try rows.reshaped(exactlyTo: [sizes.a.dimensions.dropLast().reduce(1, *), sizes.k])
          .transposedMatrix()
          .matMul(dy.reshaped(exactlyTo: [dy.shape.dimensions.dropLast().reduce(1, *), sizes.n]))
      } else {
        try rows.transposedMatrix().matMul(dy)
      }
    return [
      try da?.summed(to: sizes.a).reshaped(exactlyTo: a.shape),
      try db?.summed(to: sizes.b).reshaped(exactlyTo: b.shape),
    ]
  }

  package func weightUse(_ place: Int, rank: Int) -> WeightUse? {
    rank > 1 ? .matrix(outputAxis: place == 0 ? rank - 2 : rank - 1) : nil
  }
}

extension ReferenceArray {
  /// For each element of `type`, the sum of products of elements of this and `other`, both taken
  /// from a start by a stride; integers wrap around.
  func products(
    with other: ReferenceArray, _ type: ValueType,
    _ factors: (Int) -> (left: (Int, Int), right: (Int, Int), count: Int)
  ) -> ReferenceArray {
    func sums<Number: Numeric>(
      _ a: [Number], _ b: [Number], _ add: (Number, Number) -> Number,
      _ multiply: (Number, Number) -> Number
    ) -> [Number] {
      (0..<type.shape.elementCount).map { element in
        let (left, right, count) = factors(element)
        return (0..<count).reduce(.zero) { sum, inner in
          add(sum, multiply(a[left.0 + inner * left.1], b[right.0 + inner * right.1]))
        }
      }
    }
    guard case .integers(let a) = elements else {
      return ReferenceArray(sums(reals, other.reals, +, *), type)
    }
    return ReferenceArray(
      Tensor(
        wrapping: sums(a, other.integers, &+, &*), to: type.elementType, shape: type.shape))
  }

  /// The same elements under another shape.
  func reshaped(_ shape: Shape) -> ReferenceArray {
    gathered(ValueType(shape, type.elementType)) { $0 }
  }
}

extension Symbol {
  /// Returns the matrix product with `other` (ONNX `MatMul`).
  ///
  /// - Throws: ``GraphError`` when the inner sizes differ.
  public func matMul(_ other: Symbol) throws -> Symbol { try applying(MatMul(), other) }

  /// The last two axes swapped.
  func transposedMatrix() throws -> Symbol {
    let rank = shape.rank
    return try transposed(Array(0..<rank - 2) + [rank - 1, rank - 2])
  }
}
