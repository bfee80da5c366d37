import CrestTensor

/// Parts of a value, each named by the indices of its leading axes (ONNX `GatherND`, opset 13, without
/// batch axes, which ``Symbol/gatheredParts(_:batchDimensions:)`` makes indices of).
///
///     y[i…, j…] = data[indices[i…, :], j…]
///
/// Inputs are data [K…, J…] and indices, `int64` [I…, k] with one number for each of the axes K, each
/// in -size ..< size. The output is [I…, J…].
package struct GatherND: BoundedOperation {

  /// The operation.
  package init() {}

  /// [I…, J…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    return [
      ValueType(
        try OperationError.checkParts(of: inputs[0].shape, named: inputs[1]), inputs[0].elementType)
    ]
  }

  /// Each example independently, where only the indices are of examples.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    switch (context.rows[0], context.rows[1]) {
    case (.shared, .shared): return RowFlow(.shared, of: self)
    case (.shared, .along(let axis, let inner)) where axis < context.inputs[1].rank - 1:
      return RowFlow(.along(axis: axis, inner: inner), of: self)
    default: throw .unknown("selects among the examples by index")
    }
  }

  /// The parts named.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let places = try inputs[1].placesOfParts(of: inputs[0].shape)
    let shape = Shape.ofParts(of: inputs[0].shape, named: inputs[1].shape)
    return [inputs[0].gathered(ValueType(shape, inputs[0].type.elementType)) { places[$0] }]
  }

  /// dy added up where it was taken from; none to the indices.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    guard context.isNeeded[0] else { return [nil, nil] }
    let data = context.inputs[0]
    let zeros = try data.scalar(0).expanded(to: data.shape)
    return [
      try zeros.scatteringParts(context.outputGradient, at: context.inputs[1], reduction: .add),
      nil,
    ]
  }

  package func weightUse(_ place: Int, rank: Int) -> WeightUse? { place == 0 ? .table : nil }
}

extension Shape {
  /// [I…, J…] for data [K…, J…] and indices [I…, k].
  fileprivate static func ofParts(of data: Shape, named indices: Shape) -> Shape {
    Shape(Array(indices.dimensions.dropLast()) + data.dimensions[indices[indices.rank - 1]...])
  }
}

extension OperationError {
  /// Refuses what doesn't name parts of data; returns the shape of the parts.
  static func checkParts(
    of data: Shape, named indices: ValueType
  ) throws(OperationError) -> Shape {
    guard indices.elementType == .int64, let count = indices.shape.last,
      (1...max(data.rank, 1)).contains(count), data.rank >= 1
    else {
      throw OperationError(
        expected: "int64 indices […, k] for the first k axes of \(data)", got: "\(indices)")
    }
    let named = indices.shape.dimensions.dropLast()
    guard Shape(checking: Array(named) + data.dimensions[count...]) != nil else {
      throw OperationError(
        expected: "an output whose element count fits in 64 bits", got: "\(indices) of \(data)")
    }
    guard named.contains(0) || !data[..<count].contains(0) else {
      throw OperationError(
        expected: "elements to select from along the first \(count) axes", got: "none in \(data)")
    }
    return Shape.ofParts(of: data, named: indices.shape)
  }
}

extension ReferenceArray {
  /// The place in data of `shape` of each element of the parts that these indices name.
  func placesOfParts(of shape: Shape) throws(GraphError.IndexOutOfRange) -> [Int] {
    let count = self.shape[self.shape.rank - 1]
    let width = shape.dimensions[count...].reduce(1, *)
    var places: [Int] = []
    for (place, index) in integers.enumerated() {
      let axis = place % count
      let size = shape[axis]
      guard (-Int64(size)..<Int64(size)).contains(index) else {
        throw GraphError.IndexOutOfRange(index: index, place: place, size: size)
      }
      if axis == 0 { places.append(0) }
      places[places.count - 1] += (Int(index) + (index < 0 ? size : 0)) * shape.strides[axis]
    }
    return places.flatMap { start in (0..<width).map { start + $0 } }
  }
}

extension Symbol {
  /// Returns the parts that `indices` name (ONNX `GatherND`).
  ///
  /// - Parameters:
  ///   - indices: `int64` […, k], one number for each of k axes that follow the batch axes.
  ///   - batchDimensions: How many leading axes this value and the indices share, each part being
  ///     named within its own example.
  /// - Returns: The parts, in the indices' arrangement.
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func gatheredParts(_ indices: Symbol, batchDimensions: Int = 0) throws -> Symbol {
    guard batchDimensions != 0 else { return try applying(GatherND(), indices) }
    let batch = batchDimensions
    guard batch > 0, batch < indices.shape.rank, batch < shape.rank,
      shape[..<batch].elementsEqual(indices.shape[..<batch])
    else {
      throw GraphError(
        path: builder.path, operation: "GatherND",
        expected: "\(batch) axes that \(shape) shares with the indices", got: "\(indices.shape)")
    }
    // The example's own number names it.
    let rows = indices.shape.dimensions.dropLast() + [1]
    let numbers = try (0..<batch).map { axis in
      var sizes = rows.map { _ in 1 }
      sizes[axis] = rows[axis]
      let counted = Tensor((0..<Int64(rows[axis])).map { $0 }, shape: Shape(sizes))
      return try builder.constant(counted).expanded(to: Shape(Array(rows)))
    }
    return try applying(
      GatherND(), numbers[0].concatenated(with: numbers.dropFirst() + [indices], axis: -1))
  }
}
