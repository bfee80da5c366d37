import CrestTensor

/// Values one after the other along an axis (ONNX `Concat`, opset 13).
package struct Concat: BoundedOperation {
  /// The axis joined along, not negative.
  package let axis: Int

  /// A joining along `axis`, which is not negative.
  package init(axis: Int) { self.axis = axis }

  /// The common sizes, and along the axis the sum of all.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    guard let first = inputs.first else {
      throw OperationError(expected: "1 input or more", got: "0")
    }
    try OperationError.checkSameElementType(inputs)
    var sizes = first.shape.dimensions
    guard sizes.indices.contains(axis) else {
      throw OperationError(expected: "an axis of \(first.shape)", got: "\(axis)")
    }
    for input in inputs.dropFirst() {
      var others = input.shape.dimensions
      guard others.count == sizes.count else { throw mismatch(inputs) }
      let (sum, overflow) = sizes[axis].addingReportingOverflow(others[axis])
      others[axis] = sizes[axis]
      guard others == sizes, !overflow else { throw mismatch(inputs) }
      sizes[axis] = sum
    }
    guard let shape = Shape(checking: sizes) else { throw mismatch(inputs) }
    return [ValueType(shape, first.elementType)]
  }

  private func mismatch(_ inputs: [ValueType]) -> OperationError {
    OperationError(
      expected: "shapes that differ along axis \(axis) only",
      got: inputs.map(\.shape.description).joined(separator: ", "))
  }

  package func valueRange(
    _ inputs: [ClosedRange<Double>], _ types: [ValueType]
  ) -> ClosedRange<Double> {
    inputs.dropFirst().reduce(inputs[0]) { $0.union($1) }
  }

  package var keepsScale: Bool { true }

  /// Each example independently, where all parts have theirs along the same axis.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    var found: (axis: Int, inner: Int)?
    for case .along(let axis, let inner) in context.rows {
      if let found, found != (axis, inner) {
        throw .unknown("concatenates examples along different axes")
      }
      found = (axis, inner)
    }
    guard let found else {
      let uniform = context.outputs[0].indices.filter { axis in
        axis != self.axis && context.outputs[0][axis] != 1
          && context.inputs.indices.allSatisfy { context.isUniform($0, along: axis) }
      }
      let isUniform = context.inputs.indices.contains { input in
        context.inputs[input][axis] > 1 && context.isUniform(input, along: axis)
      }
      return RowFlow(
        [.shared(uniform: Set(uniform))], settings: AnyHashable(self), keepsUniform: !isUniform
      ) { constants in
        // Equal elements joined to as many equal ones are equal.
        if Set(constants.map(\.elementCount)) == [1], constants.allSatisfy({ $0 == constants[0] }) {
          return constants.prefix(1).map { $0 }
        }
        return isUniform || context.rows.contains(where: { $0 != context.rows[0] })
          ? nil : evaluateReduced(constants)
      }
    }
    for (input, rows) in context.rows.enumerated() {
      guard case .shared = rows else { continue }
      guard found.axis != axis else { throw .combined("concatenates other values to the examples") }
      guard context.isUniform(input, along: found.axis) else {
        throw .combined("has a separate value for each index in the batch")
      }
    }
    return RowFlow(
      [.along(axis: found.axis, inner: found.inner)], settings: AnyHashable(self),
      keepsUniform: true)
  }

  /// The elements of the input each element comes from.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    guard let type = try? outputTypes(for: inputs.map(\.type))[0] else {
      programmerError("\(inputs.map(\.type)) can't be joined along axis \(axis)")
    }
    let outer = type.shape.dimensions[..<axis].reduce(1, *)
    // Row r of the result is row r of each input in turn.
    func joined<Element>(_ elements: [[Element]]) -> [Element] {
      (0..<outer).flatMap { row in
        elements.flatMap { array in
          let width = array.count / outer
          return array[row * width..<(row + 1) * width]
        }
      }
    }
    return [
      type.elementType.isFloat
        ? ReferenceArray(joined(inputs.map(\.reals)), type)
        : ReferenceArray(integers: joined(inputs.map(\.integers)), type)
    ]
  }

  /// To each input its part of dy.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    var start = 0
    return try zip(context.inputs, context.isNeeded).map { input, isNeeded in
      let end = start + input.shape[axis]
      defer { start = end }
      return try isNeeded
        ? context.outputGradient.sliced(starts: [start], ends: [end], axes: [axis]) : nil
    }
  }
}

extension Symbol {
  /// Returns this and then `others` along `axis` (ONNX `Concat`); a negative axis counts from the
  /// end.
  ///
  /// - Throws: ``GraphError`` when shapes differ along another axis, or the axis is out of range.
  public func concatenated(with others: [Symbol], axis: Int) throws -> Symbol {
    let operation = Concat(axis: try resolvedAxis(axis, "Concat"))
    return try builder.apply(operation, [self] + others)[0]
  }
}
