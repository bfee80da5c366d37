import CrestTensor

/// The maximum of each window (ONNX `MaxPool`, opset 12, without indices).
///
/// Padding never wins and NaN always does; a window that holds no element gives -∞.
package struct MaxPool: PoolOperation {
  package let attributes: PoolAttributes

  /// A pool.
  package init(_ attributes: PoolAttributes) { self.attributes = attributes }

  package var outputNumbers: OutputNumbers { .within }

  /// The element that won each window.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let x = inputs[0].reals
    let window = attributes.checkedWindow(over: inputs[0].shape)
    let y = Self.winners(x, window).map { $0.map { x[$0] } ?? -.infinity }
    let shape = Shape(inputs[0].shape.dimensions.prefix(2) + window.output)
    return [ReferenceArray(y, ValueType(shape, inputs[0].type.elementType))]
  }

  /// Which element of x wins each window: the first NaN, else the first of the largest, in
  /// row-major order; nil where a window holds none.
  static func winners(_ x: [Double], _ window: SlidingWindow) -> [Int?] {
    let inputs = window.input.reduce(1, *)
    let planes = inputs == 0 ? 0 : x.count / inputs
    var winners = [Int?](repeating: nil, count: planes * window.output.reduce(1, *))
    window.forEachElement(planes: planes) { candidate, output, _ in
      if let leader = winners[output], x[leader].isNaN || x[candidate] <= x[leader] { return }
      winners[output] = candidate
    }
    return winners
  }

  /// dy to the winners.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.inputs[0].applying(MaxPoolGradient(attributes), context.outputGradient)]
  }
}

/// dy added to the element that won each window: the gradient of `MaxPool` from (x, dy) (ours).
package struct MaxPoolGradient: WindowOperation, TrainingOperation {
  /// How the window moves.
  package let attributes: PoolAttributes

  /// The gradient of a pool.
  package init(_ attributes: PoolAttributes) { self.attributes = attributes }

  /// The shape of x.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkSameElementType(inputs)
    try OperationError.checkFloat(inputs[0])
    try OperationError.check(
      gradient: inputs[1].shape, of: try attributes.outputShape(for: inputs[0].shape))
    return [inputs[0]]
  }

  package var asImage: MaxPoolGradient { MaxPoolGradient(attributes.asImage) }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.windows)
  }

  /// Each element of dy at the winner of its window; an element may win several.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (x, dy) = (inputs[0].reals, inputs[1].reals)
    var dx = [Double](repeating: 0, count: x.count)
    let winners = MaxPool.winners(x, attributes.checkedWindow(over: inputs[0].shape))
    for (output, winner) in winners.enumerated() {
      if let winner { dx[winner] += dy[output] }
    }
    return [ReferenceArray(dx, inputs[0].type)]
  }
}

extension Symbol {
  /// Returns the maximum of each window (ONNX `MaxPool`).
  ///
  /// - Throws: ``GraphError`` when the window is larger than the padded input.
  public func maxPool(_ attributes: PoolAttributes) throws -> Symbol {
    try applying(MaxPool(attributes))
  }
}
