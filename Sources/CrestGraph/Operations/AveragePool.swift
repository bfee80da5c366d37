package import CrestTensor

/// The mean of each window (ONNX `AveragePool`, opset 19).
///
/// The divisor counts the elements in the window, and padding only where
/// ``PoolAttributes/countsPadding`` says so; what hangs over beyond the padding never counts. A
/// window that holds nothing gives 0.
package struct AveragePool: PoolOperation {
  package let attributes: PoolAttributes

  /// A pool.
  package init(_ attributes: PoolAttributes) { self.attributes = attributes }

  /// Each window's sum over its count.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let window = attributes.checkedWindow(over: inputs[0].shape)
    let shape = Shape(inputs[0].shape.dimensions.prefix(2) + window.output)
    let x = inputs[0].reals
    var y = [Double](repeating: 0, count: shape.elementCount)
    let weights = weights(window)
    window.forEachElement(planes: shape[0] * shape[1]) { y[$1] += x[$0] * weights[$2] }
    return [ReferenceArray(y, ValueType(shape, inputs[0].type.elementType))]
  }

  /// One over the count of each window.
  func weights(_ window: SlidingWindow) -> [Double] {
    var counts = [Int](repeating: 0, count: window.output.reduce(1, *))
    window.forEachTap { position, _, place in
      switch place {
      case .input: counts[position] += 1
      case .padding: counts[position] += attributes.countsPadding ? 1 : 0
      case .outside: break
      }
    }
    return counts.map { $0 == 0 ? 0 : 1 / Double($0) }
  }

  /// dy over the count, added to each element of its window.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let operation = AveragePoolGradient(attributes, inputShape: context.inputs[0].shape)
    return [try context.outputGradient.applying(operation)]
  }
}

/// dy spread over each window: the gradient of `AveragePool` (ours).
package struct AveragePoolGradient: WindowOperation, TrainingOperation {
  /// How the window moves.
  package let attributes: PoolAttributes
  /// The shape of x.
  package let inputShape: Shape

  /// The gradient of a pool over an x of `inputShape`.
  package init(_ attributes: PoolAttributes, inputShape: Shape) {
    self.attributes = attributes
    self.inputShape = inputShape
  }

  /// The shape of x.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0], "gradient")
    try OperationError.check(
      gradient: inputs[0].shape, of: try attributes.outputShape(for: inputShape))
    return [ValueType(inputShape, inputs[0].elementType)]
  }

  package var asImage: AveragePoolGradient {
    AveragePoolGradient(attributes.asImage, inputShape: inputShape.asImage)
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.windows)
  }

  /// Each element of dy over its window's count, at every element of the window.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let window = attributes.checkedWindow(over: inputShape)
    let dy = inputs[0].reals
    var dx = [Double](repeating: 0, count: inputShape.elementCount)
    let weights = AveragePool(attributes).weights(window)
    window.forEachElement(planes: inputShape[0] * inputShape[1]) {
      dx[$0] += dy[$1] * weights[$2]
    }
    return [ReferenceArray(dx, ValueType(inputShape, inputs[0].type.elementType))]
  }

  /// The pool of the gradient.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.averagePool(attributes)]
  }
}

extension Symbol {
  /// Returns the mean of each window (ONNX `AveragePool`).
  ///
  /// - Throws: ``GraphError`` when the window is larger than the padded input.
  public func averagePool(_ attributes: PoolAttributes) throws -> Symbol {
    try applying(AveragePool(attributes))
  }
}
