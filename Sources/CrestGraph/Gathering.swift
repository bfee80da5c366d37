package import CrestTensor

/// An operation of (data, indices) whose elements are elements of the data, chosen by index along an axis.
package protocol GatherOperation: GraphOperation {
  /// The axis of the data that indices choose from, not negative.
  var axis: Int { get }

  /// The shape of what indices choose from data; the data has the axis.
  ///
  /// - Throws: ``OperationError`` when they don't fit.
  func shape(choosing indices: Shape, from data: Shape) throws(OperationError) -> Shape

  /// The place in data of a shape that each element comes from.
  func places(in data: Shape, _ indices: ReferenceArray) throws(GraphError.IndexOutOfRange) -> [Int]
}

extension GatherOperation {
  /// The shape of what is chosen, in the data's type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    return [ValueType(try checkedShape(inputs[0].shape, inputs[1]), inputs[0].elementType)]
  }

  /// The shape of what is chosen; refuses indices of a wrong type and an axis that the data doesn't have.
  func checkedShape(
    _ data: Shape, _ indices: ValueType
  ) throws(OperationError) -> Shape {
    try OperationError.checkIndices(indices)
    guard (0..<data.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(data)", got: "\(axis)")
    }
    return try shape(choosing: indices.shape, from: data)
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.elements, indices: [1: .init(count: inputs[0].shape[axis], countsFromEnd: true)])
  }

  /// The elements chosen.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let places = try places(in: inputs[0].shape, inputs[1])
    guard let type = try? outputTypes(for: inputs.map(\.type))[0] else {
      programmerError("\(name) doesn't take \(inputs.map(\.type))")
    }
    return [inputs[0].gathered(type) { places[$0] }]
  }

  /// Its `GatherGradient`; none to the indices.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let operation = GatherGradient(self, inputShape: context.inputs[0].shape)
    return [
      try context.isNeeded[0]
        ? context.outputGradient.applying(operation, context.inputs[1]) : nil, nil,
    ]
  }
}

/// dy added up where elements were taken from: the gradient of data from (dy, indices) (ours).
package struct GatherGradient<Choice: GatherOperation>: BoundedOperation, TrainingOperation {
  /// What chose the elements.
  package let choice: Choice
  /// The shape of the data.
  package let inputShape: Shape

  /// The gradient of a choice from data of `inputShape`.
  package init(_ choice: Choice, inputShape: Shape) {
    self.choice = choice
    self.inputShape = inputShape
  }

  package var name: String { "\(choice.name)Gradient" }

  /// The shape of the data.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkFloat(inputs[0], "gradient")
    let expected = try choice.checkedShape(inputShape, inputs[1])
    try OperationError.check(gradient: inputs[0].shape, of: expected)
    return [ValueType(inputShape, inputs[0].elementType)]
  }

  /// Each element of dy added to the one it was taken from.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    let places = try choice.places(in: inputShape, inputs[1])
    var gradient = [Double](repeating: 0, count: inputShape.elementCount)
    for (element, dy) in inputs[0].reals.enumerated() { gradient[places[element]] += dy }
    return [ReferenceArray(gradient, ValueType(inputShape, inputs[0].type.elementType))]
  }

  /// The same elements of the gradient; none to the indices.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [
      try context.isNeeded[0]
        ? context.outputGradient.applying(choice, context.inputs[1]) : nil, nil,
    ]
  }
}

extension ReferenceArray {
  /// The elements as indices below `size`, negative ones counted from the end.
  func indices(below size: Int) throws(GraphError.IndexOutOfRange) -> [Int] {
    var found: [Int] = []
    found.reserveCapacity(integers.count)
    for (place, index) in integers.enumerated() {
      guard (-Int64(size)..<Int64(size)).contains(index) else {
        throw GraphError.IndexOutOfRange(index: index, place: place, size: size)
      }
      found.append(Int(index) + (index < 0 ? size : 0))
    }
    return found
  }
}

extension OperationError {
  /// Refuses indices that aren't integers of a type ONNX indexes by.
  static func checkIndices(_ indices: ValueType) throws(OperationError) {
    guard indices.elementType == .int64 || indices.elementType == .int32 else {
      throw OperationError(
        expected: "int32 or int64 indices", got: "\(indices)", advice: "cast them first")
    }
  }
}

extension Symbol {
  /// What `indices` choose by an operation.
  ///
  /// - Throws: ``GraphError`` when a constant index is out of range.
  func choosing(_ indices: Symbol, by choice: some GatherOperation) throws -> Symbol {
    try indices.checkConstantIndices(below: shape[choice.axis], choice.name)
    return try applying(choice, indices)
  }

  /// Refuses indices known while tracing that are out of range.
  func checkConstantIndices(below size: Int, _ operation: String) throws {
    guard let tensor = builder.result.constant(id),
      let wrong = tensor.integers?.first(where: { !(-Int64(size)..<Int64(size)).contains($0) })
    else { return }
    throw GraphError(
      path: builder.path, operation: operation, expected: "indices in \(-size)..<\(size)",
      got: "\(wrong)")
  }
}
