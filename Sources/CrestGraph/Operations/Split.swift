import CrestTensor

/// Parts that lie side by side along an axis (ONNX `Split`, opset 18, sizes as an attribute).
package struct Split: BoundedOperation {
  /// The axis that is cut, not negative.
  package let axis: Int
  /// The size of each part along it.
  package let sizes: [Int]

  /// A cut along `axis`, which is not negative, into parts of `sizes`.
  package init(axis: Int, sizes: [Int]) {
    self.axis = axis
    self.sizes = sizes
  }

  /// The input's shape with each part's size along the axis.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    guard (0..<shape.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(shape)", got: "\(axis)")
    }
    var rest = shape[axis]
    for size in sizes where rest >= 0 { rest = (0...rest).contains(size) ? rest - size : -1 }
    guard !sizes.isEmpty, rest == 0 else {
      throw OperationError(
        expected: "sizes that add up to the \(shape[axis]) of axis \(axis) of \(shape)",
        got: "\(sizes)")
    }
    return sizes.map { size in
      var dimensions = shape.dimensions
      dimensions[axis] = size
      return ValueType(Shape(dimensions), inputs[0].elementType)
    }
  }

  package var outputNumbers: OutputNumbers { .within }

  package var arrangement: Arrangement? { .picked }

  /// Each example independently, unless the parts are of different examples.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    func all(_ rows: Rows, _ sizes: [Int]) -> RowFlow {
      RowFlow(
        sizes.map { _ in rows }, settings: AnyHashable([[axis], sizes]), keepsUniform: true)
    }
    switch context.rows[0] {
    case .mixed(let mixing): throw mixing
    case .shared(let uniform):
      let isUniform = uniform.contains(axis)
      let parts = sizes.map { size -> Rows in
        .shared(uniform: isUniform && size > 1 ? uniform : uniform.subtracting([axis]))
      }
      return RowFlow(parts, settings: AnyHashable([[axis], sizes]), keepsUniform: true) {
        constants in
        // Of equal elements each part has the same.
        isUniform ? sizes.map { _ in constants[0] } : evaluateReduced(constants)
      }
    case .along(let axis, let inner):
      guard axis == self.axis else { return all(context.rows[0], sizes) }
      let block = context.count * inner
      guard sizes.allSatisfy({ $0 % block == 0 }) else {
        throw .picking(inner: inner)
      }
      return all(context.rows[0], sizes.map { $0 / context.count })
    }
  }

  /// Each part.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    var start = 0
    return sizes.flatMap { size in
      defer { start += size }
      return Slice(starts: [start], ends: [start + size], axes: [axis], steps: [1])
        .evaluate(inputs, random: random)
    }
  }

  /// The parts' gradients joined, zeros for a part that doesn't matter.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let parts = try zip(context.outputs, context.outputGradients).map { output, gradient in
      try gradient ?? output.scalar(0).expanded(to: output.shape)
    }
    return [try context.builder.apply(Concat(axis: axis), parts)[0]]
  }
}

extension Symbol {
  /// Returns parts of `sizes` along `axis` (ONNX `Split`); a negative axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range or the sizes don't add up to its size.
  public func split(sizes: [Int], axis: Int = 0) throws -> [Symbol] {
    try builder.apply(Split(axis: resolvedAxis(axis, "Split"), sizes: sizes), [self])
  }

  /// Returns `count` parts along `axis`, of equal size but for a smaller last one (ONNX `Split` with
  /// `num_outputs`); a negative axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range, or its size leaves nothing for the last
  ///   part.
  public func split(count: Int, axis: Int = 0) throws -> [Symbol] {
    let axis = try resolvedAxis(axis, "Split")
    let size = shape[axis]
    let part = size / Swift.max(count, 1) + (size % Swift.max(count, 1) == 0 ? 0 : 1)
    // part · (count - 1) is below size + count, so it can't overflow where both are sizes.
    guard count >= 1, count <= Swift.max(size, 1), part * (count - 1) <= size else {
      throw GraphError(
        path: builder.path, operation: "Split",
        expected: "parts of one size, the last of which may be smaller, of the \(size) of axis "
          + "\(axis) of \(shape)", got: "\(count) parts")
    }
    let equal = [Int](repeating: part, count: count - 1)
    return try split(sizes: equal + [size - part * (count - 1)], axis: axis)
  }
}
