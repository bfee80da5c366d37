import CrestTensor

/// How a pool's window moves (the attributes of ONNX `MaxPool` and `AveragePool`).
public struct PoolAttributes: Sendable, Hashable {
  /// The window's sizes along the spatial axes.
  public let kernel: [Int]
  /// The distance from one window to the next.
  public let strides: [Int]
  /// The distance from one tap of the window to the next.
  public let dilations: [Int]
  /// Padding before the first element of each spatial axis.
  public let padsBefore: [Int]
  /// Padding after the last element of each spatial axis.
  public let padsAfter: [Int]
  /// Whether a last window that hangs over the end counts.
  ///
  /// As in PyTorch, it does only when it starts inside the input or the padding before it.
  public let ceilMode: Bool
  /// Whether padding counts in the divisor of an average (ONNX `count_include_pad`).
  public let countsPadding: Bool

  /// Attributes, by default of windows that lie side by side without padding.
  ///
  /// - Parameters:
  ///   - kernel: The window's sizes along the spatial axes.
  ///   - strides: The distance from one window to the next; the kernel's sizes when nil (unlike
  ///     ONNX, whose default is 1).
  ///   - dilations: The distance from one tap to the next; 1 when nil.
  ///   - padsBefore: Padding before the first element of each spatial axis; 0 when nil.
  ///   - padsAfter: Padding after the last element of each spatial axis; 0 when nil.
  ///   - ceilMode: Whether a last window that hangs over the end counts.
  ///   - countsPadding: Whether padding counts in the divisor of an average.
  public init(
    kernel: [Int], strides: [Int]? = nil, dilations: [Int]? = nil, padsBefore: [Int]? = nil,
    padsAfter: [Int]? = nil, ceilMode: Bool = false, countsPadding: Bool = false
  ) {
    self.kernel = kernel
    self.strides = strides ?? kernel
    self.dilations = dilations ?? kernel.map { _ in 1 }
    self.padsBefore = padsBefore ?? kernel.map { _ in 0 }
    self.padsAfter = padsAfter ?? kernel.map { _ in 0 }
    self.ceilMode = ceilMode
    self.countsPadding = countsPadding
  }

  /// The window over a value [N, C, spatial…].
  ///
  /// - Throws: ``OperationError`` when they don't fit.
  func window(over shape: Shape) throws(OperationError) -> SlidingWindow {
    guard shape.rank >= 3 else {
      throw OperationError(expected: "an input [N, C, spatial…]", got: "\(shape)")
    }
    let window = try SlidingWindow(
      input: Array(shape.dimensions[2...]), kernel: kernel, strides: strides,
      dilations: dilations, padsBefore: padsBefore, padsAfter: padsAfter, ceilMode: ceilMode)
    let reach = zip(kernel, dilations).map { ($0 - 1) * $1 }
    guard zip(reach, padsBefore).allSatisfy(>=), zip(reach, padsAfter).allSatisfy(>=) else {
      throw OperationError(
        expected: "pads smaller than what the kernel covers, \(reach.map { $0 + 1 })",
        got: "\(padsBefore) and \(padsAfter)")
    }
    return window
  }

  /// [N, C, spatial…] of a pool over `shape`.
  func outputShape(for shape: Shape) throws(OperationError) -> Shape {
    let sizes = shape.dimensions.prefix(2) + (try window(over: shape).output)
    guard let output = Shape(checking: Array(sizes)) else {
      throw OperationError(
        expected: "an output whose elements can be counted", got: "\(Array(sizes))")
    }
    return output
  }

  /// The window of a shape that the shape rule let pass.
  func checkedWindow(over shape: Shape) -> SlidingWindow {
    do {
      return try window(over: shape)
    } catch {
      programmerError("\(shape) can't be pooled: \(error)")
    }
  }
}

/// The maximum of each window (ONNX `MaxPool`, opset 12, without indices).
///
/// Padding never wins and NaN always does; a window that holds no element gives -∞.
package struct MaxPool: GraphOperation {
  /// How the window moves.
  package let attributes: PoolAttributes

  /// A pool.
  package init(_ attributes: PoolAttributes) { self.attributes = attributes }

  /// [N, C, windows…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0])
    return [ValueType(try attributes.outputShape(for: inputs[0].shape), inputs[0].elementType)]
  }

  package var outputNumbers: OutputNumbers { .within }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.windows)
  }

  /// Each example by itself, unless a window moves along them.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try context.flow(
      of: self, along: Array(2..<context.inputs[0].rank), "moves a window along the examples")
  }

  /// The element that won each window.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let x = inputs[0].reals
    let window = attributes.checkedWindow(over: inputs[0].shape)
    let y = Self.winners(x, window).map { $0.map { x[$0] } ?? -.infinity }
    let shape = Shape(inputs[0].shape.dimensions.prefix(2) + window.output)
    return [ReferenceArray(y, ValueType(shape, inputs[0].type.elementType))]
  }

  /// Which element of x wins each window: the first NaN, else the first of the largest, in
  /// row-major order; nil where a window holds none.
  static func winners(_ x: [Double], _ window: SlidingWindow) -> [Int?] {
    let (inputs, outputs) = (window.input.reduce(1, *), window.output.reduce(1, *))
    let planes = inputs == 0 ? 0 : x.count / inputs
    var winners = [Int?](repeating: nil, count: planes * outputs)
    window.forEachTap { position, _, place in
      guard case .input(let element) = place else { return }
      for plane in 0..<planes {
        let (candidate, output) = (plane * inputs + element, plane * outputs + position)
        if let leader = winners[output],
          x[leader].isNaN || x[candidate] <= x[leader]
        {
          continue
        }
        winners[output] = candidate
      }
    }
    return winners
  }

  /// dy to the winners.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    [try context.inputs[0].applying(MaxPoolGradient(attributes), context.outputGradient)]
  }
}

/// dy added to the element that won each window: the gradient of `MaxPool` from (x, dy) (ours).
package struct MaxPoolGradient: GraphOperation {
  /// How the window moves.
  package let attributes: PoolAttributes

  /// The gradient of a pool.
  package init(_ attributes: PoolAttributes) { self.attributes = attributes }

  /// The shape of x.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkSameElementType(inputs)
    try OperationError.checkFloat(inputs[0])
    try OperationError.check(
      gradient: inputs[1].shape, of: try attributes.outputShape(for: inputs[0].shape))
    return [inputs[0]]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.windows)
  }

  /// Not followed: it belongs to a step of training.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    throw RowMixing.ofTraining
  }

  /// Each element of dy at the winner of its window; an element may win several.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let (x, dy) = (inputs[0].reals, inputs[1].reals)
    var dx = [Double](repeating: 0, count: x.count)
    let winners = MaxPool.winners(x, attributes.checkedWindow(over: inputs[0].shape))
    for (output, winner) in winners.enumerated() {
      if let winner { dx[winner] += dy[output] }
    }
    return [ReferenceArray(dx, inputs[0].type)]
  }
}

extension Symbol {
  /// Returns the maximum of each window (ONNX `MaxPool`).
  ///
  /// - Throws: ``GraphError`` when the window is larger than the padded input.
  public func maxPool(_ attributes: PoolAttributes) throws -> Symbol {
    try applying(MaxPool(attributes))
  }
}
