public import CrestTensor

/// Parts of a value, chosen by their index along an axis (ONNX `Gather`, opset 13; PyTorch
/// `embedding` for axis 0 of a matrix).
///
///     y[i…, k…, j…] = data[i…, indices[k…], j…]
///
/// Inputs are data [I…, size, J…] and indices, `int32` or `int64` [K…], each in -size ..< size;
/// negative ones count from the end. The output is [I…, K…, J…].
package struct Gather: GraphOperation {
  /// The axis of the data that indices choose from, not negative.
  package let axis: Int

  /// A choice along `axis`, which is not negative.
  package init(axis: Int) { self.axis = axis }

  /// [I…, K…, J…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    return [
      ValueType(
        try OperationError.checkGather(inputs[0].shape, inputs[1], axis: axis),
        inputs[0].elementType)
    ]
  }

  package var outputNumbers: OutputNumbers { .within }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.elements, indices: [1: .init(count: inputs[0].shape[axis], countsFromEnd: true)])
  }

  /// Each example by itself, where the data or the indices are of examples, but not both.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    let (data, indices) = (context.inputs[0], context.inputs[1])
    /// Where an axis of the data lies in the output.
    func moved(_ axis: Int) -> Int { axis < self.axis ? axis : axis + indices.rank - 1 }
    switch (context.rows[0], context.rows[1]) {
    case (.mixed(let mixing), _), (_, .mixed(let mixing)): throw mixing
    case (.along, .along): throw .combined("chooses from all examples for each of them")
    case (.along(let axis, let inner), .shared):
      guard axis != self.axis else { throw .picking(inner: inner) }
      return RowFlow(.along(axis: moved(axis), inner: inner), of: self)
    case (.shared, .along(let axis, let inner)):
      return RowFlow(.along(axis: self.axis + axis, inner: inner), of: self)
    case (.shared(let uniform), .shared):
      let ofData = data.indices.filter { uniform.contains($0) && $0 != self.axis }.map(moved)
      let ofIndices = indices.indices.filter { indices[$0] != 1 && context.isUniform(1, along: $0) }
      return RowFlow(
        [.shared(uniform: Set(ofData).union(ofIndices.map { $0 + self.axis }))],
        settings: AnyHashable(self), keepsUniform: true)
    }
  }

  /// The parts chosen.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(IndexOutOfRange) -> [ReferenceArray] {
    let (data, indices) = (inputs[0].shape, inputs[1])
    let places = try GatheredPlaces(data: data, indices: indices, axis: axis)
    let sizes = data.dimensions[..<axis] + indices.shape + data.dimensions[(axis + 1)...]
    return [
      inputs[0].gathered(ValueType(Shape(Array(sizes)), inputs[0].type.elementType)) {
        places[$0]
      }
    ]
  }

  /// `GatherGradient`; none to the indices.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let operation = GatherGradient(axis: axis, inputShape: context.inputs[0].shape)
    return [
      try context.isNeeded[0]
        ? context.outputGradient.applying(operation, context.inputs[1]) : nil, nil,
    ]
  }
}

/// dy added up where `Gather` took it from: the gradient of data from (dy, indices) (ours).
package struct GatherGradient: GraphOperation {
  /// The axis of the data that indices choose from, not negative.
  package let axis: Int
  /// The shape of the data.
  package let inputShape: Shape

  /// The gradient of a choice along `axis` of data of `inputShape`.
  package init(axis: Int, inputShape: Shape) {
    self.axis = axis
    self.inputShape = inputShape
  }

  /// The shape of the data.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkFloat(inputs[0], "gradient")
    let expected = try OperationError.checkGather(inputShape, inputs[1], axis: axis)
    try OperationError.check(gradient: inputs[0].shape, of: expected)
    return [ValueType(inputShape, inputs[0].elementType)]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .elements
  }

  /// Not followed: it belongs to a step of training.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    throw RowMixing.ofTraining
  }

  /// Each element of dy added to the one it was taken from.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(IndexOutOfRange) -> [ReferenceArray] {
    let places = try GatheredPlaces(data: inputShape, indices: inputs[1], axis: axis)
    var gradient = [Double](repeating: 0, count: inputShape.elementCount)
    for (element, dy) in inputs[0].reals.enumerated() { gradient[places[element]] += dy }
    return [ReferenceArray(gradient, ValueType(inputShape, inputs[0].type.elementType))]
  }

  /// The same parts of the gradient; none to the indices.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [
      try context.isNeeded[0]
        ? context.outputGradient.applying(Gather(axis: axis), context.inputs[1]) : nil, nil,
    ]
  }
}

