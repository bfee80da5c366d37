package import CrestTensor

/// The same elements under another shape (ONNX `Reshape`, opset 14, shape as an attribute).
///
/// A size of 0 copies the input's size at that place, unless zeros are allowed, and one -1 takes
/// what is left, so that a graph traced for one batch size can be replayed for another.
package struct Reshape: BoundedOperation {
  /// The sizes, with 0 and -1 as said.
  package let sizes: [Int]
  /// Whether a size of 0 means 0 (ONNX `allowzero`).
  package let allowsZero: Bool

  /// A reshape to `sizes`.
  package init(_ sizes: [Int], allowsZero: Bool = false) {
    self.sizes = sizes
    self.allowsZero = allowsZero
  }

  /// The sizes with 0 and -1 replaced.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    let error = OperationError(
      expected: "\(shape.elementCount) elements, as \(shape) has", got: "\(sizes)")
    guard sizes.allSatisfy({ $0 >= -1 }), sizes.filter({ $0 == -1 }).count <= 1 else { throw error }
    var resolved: [Int] = []
    for (axis, size) in sizes.enumerated() {
      let isCopied = size == 0 && !allowsZero
      guard !isCopied || axis < shape.rank else { throw error }
      resolved.append(isCopied ? shape[axis] : size)
    }
    if let open = resolved.firstIndex(of: -1) {
      let rest = resolved.filter { $0 != -1 }.reduce(1, *)
      guard rest > 0, shape.elementCount % rest == 0 else { throw error }
      resolved[open] = shape.elementCount / rest
    }
    guard let result = Shape(checking: resolved), result.elementCount == shape.elementCount else {
      throw error
    }
    return [ValueType(result, inputs[0].elementType)]
  }

  package var keepsScale: Bool { true }

  package var outputNumbers: OutputNumbers { .kept }

  package var arrangement: Arrangement? { .reshaped }

  /// Each example independently, while its elements stay together.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try reshapingFlow(context)
  }

  /// The elements in the same order.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    guard let type = try? outputTypes(for: [inputs[0].type])[0] else {
      programmerError("\(inputs[0].type) can't be reshaped to \(sizes)")
    }
    return [inputs[0].gathered(type) { $0 }]
  }

  /// dy in the input's shape.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.reshaped(exactlyTo: context.inputs[0].shape)]
  }
}

extension Symbol {
  /// Returns the same elements under other sizes (ONNX `Reshape`; 0 copies a size, one -1 is
  /// inferred).
  ///
  /// - Throws: ``GraphError`` when the element counts differ.
  public func reshaped(to sizes: [Int]) throws -> Symbol {
    sizes == shape.dimensions && !sizes.contains(0) ? self : try applying(Reshape(sizes))
  }

  /// The same elements under a shape that may have sizes of 0.
  package func reshaped(exactlyTo shape: Shape) throws -> Symbol {
    try shape == self.shape ? self : applying(Reshape(shape.dimensions, allowsZero: true))
  }
}
