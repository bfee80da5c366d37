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

  /// Those over images one element high, of a window over sequences.
  var asImage: PoolAttributes {
    PoolAttributes(
      kernel: [1] + kernel, strides: [1] + strides, dilations: [1] + dilations,
      padsBefore: [0] + padsBefore, padsAfter: [0] + padsAfter, ceilMode: ceilMode,
      countsPadding: countsPadding)
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
        expected: "pads smaller than the kernel's extent, \(reach.map { $0 + 1 })",
        got: "\(padsBefore) and \(padsAfter)")
    }
    return window
  }

  /// [N, C, spatial…] of a pool over `shape`.
  func outputShape(for shape: Shape) throws(OperationError) -> Shape {
    let sizes = shape.dimensions.prefix(2) + (try window(over: shape).output)
    guard let output = Shape(checking: Array(sizes)) else {
      throw OperationError(
        expected: "an output whose element count fits in 64 bits", got: "\(Array(sizes))")
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

/// An operation that makes one element of each window of an image.
package protocol PoolOperation: WindowOperation {
  /// How the window moves.
  var attributes: PoolAttributes { get }

  init(_ attributes: PoolAttributes)
}

extension PoolOperation {
  /// [N, C, windows…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0])
    return [ValueType(try attributes.outputShape(for: inputs[0].shape), inputs[0].elementType)]
  }

  package var asImage: Self { Self(attributes.asImage) }

  package var keepsScale: Bool { true }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    Demands(.windows)
  }

  /// Each example independently, unless a window moves along them.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.flow(
      of: self, along: Array(2..<context.inputs[0].rank), "slides a window along the batch axis")
  }
}

extension SlidingWindow {
  /// Calls `body` for each window and each element that it holds, of so many planes: the element's place in all
  /// inputs, the window's in all outputs, and in its plane.
  func forEachElement(planes: Int, _ body: (_ input: Int, _ output: Int, _ window: Int) -> Void) {
    let (inputs, outputs) = (input.reduce(1, *), output.reduce(1, *))
    forEachTap { window, _, place in
      guard case .input(let element) = place else { return }
      for plane in 0..<planes { body(plane * inputs + element, plane * outputs + window, window) }
    }
  }
}