/// From where in the data each element of a `Gather` comes.
private struct GatheredPlaces {
  private let indices: [Int]
  private let size: Int
  private let inner: Int

  init(data: Shape, indices: ReferenceArray, axis: Int) throws(IndexOutOfRange) {
    size = data[axis]
    inner = data.dimensions[(axis + 1)...].reduce(1, *)
    self.indices = try indices.indices(below: data[axis])
  }

  subscript(element: Int) -> Int {
    let (chosen, column) = element.quotientAndRemainder(dividingBy: inner)
    let (row, number) = chosen.quotientAndRemainder(dividingBy: indices.count)
    return (row * size + indices[number]) * inner + column
  }
}

extension ReferenceArray {
  /// The elements as indices below `size`, negative ones counted from the end.
  func indices(below size: Int) throws(IndexOutOfRange) -> [Int] {
    var found: [Int] = []
    found.reserveCapacity(integers.count)
    for (place, index) in integers.enumerated() {
      guard (-Int64(size)..<Int64(size)).contains(index) else {
        throw IndexOutOfRange(index: index, place: place, size: size)
      }
      found.append(Int(index) + (index < 0 ? size : 0))
    }
    return found
  }
}

extension OperationError {
  /// Refuses indices that aren't whole numbers of a type ONNX indexes by.
  static func checkIndices(_ indices: ValueType) throws(OperationError) {
    guard indices.elementType == .int64 || indices.elementType == .int32 else {
      throw OperationError(
        expected: "int32 or int64 indices", got: "\(indices)", advice: "cast them first")
    }
  }

  /// Refuses data without `axis` and what isn't indices; returns the shape of what they choose.
  fileprivate static func checkGather(
    _ data: Shape, _ indices: ValueType, axis: Int
  ) throws(OperationError) -> Shape {
    try checkIndices(indices)
    guard (0..<data.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(data)", got: "\(axis)")
    }
    let sizes = data.dimensions[..<axis] + indices.shape + data.dimensions[(axis + 1)...]
    guard let shape = Shape(checking: Array(sizes)) else {
      throw OperationError(
        expected: "an output whose elements can be counted", got: "\(Array(sizes))")
    }
    guard data[axis] > 0 || indices.shape.elementCount == 0 else {
      throw OperationError(
        expected: "elements to choose from along axis \(axis)", got: "none in \(data)")
    }
    return shape
  }
}

extension Symbol {
  /// Returns the parts that `indices` choose along `axis` (ONNX `Gather`; NumPy `take`); a negative
  /// axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis, or a constant index, is out of range.
  public func gathered(_ indices: Symbol, axis: Int = 0) throws -> Symbol {
    let axis = try resolvedAxis(axis, "Gather")
    try indices.checkConstantIndices(below: shape[axis], "Gather")
    return try applying(Gather(axis: axis), indices)
  }

  /// Refuses indices known while tracing that are out of range.
  func checkConstantIndices(below size: Int, _ operation: String) throws {
    guard case .constant(let tensor) = builder.result.values[id.index].origin,
      let wrong = tensor.integers?.first(where: { !(-Int64(size)..<Int64(size)).contains($0) })
    else { return }
    throw GraphError(
      path: builder.path, operation: operation, expected: "indices in \(-size)..<\(size)",
      got: "\(wrong)")
  }
}
