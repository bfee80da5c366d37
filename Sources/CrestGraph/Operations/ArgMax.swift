import CrestTensor

/// The index of the largest element along an axis (ONNX `ArgMax`, opset 13), as `int64`.
///
/// NaN counts as the largest, as in NumPy and PyTorch.
public struct ArgMax: Operation {
  /// `ArgMax`.
  public static let name = "ArgMax"
  /// The axis searched, not negative.
  public let axis: Int
  /// Whether the axis stays, with size 1.
  public let keepsDimension: Bool
  /// Whether the last of equals is taken, not the first (ONNX `select_last_index`).
  public let takesLast: Bool

  /// A search along `axis`, which is not negative.
  public init(axis: Int, keepsDimension: Bool = true, takesLast: Bool = false) {
    self.axis = axis
    self.keepsDimension = keepsDimension
    self.takesLast = takesLast
  }

  /// The other sizes.
  public func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.checkSearch(inputs, axis: axis, keepsDimension: keepsDimension)
  }

  /// The index in each line.
  public func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [
      inputs[0].extremes(along: axis, keepsDimension, takesLast) {
        $0 > $1
      } integers: {
        $0 > $1
      }
    ]
  }

  /// None: an index is a whole number.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil] }
}

extension OperationError {
  /// Refuses what has no largest or smallest element along `axis`; returns the type of their
  /// indices.
  static func checkSearch(
    _ inputs: [ValueType], axis: Int, keepsDimension: Bool
  ) throws(OperationError) -> [ValueType] {
    try check(inputs, count: 1...1)
    let shape = inputs[0].shape
    guard inputs[0].elementType != .bool else {
      throw OperationError(
        expected: "a float or integer input", got: "\(inputs[0])", advice: "cast it first")
    }
    guard (0..<shape.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(shape)", got: "\(axis)")
    }
    var sizes = shape.dimensions
    sizes[axis] = 1
    guard shape[axis] > 0 || sizes.contains(0) else {
      throw OperationError(expected: "elements along axis \(axis)", got: "none in \(shape)")
    }
    if !keepsDimension { sizes.remove(at: axis) }
    return [ValueType(Shape(sizes), .int64)]
  }
}

extension ReferenceArray {
  /// The index in each line along `axis` of the element that beats all others; NaN beats numbers.
  func extremes(
    along axis: Int, _ keepsDimension: Bool, _ takesLast: Bool,
    _ beats: (Double, Double) -> Bool, integers beatsInteger: (Int64, Int64) -> Bool
  ) -> ReferenceArray {
    func best(_ line: [Int], _ wins: (Int, Int) -> Bool) -> Int64 {
      let leader = line.indices.dropFirst().reduce(0) { leader, candidate in
        let isBetter = wins(line[candidate], line[leader])
        return isBetter || takesLast && !wins(line[leader], line[candidate]) ? candidate : leader
      }
      return Int64(leader)
    }
    let lines = lines(along: axis)
    let indices: [Int64] =
      switch elements {
      case .reals(let reals):
        lines.map { line in
          best(line) { left, right in
            beats(reals[left], reals[right]) || reals[left].isNaN && !reals[right].isNaN
          }
        }
      case .integers(let integers):
        lines.map { line in best(line) { beatsInteger(integers[$0], integers[$1]) } }
      }
    var sizes = shape.dimensions
    sizes[axis] = 1
    if !keepsDimension { sizes.remove(at: axis) }
    return ReferenceArray(integers: indices, ValueType(Shape(sizes), .int64))
  }
}

extension Symbol {
  /// Returns the index of the largest element along `axis`, as `int64` (ONNX `ArgMax`); a negative
  /// axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range or empty.
  public func argMax(
    axis: Int = 0, keepingDimension: Bool = true, takingLast: Bool = false
  ) throws -> Symbol {
    try applying(
      ArgMax(
        axis: resolvedAxis(axis, ArgMax.name), keepsDimension: keepingDimension,
        takesLast: takingLast))
  }
}
