public import CrestTensor

/// Elements of a value, each chosen by its own index along an axis (ONNX `GatherElements`, opset 13;
/// PyTorch `gather`).
///
///     y[i, k, j] = data[i, indices[i, k, j], j]    along the middle axis
///
/// Inputs are data and indices, `int32` or `int64`, of the same rank; the indices' sizes along other
/// axes are at most the data's. Each index is in -size ..< size; negative ones count from the end.
/// The output has the indices' shape.
package struct GatherElements: GraphOperation {
  /// The axis of the data that indices choose from, not negative.
  package let axis: Int

  /// A choice along `axis`, which is not negative.
  package init(axis: Int) { self.axis = axis }

  /// The indices' shape.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkGatherElements(inputs[0].shape, inputs[1], axis: axis)
    return [ValueType(inputs[1].shape, inputs[0].elementType)]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.elements, indices: [1: .init(count: inputs[0].shape[axis], countsFromEnd: true)])
  }

  /// Each example by itself, unless indices along their axis choose among them.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    RowFlow(try context.alignedRows(choosingAlong: axis), of: self)
  }

  /// The elements chosen.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(IndexOutOfRange) -> [ReferenceArray] {
    let places = try inputs[1].chosenPlaces(in: inputs[0].shape, axis: axis)
    let type = ValueType(inputs[1].shape, inputs[0].type.elementType)
    return [inputs[0].gathered(type) { places[$0] }]
  }

  /// `GatherElementsGradient`; none to the indices.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let operation = GatherElementsGradient(axis: axis, inputShape: context.inputs[0].shape)
    return [
      try context.isNeeded[0]
        ? context.outputGradient.applying(operation, context.inputs[1]) : nil, nil,
    ]
  }
}

/// dy added up where `GatherElements` took it from: the gradient of data from (dy, indices)
/// (ours).
package struct GatherElementsGradient: GraphOperation {
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
    try OperationError.checkGatherElements(inputShape, inputs[1], axis: axis)
    try OperationError.check(gradient: inputs[0].shape, of: inputs[1].shape)
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
    let places = try inputs[1].chosenPlaces(in: inputShape, axis: axis)
    var gradient = [Double](repeating: 0, count: inputShape.elementCount)
    for (element, dy) in inputs[0].reals.enumerated() { gradient[places[element]] += dy }
    return [ReferenceArray(gradient, ValueType(inputShape, inputs[0].type.elementType))]
  }

  /// The same elements of the gradient; none to the indices.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [
      try context.isNeeded[0]
        ? context.outputGradient.applying(GatherElements(axis: axis), context.inputs[1]) : nil,
      nil,
    ]
  }
}

extension ReferenceArray {
  /// The place in data of `shape` that each of these indices along `axis` names.
  func chosenPlaces(in shape: Shape, axis: Int) throws(IndexOutOfRange) -> [Int] {
    try indices(below: shape[axis]).enumerated().map { element, chosen in
      var index = self.shape.index(ofElement: element)
      index[axis] = chosen
      return offset(index, shape.strides)
    }
  }
}

extension OperationError {
  /// Refuses what doesn't choose elements of data along `axis`.
  static func checkGatherElements(
    _ data: Shape, _ indices: ValueType, axis: Int
  ) throws(OperationError) {
    try checkIndices(indices)
    guard (0..<data.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(data)", got: "\(axis)")
    }
    let fits =
      data.rank == indices.shape.rank
      && data.indices.allSatisfy { $0 == axis || indices.shape[$0] <= data[$0] }
    guard fits, data[axis] > 0 || indices.shape.elementCount == 0 else {
      throw OperationError(
        expected: "indices of the rank of \(data), no larger along axes other than \(axis)",
        got: "\(indices.shape)")
    }
  }
}

extension Symbol {
  /// Returns the elements that `indices` choose along `axis` (ONNX `GatherElements`); a negative axis
  /// counts from the end.
  ///
  /// - Throws: ``GraphError`` when the shapes don't fit, or a constant index is out of range.
  public func gatheredElements(_ indices: Symbol, axis: Int = 0) throws -> Symbol {
    let axis = try resolvedAxis(axis, "GatherElements")
    try indices.checkConstantIndices(below: shape[axis], "GatherElements")
    return try applying(GatherElements(axis: axis), indices)
  }
}
