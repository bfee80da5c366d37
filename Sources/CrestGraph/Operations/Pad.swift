import CrestTensor

/// A border of a constant around a value (ONNX `Pad`, opset 13, mode `constant`, pads as
/// attributes).
///
/// A negative width takes elements away instead.
package struct Pad: BoundedOperation {
  /// The width before the first element of each axis.
  package let before: [Int]
  /// The width after the last element of each axis.
  package let after: [Int]
  /// What the border holds.
  package let value: Double

  /// A border of `value`, `before` and `after` the elements of each axis.
  package init(before: [Int], after: [Int], value: Double) {
    self.before = before
    self.after = after
    self.value = value
  }

  /// Each size with both widths added.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let shape = inputs[0].shape
    guard before.count == shape.rank, after.count == shape.rank else {
      throw OperationError(
        expected: "a width before and after each axis of \(shape)", got: "\(before) and \(after)")
    }
    guard inputs[0].elementType.isFloat || Int64(exactly: value) != nil else {
      throw OperationError(expected: "an integer to pad \(inputs[0]) with", got: "\(value)")
    }
    var sizes: [Int] = []
    for (axis, size) in shape.enumerated() {
      let (some, overflow) = size.addingReportingOverflow(before[axis])
      let (all, overflowToo) = some.addingReportingOverflow(after[axis])
      // The gradient negates the widths, and the least integer has no negative.
      let isNegatable = before[axis] != .min && after[axis] != .min
      guard !overflow, !overflowToo, isNegatable else { throw impossible(shape) }
      sizes.append(all)
    }
    guard let result = Shape(checking: sizes) else { throw impossible(shape) }
    return [ValueType(result, inputs[0].elementType)]
  }

  private func impossible(_ shape: Shape) -> OperationError {
    OperationError(
      expected: "widths that leave sizes of at least 0 of \(shape)", got: "\(before) and \(after)",
      advice: "a negative width removes elements")
  }

  /// Each example independently, unless some are added or taken away.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    let padded = before.indices.filter { before[$0] != 0 || after[$0] != 0 }
    return try context.flow(of: self, along: padded, "adds or removes examples")
  }

  /// The elements, or the value where there are none.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    guard let type = try? outputTypes(for: [inputs[0].type])[0] else {
      programmerError("\(inputs[0].type) can't be padded by \(before) and \(after)")
    }
    let shape = inputs[0].shape
    let sources: [Int?] = (0..<type.shape.elementCount).map { element in
      let index = zip(type.shape.index(ofElement: element), before).map { $0 - $1 }
      let isInside = zip(index, shape).allSatisfy { (0..<$1).contains($0) }
      return isInside ? offset(index, shape.strides) : nil
    }
    switch inputs[0].elements {
    case .reals(let reals):
      return [ReferenceArray(sources.map { $0.map { reals[$0] } ?? value }, type)]
    case .integers(let integers):
      return [
        ReferenceArray(integers: sources.map { $0.map { integers[$0] } ?? Int64(value) }, type)
      ]
    }
  }

  /// dy without the border.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.padded(before: before.map { -$0 }, after: after.map { -$0 })]
  }
}

extension Symbol {
  /// Returns the value with a border of a constant (ONNX `Pad`, mode `constant`).
  ///
  /// - Throws: ``GraphError`` when the widths don't fit the shape.
  public func padded(before: [Int], after: [Int], value: Double = 0) throws -> Symbol {
    try applying(Pad(before: before, after: after, value: value))
  }
}
