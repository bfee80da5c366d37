package import CrestTensor

/// A part of a value: some elements along some axes (ONNX `Slice`, opset 13, all but data as
/// attributes).
///
/// As NumPy's `x[start:end:step]`: negative starts and ends count from the end, those out of range
/// are clamped, and a negative step walks backwards. Unlike in NumPy, a start before the first
/// element is the first element backwards, too.
package struct Slice: BoundedOperation {
  /// The first index along each axis.
  package let starts: [Int]
  /// The end index along each axis, exclusive.
  package let ends: [Int]
  /// The axes cut, none negative.
  package let axes: [Int]
  /// The distance between indices along each axis.
  package let steps: [Int]

  /// A part from `starts` to `ends` by `steps` along `axes`, none of them negative.
  package init(starts: [Int], ends: [Int], axes: [Int], steps: [Int]) {
    self.starts = starts
    self.ends = ends
    self.axes = axes
    self.steps = steps
  }

  /// What is taken along one axis of a concrete shape.
  package struct Extent: Hashable {
    /// The first index.
    package let start: Int
    /// The distance from one index to the next.
    package let step: Int
    /// How many indices are taken.
    package let count: Int
  }

  /// What is taken along every axis of `shape`.
  package func extents(of shape: Shape) throws(OperationError) -> [Extent] {
    let counts = [ends.count, axes.count, steps.count]
    guard counts.allSatisfy({ $0 == starts.count }) else {
      throw OperationError(
        expected: "as many ends, axes and steps as the \(starts.count) starts",
        got: counts.map(String.init).joined(separator: ", "))
    }
    guard axes.allSatisfy({ (0..<shape.rank).contains($0) }), Set(axes).count == axes.count else {
      throw OperationError(expected: "different axes of \(shape)", got: "\(axes)")
    }
    guard !steps.contains(0) else {
      throw OperationError(expected: "steps that are not 0", got: "\(steps)")
    }
    var extents = shape.map { Extent(start: 0, step: 1, count: $0) }
    for (place, axis) in axes.enumerated() {
      extents[axis] = Slice.extent(
        from: starts[place], to: ends[place], by: steps[place], size: shape[axis])
    }
    return extents
  }

  private static func extent(from start: Int, to end: Int, by step: Int, size: Int) -> Extent {
    // Backwards, the index after the last one taken may be -1: before the first element.
    let (lowestEnd, highest) = step > 0 ? (0, size) : (-1, size - 1)
    func clamped(_ index: Int, to lowest: Int) -> Int {
      min(max(index < 0 ? index + size : index, lowest), highest)
    }
    let (first, last) = (clamped(start, to: 0), clamped(end, to: lowestEnd))
    let distance = step > 0 ? last - first : first - last
    guard distance > 0 else { return Extent(start: 0, step: step, count: 0) }
    let count = (UInt(distance) - 1) / step.magnitude + 1
    return Extent(start: first, step: step, count: Int(count))
  }

  /// The number of indices taken along each axis.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    let sizes = try extents(of: inputs[0].shape).map(\.count)
    return [ValueType(Shape(sizes), inputs[0].elementType)]
  }

  package var outputNumbers: OutputNumbers { .within }

  package var arrangement: Arrangement? { .picked }

  /// Each example independently, unless only some are taken, or in another order.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    guard let extents = try? extents(of: context.inputs[0]) else {
      programmerError("\(context.inputs[0]) can't be cut by \(self)")
    }
    switch context.rows[0] {
    case .mixed(let mixing): throw mixing
    case .shared(let uniform):
      // Whichever elements are taken of equal ones, they are the same.
      let kept = extents.indices.filter { uniform.contains($0) && extents[$0].count > 1 }
      let taken = extents.enumerated().map { kept.contains($0) ? nil : $1 }
      let others = axes.indices.filter { !uniform.contains(axes[$0]) }
      let slice = Slice(
        starts: others.map { starts[$0] }, ends: others.map { ends[$0] },
        axes: others.map { axes[$0] }, steps: others.map { steps[$0] })
      return RowFlow(
        [.shared(uniform: Set(kept))], settings: AnyHashable(taken), keepsUniform: true
      ) { extents.contains { $0.count == 0 } ? nil : slice.evaluateReduced($0) }
    case .along(let axis, let inner):
      let (block, extent) = (context.count * inner, extents[axis])
      guard extent.step == 1, extent.start % block == 0, extent.count % block == 0, extent.count > 0
      else { throw .picking(inner: inner) }
      var taken = extents
      taken[axis] = Extent(
        start: extent.start / context.count, step: 1, count: extent.count / context.count)
      return RowFlow(context.rows, settings: AnyHashable(taken), keepsUniform: true)
    }
  }

  /// The elements taken.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    guard let extents = try? extents(of: inputs[0].shape) else {
      programmerError("\(inputs[0].type) can't be cut by \(self)")
    }
    let shape = Shape(extents.map(\.count))
    let strides = inputs[0].shape.strides
    return [
      inputs[0].gathered(ValueType(shape, inputs[0].type.elementType)) { element in
        let index = zip(extents, shape.index(ofElement: element)).map { $0.start + $1 * $0.step }
        return offset(index, strides)
      }
    ]
  }

  /// dy where elements were taken, else 0.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.applying(SliceGradient(self, inputShape: context.inputs[0].shape))]
  }
}

