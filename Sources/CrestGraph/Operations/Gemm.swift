import CrestTensor

/// A product of matrices plus a third (ONNX `Gemm`, opset 13).
///
///     y = α · A · B + β · C,   A: [m, k], B: [k, n], y: [m, n]
///
/// A or B is transposed first where asked; C may be left out and broadcasts to [m, n].
package struct Gemm: GraphOperation {
  /// What the product is multiplied by.
  package let alpha: Double
  /// What C is multiplied by.
  package let beta: Double
  /// Whether the first input is Aᵀ, [k, m].
  package let transposesA: Bool
  /// Whether the second input is Bᵀ, [n, k].
  package let transposesB: Bool

  /// α · A · B + β · C.
  package init(
    alpha: Double = 1, beta: Double = 1, transposesA: Bool = false, transposesB: Bool = false
  ) {
    self.alpha = alpha
    self.beta = beta
    self.transposesA = transposesA
    self.transposesB = transposesB
  }

  /// [m, n].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...3)
    try OperationError.checkSameElementType(inputs)
    try OperationError.checkNumber(inputs[0])
    guard inputs[0].elementType.isFloat || [alpha, beta].allSatisfy({ Int64(exactly: $0) != nil })
    else {
      throw OperationError(
        expected: "whole α and β for \(inputs[0].elementType)", got: "\(alpha) and \(beta)")
    }
    let (a, b) = (inputs[0].shape, inputs[1].shape)
    let (inner, outer) = (transposesA ? 0 : 1, transposesB ? 1 : 0)
    guard a.rank == 2, b.rank == 2, a[inner] == b[outer],
      let shape = Shape(checking: [a[1 - inner], b[1 - outer]])
    else {
      throw OperationError(
        expected: "matrices \(transposesA ? "[k, m]" : "[m, k]") and "
          + "\(transposesB ? "[n, k]" : "[k, n]")", got: "\(a) and \(b)")
    }
    guard inputs.count == 2 || inputs[2].shape.broadcast(with: shape) == shape else {
      throw OperationError(
        expected: "a third input that broadcasts to \(shape)", got: "\(inputs[2].shape)")
    }
    return [ValueType(shape, inputs[0].elementType)]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .products(outputs[0].shape, terms: [inputs[0].shape[transposesA ? 0 : 1]])
  }

  /// The product of what A and B are the transposes of.
  package func simplified(_ inputs: [Symbol]) throws -> [Symbol]? {
    let (a, swapsA) = untransposed(inputs[0])
    let (b, swapsB) = untransposed(inputs[1])
    guard swapsA || swapsB else { return nil }
    let operation = Gemm(
      alpha: alpha, beta: beta, transposesA: transposesA != swapsA,
      transposesB: transposesB != swapsB)
    return try a.builder.apply(operation, [a, b] + inputs.dropFirst(2))
  }

  /// A matrix, or what it is the transpose of.
  private func untransposed(_ matrix: Symbol) -> (Symbol, swaps: Bool) {
    guard let before = matrix.producer, before.operation.arrangement == .transposed([1, 0])
    else { return (matrix, false) }
    return (matrix.builder.symbol(before.inputs[0]), true)
  }

  /// Each example independently, unless products are summed over them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    var found: Rows?
    for (input, isTransposed) in [(0, transposesA), (1, transposesB)] {
      guard case .along(let axis, let inner) = context.rows[input] else { continue }
      guard (axis == input) != isTransposed else {
        throw .combined("sums products over the examples")
      }
      guard found == nil else { throw .combined("multiplies each example with the others") }
      found = .along(axis: input, inner: inner)
    }
    let a = context.inputs[0]
    let product =
      found
      ?? .shared(
        uniform: Set(
          [
            (0, context.isUniform(0, along: transposesA ? 1 : 0)),
            (1, context.isUniform(1, along: transposesB ? 0 : 1)),
          ].filter { $1 && context.outputs[0][$0] != 1 }.map(\.0)))
    let settings = AnyHashable([AnyHashable(self), AnyHashable(a[transposesA ? 0 : 1])])
    guard context.inputs.count == 3 else {
      return RowFlow([product], settings: settings, keepsUniform: true)
    }
    // The third input is added to the product.
    let sum = RowContext(
      rows: [product, context.rows[2]], inputs: [context.outputs[0], context.inputs[2]],
      outputs: context.outputs, count: context.count)
    return RowFlow([try sum.broadcastRows()], settings: settings, keepsUniform: true)
  }

  /// Sums the products.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    guard let type = try? outputTypes(for: inputs.map(\.type))[0] else {
      programmerError("\(inputs.map(\.type)) can't be multiplied")
    }
    let (m, n) = (type.shape[0], type.shape[1])
    let k = inputs[0].shape[transposesA ? 0 : 1]
    let product = inputs[0].products(with: inputs[1], type) { element in
      let (row, column) = element.quotientAndRemainder(dividingBy: n)
      return (
        left: transposesA ? (row, m) : (row * k, 1),
        right: transposesB ? (column * k, 1) : (column, n), count: k
      )
    }
    let added = inputs.count == 3 ? inputs[2].broadcast(to: type.shape) : nil
    guard case .integers(let products) = product.elements else {
      let y = product.reals.enumerated().map { element, product in
        alpha * product + (added.map { beta * $0.reals[element] } ?? 0)
      }
      return [ReferenceArray(y, type)]
    }
    let y = products.enumerated().map { element, product in
      Int64(alpha) &* product &+ (added.map { Int64(beta) &* $0.integers[element] } ?? 0)
    }
    return [ReferenceArray(Tensor(wrapping: y, to: type.elementType, shape: type.shape))]
  }

  /// dA = α · dy · Bᵀ, dB = α · Aᵀ · dy, each transposed where its input was, dC = β · dy summed
  /// over what was broadcast.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (a, b, dy) = (context.inputs[0], context.inputs[1], context.outputGradient)
    let da: Symbol? =
      if !context.isNeeded[0] {
        nil
      } else if transposesA {
        try b.gemm(dy, alpha: alpha, transposingA: transposesB, transposingB: true)
      } else {
        try dy.gemm(b, alpha: alpha, transposingB: !transposesB)
      }
    let db: Symbol? =
      if !context.isNeeded[1] {
        nil
      } else if transposesB {
        try dy.gemm(a, alpha: alpha, transposingA: true, transposingB: transposesA)
      } else {
        try a.gemm(dy, alpha: alpha, transposingA: !transposesA)
      }
    guard context.inputs.count == 3 else { return [da, db] }
    let dc: Symbol? =
      if !context.isNeeded[2] {
        nil
      } else {
        try (beta == 1 ? dy : dy * beta).summed(to: context.inputs[2].shape)
      }
    return [da, db, dc]
  }

  package func weightUse(_ place: Int, rank: Int) -> WeightUse? {
    switch place {
    case 0: .matrix(outputAxis: transposesA ? 1 : 0)
    case 1: .matrix(outputAxis: transposesB ? 0 : 1)
    default: nil
    }
  }
}

extension Symbol {
  /// Returns α · A · B + β · C, this being A (ONNX `Gemm`).
  ///
  /// - Parameters:
  ///   - b: B, or Bᵀ when it is transposed.
  ///   - c: C, which broadcasts to the product's shape; nothing is added when nil.
  ///   - alpha: What the product is multiplied by.
  ///   - beta: What C is multiplied by.
  ///   - transposingA: Whether this is Aᵀ.
  ///   - transposingB: Whether `b` is Bᵀ.
  /// - Returns: [m, n].
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func gemm(
    _ b: Symbol, _ c: Symbol? = nil, alpha: Double = 1, beta: Double = 1,
    transposingA: Bool = false, transposingB: Bool = false
  ) throws -> Symbol {
    let operation = Gemm(
      alpha: alpha, beta: beta, transposesA: transposingA, transposesB: transposingB)
    return try builder.apply(operation, [self, b] + (c.map { [$0] } ?? []))[0]
  }
}
