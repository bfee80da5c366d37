import CrestTensor

/// Where the maximum of each window is (ONNX `MaxPool`, opset 12, the output `Indices`).
///
/// Places count the elements of the whole input, padding left out, in row-major order, or with each
/// image's spatial axes in column-major order (ONNX `storage_order` 1); -1 for a window that holds
/// none. NaN, and then the first of equals, wins, as in `MaxPool`.
package struct MaxPoolIndices: GraphOperation {
  /// How the window moves.
  package let attributes: PoolAttributes
  /// Whether spatial axes count in column-major order.
  package let isColumnMajor: Bool

  /// The places of a pool's maxima.
  package init(_ attributes: PoolAttributes, isColumnMajor: Bool = false) {
    self.attributes = attributes
    self.isColumnMajor = isColumnMajor
  }

  /// [N, C, windows…] of `int64`.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0])
    return [ValueType(try attributes.outputShape(for: inputs[0].shape), .int64)]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.windows)
  }

  /// Not of one example: places are counted through the whole batch.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    guard context.axis(0) != nil else { return RowFlow(.shared, of: self) }
    throw .combined("numbers positions across all examples")
  }

  /// The place of the element that won each window.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let window = attributes.checkedWindow(over: inputs[0].shape)
    let (spatial, size) = (Shape(window.input), window.input.reduce(1, *))
    let transposed = Array(Shape(window.input.reversed()).strides.reversed())
    let places = MaxPool.winners(inputs[0].reals, window).map { winner -> Int64 in
      guard let winner else { return -1 }
      let (plane, element) = winner.quotientAndRemainder(dividingBy: size)
      let place =
        isColumnMajor ? offset(spatial.index(ofElement: element), transposed) : element
      return Int64(plane * size + place)
    }
    let shape = Shape(inputs[0].shape.dimensions.prefix(2) + window.output)
    return [ReferenceArray(integers: places, ValueType(shape, .int64))]
  }

  /// None: a place is an integer.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil] }
}

extension Symbol {
  /// Returns where the maximum of each window of ``maxPool(_:)`` is, as `int64` (ONNX `MaxPool`, the
  /// output `Indices`).
  ///
  /// - Throws: ``GraphError`` when the window doesn't fit.
  public func maxPoolIndices(
    _ attributes: PoolAttributes, isColumnMajor: Bool = false
  ) throws -> Symbol {
    try applying(MaxPoolIndices(attributes, isColumnMajor: isColumnMajor))
  }
}