/// dy put back where `Slice` took it from, zeros elsewhere: the gradient of a slice (ours).
package struct SliceGradient: BoundedOperation, TrainingOperation {
  /// The shape that was cut.
  package let inputShape: Shape
  /// The first index along each axis.
  package let starts: [Int]
  /// The index along each axis that was no longer taken.
  package let ends: [Int]
  /// The axes cut, none negative.
  package let axes: [Int]
  /// The distance between indices along each axis.
  package let steps: [Int]

  /// The gradient of `slice` of a value of `inputShape`.
  package init(_ slice: Slice, inputShape: Shape) {
    self.inputShape = inputShape
    starts = slice.starts
    ends = slice.ends
    axes = slice.axes
    steps = slice.steps
  }

  /// The slice this is the gradient of.
  package var slice: Slice { Slice(starts: starts, ends: ends, axes: axes, steps: steps) }

  /// The shape that was cut.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0], "gradient")
    let expected = Shape(try slice.extents(of: inputShape).map(\.count))
    guard inputs[0].shape == expected else {
      throw OperationError(
        expected: "a gradient \(expected) of a part of \(inputShape)", got: "\(inputs[0].shape)")
    }
    return [ValueType(inputShape, inputs[0].elementType)]
  }

  /// Each element of dy at the place it was taken from.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    guard let extents = try? slice.extents(of: inputShape) else {
      programmerError("\(inputShape) can't be cut by \(slice)")
    }
    let strides = inputs[0].shape.strides
    return [
      inputs[0].gathered(ValueType(inputShape, inputs[0].type.elementType)) { element in
        var place = 0
        for (axis, index) in inputShape.index(ofElement: element).enumerated() {
          let extent = extents[axis]
          let (taken, rest) = (index - extent.start).quotientAndRemainder(dividingBy: extent.step)
          guard rest == 0, (0..<extent.count).contains(taken) else { return nil }
          place += taken * strides[axis]
        }
        return place
      }
    ]
  }

  /// The same slice of the gradient.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputGradient.applying(slice)]
  }
}

extension Symbol {
  /// Returns the part from `starts` to `ends` along `axes` (ONNX `Slice`; NumPy
  /// `x[start:end:step]`).
  ///
  /// - Parameters:
  ///   - starts: The first index along each axis; negative ones count from the end.
  ///   - ends: The end index along each axis, exclusive; clamped to the size.
  ///   - axes: The axes cut; the leading ones when nil; negative ones count from the end.
  ///   - steps: The distance between indices along each axis, 1 when nil; negative ones walk back.
  /// - Returns: The elements taken.
  /// - Throws: ``GraphError`` when an axis is out of range or named twice, or a step is 0.
  public func sliced(
    starts: [Int], ends: [Int], axes: [Int]? = nil, steps: [Int]? = nil
  ) throws -> Symbol {
    let axes = try (axes ?? Array(starts.indices)).map { try resolvedAxis($0, "Slice") }
    let steps = steps ?? [Int](repeating: 1, count: starts.count)
    return try applying(Slice(starts: starts, ends: ends, axes: axes, steps: steps))
  }
}
