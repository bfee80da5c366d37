import CrestPlatform
import CrestTensor

/// eˣ over its sum along an axis, or the logarithm of that (ONNX `Softmax` and `LogSoftmax`, opset 13).
///
///     Softmax:     y = e^(x - max) / Σ e^(x - max)
///     LogSoftmax:  y = x - max - log Σ e^(x - max)
package struct Softmax: BoundedOperation {
  /// What is computed; raw values are ONNX's operators.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case plain = "Softmax"
    case log = "LogSoftmax"
  }

  package let kind: Kind
  /// The axis whose elements, or their exponentials, sum to 1, not negative.
  package let axis: Int

  /// A softmax along `axis`, which is not negative.
  package init(_ kind: Kind = .plain, axis: Int) {
    self.kind = kind
    self.axis = axis
  }

  package var name: String { kind.rawValue }

  /// The input's type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    return [try OperationError.checkAxis(axis, of: inputs[0])]
  }

  package func valueRange(
    _ inputs: [ClosedRange<Double>], _ types: [ValueType]
  ) -> ClosedRange<Double> {
    switch kind {
    case .plain: 0...1
    case .log: -Double.infinity...0
    }
  }

  /// Each example independently, unless the axis counts them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.flow(of: self, along: [axis], "normalises over the examples")
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [
      inputs[0].mappingLines(along: axis) { line in
        guard kind == .plain else { return logSoftmax(line) }
        let exponentials = belowMaximum(line).map(exp)
        let sum = exponentials.reduce(0, +)
        return exponentials.map { $0 / sum }
      }
    ]
  }

  /// `SoftmaxGradient`.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.outputs[0].applying(SoftmaxGradient(kind, axis: axis), context.outputGradient)]
  }
}

extension Softmax: CustomStringConvertible {
  /// As fingerprints of graphs have it, which checkpoints hold.
  package var description: String { "\(name)(axis: \(axis))" }
}

/// The gradient of `Softmax` from (y, dy) (ours).
///
///     Softmax:     dx = y · (dy - Σ y · dy)
///     LogSoftmax:  dx = dy - eʸ · Σ dy
package struct SoftmaxGradient: BoundedOperation, TrainingOperation {
  package let kind: Softmax.Kind
  /// The axis whose elements, or their exponentials, sum to 1, not negative.
  package let axis: Int

  /// The gradient of a softmax along `axis`.
  package init(_ kind: Softmax.Kind = .plain, axis: Int) {
    self.kind = kind
    self.axis = axis
  }

  package var name: String { "\(kind.rawValue)Gradient" }

  /// The type of y.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.checkOutputAndGradient(inputs, axis: axis)
  }

  /// The formula as it stands.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [
      inputs[0].mappingLines(along: axis, with: inputs[1]) { y, dy in
        switch kind {
        case .plain:
          let sum = zip(y, dy).reduce(0) { $0 + $1.0 * $1.1 }
          return zip(y, dy).map { $0 * ($1 - sum) }
        case .log:
          let sum = dy.reduce(0, +)
          return zip(y, dy).map { $1 - exp($0) * sum }
        }
      }
    ]
  }
}

/// Each element less the maximum, so that no exponential overflows; NaN when any is.
func belowMaximum(_ line: [Double]) -> [Double] {
  let maximum = ElementwiseFunction.maximum.real
  let largest = line.reduce(-.infinity) { maximum([$0, $1]) }
  return line.map { $0 - largest }
}

/// The logarithms of the softmax of a line.
func logSoftmax(_ line: [Double]) -> [Double] {
  let shifted = belowMaximum(line)
  let logarithm = log(shifted.reduce(0) { $0 + exp($1) })
  return shifted.map { $0 - logarithm }
}

extension OperationError {
  /// Refuses a value that isn't of a float type or doesn't have `axis`; returns its type.
  static func checkAxis(_ axis: Int, of input: ValueType) throws(OperationError) -> ValueType {
    try checkFloat(input)
    guard (0..<input.shape.rank).contains(axis) else {
      throw OperationError(expected: "an axis of \(input.shape)", got: "\(axis)")
    }
    return input
  }

  /// Refuses anything but an output with `axis` and its gradient; returns the output's type.
  static func checkOutputAndGradient(
    _ inputs: [ValueType], axis: Int
  ) throws(OperationError) -> [ValueType] {
    try check(inputs, count: 2...2)
    try checkSameElementType(inputs)
    let output = try checkAxis(axis, of: inputs[0])
    try check(gradient: inputs[1].shape, of: output.shape)
    return [output]
  }
}

extension ReferenceArray {
  /// The places of the elements of each line along `axis`: those that differ in its index only.
  func lines(along axis: Int) -> [[Int]] {
    let (size, stride) = (shape[axis], shape.strides[axis])
    guard shape.elementCount > 0 else { return [] }
    return (0..<shape.elementCount / size).map { line in
      let first = line / stride * size * stride + line % stride
      return (0..<size).map { first + $0 * stride }
    }
  }

  /// Each line along `axis` replaced by what `body` makes of it.
  func mappingLines(along axis: Int, _ body: ([Double]) -> [Double]) -> ReferenceArray {
    mappingLines(along: axis, with: self) { line, _ in body(line) }
  }

  /// Each line along `axis` replaced by what `body` makes of it and the same line of `other`.
  func mappingLines(
    along axis: Int, with other: ReferenceArray, _ body: ([Double], [Double]) -> [Double]
  ) -> ReferenceArray {
    let (mine, theirs) = (reals, other.reals)
    var results = mine
    for line in lines(along: axis) {
      let values = body(line.map { mine[$0] }, line.map { theirs[$0] })
      for (place, value) in zip(line, values) { results[place] = value }
    }
    return ReferenceArray(results, type)
  }
}

extension Symbol {
  /// Returns the softmax along `axis` (ONNX `Softmax`); a negative axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range.
  public func softmax(axis: Int = -1) throws -> Symbol { try softmax(.plain, axis) }

  /// Returns the log-softmax along `axis` (ONNX `LogSoftmax`); a negative axis counts from the end.
  ///
  /// - Throws: ``GraphError`` when the axis is out of range.
  public func logSoftmax(axis: Int = -1) throws -> Symbol { try softmax(.log, axis) }

  private func softmax(_ kind: Softmax.Kind, _ axis: Int) throws -> Symbol {
    try applying(Softmax(kind, axis: resolvedAxis(axis, kind.rawValue)))
  }
}
