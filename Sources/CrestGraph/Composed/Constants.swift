public import CrestTensor

extension Symbol {
  /// Returns the sizes of this value's axes from `start` up to `end`, as an `int64` vector (ONNX
  /// `Shape`, opset 15).
  ///
  /// Shapes are concrete while a graph is traced, so this is a constant.
  ///
  /// - Parameters:
  ///   - start: The first axis; negative ones count from the end; clamped.
  ///   - end: The end axis, exclusive; all when nil; negative ones count from the end; clamped.
  /// - Returns: The sizes, none where `end` is not after `start`.
  public func shapeVector(start: Int = 0, end: Int? = nil) -> Symbol {
    func clamped(_ axis: Int) -> Int {
      Swift.min(Swift.max(axis < 0 ? axis + shape.rank : axis, 0), shape.rank)
    }
    let (first, last) = (clamped(start), clamped(end ?? shape.rank))
    let sizes = shape.dimensions[first..<Swift.max(first, last)]
    return builder.constant(Tensor(sizes.map(Int64.init)))
  }

  /// Returns the number of elements, as an `int64` scalar (ONNX `Size`, opset 13): a constant, as
  /// ``shapeVector(start:end:)`` is.
  public func elementCountScalar() -> Symbol {
    builder.constant(Tensor(scalar: Int64(shape.elementCount)))
  }
}

extension GraphBuilder {
  /// Returns a value of `shape` that holds one element over and over (ONNX `ConstantOfShape`, opset
  /// 9).
  ///
  /// It is an `Expand` of that element, so that tracing it takes no memory, however large it is.
  ///
  /// - Parameters:
  ///   - shape: The shape.
  ///   - value: The element, a tensor of one; ONNX's default is a `float32` 0.
  /// - Returns: A value of `shape` in the element's type.
  /// - Throws: ``GraphError`` when `value` doesn't hold one element.
  public func filled(
    _ shape: Shape, with value: Tensor = Tensor(scalar: Float(0))
  ) throws -> Symbol {
    guard value.elementCount == 1 else {
      throw GraphError(
        path: path, operation: "ConstantOfShape", expected: "a value of one element",
        got: "\(value.typeDescription)")
    }
    return try constant(value.reshaped(to: [])).expanded(to: shape)
  }

  /// Returns the numbers from `start` by `step` before `limit`, as a constant vector (ONNX `Range`,
  /// opset 11).
  ///
  ///     count = max(⌈(limit - start) / step⌉, 0),   y[k] = start + k · step
  ///
  /// - Parameters:
  ///   - start: The first number, a scalar of any type but `bool`.
  ///   - limit: What is not reached, of the same type.
  ///   - step: The distance between numbers, of the same type.
  ///   - maximumCount: How many numbers may be made: nothing is allocated for more.
  /// - Returns: The numbers.
  /// - Throws: ``GraphError`` when types differ, the step is 0, or there are too many numbers.
  public func range(
    from start: Tensor, to limit: Tensor, by step: Tensor, maximumCount: Int = 1 << 24
  ) throws -> Symbol {
    let all = [start, limit, step]
    func refused(expected: String, got: String) -> GraphError {
      GraphError(path: path, operation: "Range", expected: expected, got: got)
    }
    guard all.allSatisfy({ $0.elementCount == 1 && $0.elementType == start.elementType }),
      start.elementType != .bool
    else {
      throw refused(
        expected: "a start, limit and step of one element and one number type",
        got: all.map(\.typeDescription).joined(separator: ", "))
    }
    let count: Double
    let number: (Int) -> (real: Double, integer: Int64)
    if start.elementType.isFloat {
      let (first, end, step) = (start.doubles[0], limit.doubles[0], step.doubles[0])
      guard step != 0, [first, end, step].allSatisfy(\.isFinite) else {
        throw refused(
          expected: "finite numbers and a step that is not 0", got: "\([first, end, step])")
      }
      count = ((end - first) / step).rounded(.up)
      number = { (first + Double($0) * step, 0) }
    } else {
      let integers = all.compactMap { $0.integers?[0] }
      let (first, step) = (integers[0], integers[2])
      guard step != 0 else {
        throw refused(expected: "a step that is not 0", got: "\(integers)")
      }
      // In 128 bits no difference of two numbers overflows.
      let (whole, rest) = (Int128(integers[1]) - Int128(first))
        .quotientAndRemainder(dividingBy: Int128(step))
      count = Double(whole + (rest != 0 && (rest > 0) == (step > 0) ? 1 : 0))
      number = { (0, first &+ Int64($0) &* step) }
    }
    guard count <= Double(maximumCount) else {
      throw refused(expected: "at most \(maximumCount) numbers", got: "\(count)")
    }
    try makeRoom(forConstant: Int(Swift.max(count, 0)), start.elementType, "Range")
    let numbers = (0..<Int(Swift.max(count, 0))).map(number)
    let shape: Shape = [numbers.count]
    return constant(
      start.elementType.isFloat
        ? Tensor(rounding: numbers.map(\.real), to: start.elementType, shape: shape)
        : Tensor(wrapping: numbers.map(\.integer), to: start.elementType, shape: shape))
  }
}
