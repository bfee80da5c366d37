package import CrestTensor

/// How a convolution's window moves (the attributes of ONNX `Conv`).
public struct ConvAttributes: Sendable, Hashable {
  /// The distance from one window to the next along each spatial axis.
  public let strides: [Int]
  /// The distance from one tap of the kernel to the next along each spatial axis.
  public let dilations: [Int]
  /// Zeros before the first element of each spatial axis.
  public let padsBefore: [Int]
  /// Zeros after the last element of each spatial axis.
  public let padsAfter: [Int]
  /// The number of groups into which channels are split; each group is convolved separately.
  public let groups: Int

  /// Attributes, by default those of a plain 2-D convolution without padding.
  public init(
    strides: [Int] = [1, 1], dilations: [Int] = [1, 1], padsBefore: [Int] = [0, 0],
    padsAfter: [Int] = [0, 0], groups: Int = 1
  ) {
    self.strides = strides
    self.dilations = dilations
    self.padsBefore = padsBefore
    self.padsAfter = padsAfter
    self.groups = groups
  }

  /// Those over images one element high, of a window over sequences.
  fileprivate var asImage: ConvAttributes {
    ConvAttributes(
      strides: [1] + strides, dilations: [1] + dilations, padsBefore: [0] + padsBefore,
      padsAfter: [0] + padsAfter, groups: groups)
  }
}

/// A convolution (cross-correlation) over any number of spatial axes (ONNX `Conv`, opset 11).
///
///     y[n, o, p] = Σ_{c, t} x[n, c, p · stride + t · dilation - pad] · filter[o, c, t] (+ bias[o])
///
/// x is [N, C, spatial…], the filter [O, C / groups, kernel…], the bias [O], y [N, O, spatial…].
/// Output channel o sees the input channels of its group.
package struct Conv: WindowOperation {
  /// How the window moves.
  package let attributes: ConvAttributes

  /// A convolution.
  package init(_ attributes: ConvAttributes = ConvAttributes()) { self.attributes = attributes }

  /// [N, O, spatial…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...3)
    try OperationError.checkSameElementType(inputs)
    try OperationError.checkFloat(inputs[0])
    let products = try ConvProducts(attributes, x: inputs[0].shape, filter: inputs[1].shape)
    let channels = inputs[1].shape[0]
    guard inputs.count == 2 || inputs[2].shape == [channels] else {
      throw OperationError(
        expected: "a bias [\(channels)], one for each output channel", got: "\(inputs[2].shape)")
    }
    return [ValueType(products.y, inputs[0].elementType)]
  }

  package var asImage: Conv { Conv(attributes.asImage) }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .products(outputs[0].shape, terms: inputs[1].shape.dropFirst())
  }

  /// Each image independently.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.requireShared("filters")
    return try context.flow(
      of: self, along: Array(1..<context.inputs[0].rank), "slides a filter along the batch axis")
  }

  /// Sums the products.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let products = ConvProducts.checked(attributes, x: inputs[0].shape, filter: inputs[1].shape)
    let (x, filter) = (inputs[0].reals, inputs[1].reals)
    var y = [Double](repeating: 0, count: products.y.elementCount)
    products.forEach { y[$2] += x[$0] * filter[$1] }
    if inputs.count == 3 {
      let bias = inputs[2].reals
      let spatial = products.window.output.reduce(1, *)
      for element in y.indices { y[element] += bias[element / spatial % bias.count] }
    }
    return [ReferenceArray(y, ValueType(products.y, inputs[0].type.elementType))]
  }

  /// `ConvInputGradient`, `ConvFilterGradient`, and dy summed over all but its channels.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (x, filter, dy) = (context.inputs[0], context.inputs[1], context.outputGradient)
    let parts: [() throws -> Symbol] = [
      { try dy.applying(ConvInputGradient(attributes, inputShape: x.shape), filter) },
      { try x.applying(ConvFilterGradient(attributes, filterShape: filter.shape), dy) },
      { try dy.sum(axes: [0] + (2..<dy.shape.rank)) },
    ]
    return try zip(parts, context.isNeeded).map { part, isNeeded in isNeeded ? try part() : nil }
  }

  package func weightUse(_ place: Int, rank: Int) -> WeightUse? {
    place == 1 ? .filter(outputAxis: 0) : nil
  }
}

/// Σ dy · filter: the gradient of `Conv` with respect to x from (dy, filter) (ours).
package struct ConvInputGradient: WindowOperation {
  /// How the window moves.
  package let attributes: ConvAttributes
  /// The shape of x.
  package let inputShape: Shape

  /// The gradient with respect to an x of `inputShape`.
  package init(_ attributes: ConvAttributes, inputShape: Shape) {
    self.attributes = attributes
    self.inputShape = inputShape
  }

  /// The shape of x.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkSameElementType(inputs)
    try OperationError.checkFloat(inputs[0], "gradient")
    let products = try ConvProducts(attributes, x: inputShape, filter: inputs[1].shape)
    try OperationError.check(gradient: inputs[0].shape, of: products.y)
    return [ValueType(inputShape, inputs[0].elementType)]
  }

  package var asImage: ConvInputGradient {
    ConvInputGradient(attributes.asImage, inputShape: inputShape.asImage)
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .products(inputs[0].shape, terms: inputs[1].shape.dropFirst())
  }

  /// Each image independently.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.requireShared("filters")
    let flow = try context.flow(
      of: self, along: Array(1..<context.inputs[0].rank), "slides a filter along the batch axis")
    // The shape of x has the number of images in it.
    return RowFlow(
      flow.outputs,
      settings: AnyHashable([AnyHashable(attributes), AnyHashable(context.inputs[1])]),
      keepsUniform: true)
  }

  /// Sums the products.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let products = ConvProducts.checked(attributes, x: inputShape, filter: inputs[1].shape)
    let (dy, filter) = (inputs[0].reals, inputs[1].reals)
    var dx = [Double](repeating: 0, count: inputShape.elementCount)
    products.forEach { dx[$0] += dy[$2] * filter[$1] }
    return [ReferenceArray(dx, ValueType(inputShape, inputs[0].type.elementType))]
  }

  /// The convolution of the gradient, and its filter gradient with dy.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (dy, filter, ddx) = (context.inputs[0], context.inputs[1], context.outputGradient)
    return [
      try context.isNeeded[0] ? ddx.applying(Conv(attributes), filter) : nil,
      try context.isNeeded[1]
        ? ddx.applying(ConvFilterGradient(attributes, filterShape: filter.shape), dy) : nil,
    ]
  }
}

/// Σ x · dy: the gradient of `Conv` with respect to the filter from (x, dy) (ours).
package struct ConvFilterGradient: WindowOperation, TrainingOperation {
  /// How the window moves.
  package let attributes: ConvAttributes
  /// The shape of the filter.
  package let filterShape: Shape

  /// The gradient with respect to a filter of `filterShape`.
  package init(_ attributes: ConvAttributes, filterShape: Shape) {
    self.attributes = attributes
    self.filterShape = filterShape
  }

  /// The shape of the filter.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkSameElementType(inputs)
    try OperationError.checkFloat(inputs[0])
    let products = try ConvProducts(attributes, x: inputs[0].shape, filter: filterShape)
    try OperationError.check(gradient: inputs[1].shape, of: products.y)
    return [ValueType(filterShape, inputs[0].elementType)]
  }

  package var asImage: ConvFilterGradient {
    ConvFilterGradient(attributes.asImage, filterShape: filterShape.asImage)
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .products(inputs[1].shape, terms: filterShape.dropFirst())
  }

  /// Sums the products.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let products = ConvProducts.checked(attributes, x: inputs[0].shape, filter: filterShape)
    let (x, dy) = (inputs[0].reals, inputs[1].reals)
    var gradient = [Double](repeating: 0, count: filterShape.elementCount)
    products.forEach { gradient[$1] += x[$0] * dy[$2] }
    return [ReferenceArray(gradient, ValueType(filterShape, inputs[0].type.elementType))]
  }

  /// The input gradient of dy through the gradient, and its convolution with x.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (x, dy, gradient) = (context.inputs[0], context.inputs[1], context.outputGradient)
    return [
      try context.isNeeded[0]
        ? dy.applying(ConvInputGradient(attributes, inputShape: x.shape), gradient) : nil,
      try context.isNeeded[1] ? x.applying(Conv(attributes), gradient) : nil,
    ]
  }
}

/// The products a convolution sums: all triples of x, filter and y.
///
/// It is linear in each of the three, so the convolution and both gradients sum the same products.
struct ConvProducts {
  /// The window over the spatial axes.
  let window: SlidingWindow
  /// The shape of y.
  let y: Shape
  private let x: Shape
  private let filter: Shape
  private let groups: Int

  /// The products for an x and a filter.
  ///
  /// - Throws: ``OperationError`` when they don't fit.
  init(_ attributes: ConvAttributes, x: Shape, filter: Shape) throws(OperationError) {
    guard x.rank >= 3, filter.rank == x.rank else {
      throw OperationError(
        expected: "an input [N, C, spatial…] and a filter of the same rank",
        got: "\(x) and \(filter)")
    }
    let groups = attributes.groups
    guard groups >= 1, filter[0] >= 1, filter[0] % groups == 0 else {
      throw OperationError(
        expected: "groups that divide the filter's \(filter[0]) output channels", got: "\(groups)")
    }
    let (channels, overflow) = filter[1].multipliedReportingOverflow(by: groups)
    guard !overflow, channels >= 1, x[1] == channels else {
      let split = groups == 1 ? "" : " in each of \(groups) groups"
      throw OperationError(
        expected: "\(overflow ? "fewer" : "\(channels)") input channels, as the filter \(filter) "
          + "has \(filter[1])\(split)", got: "\(x[1]) of \(x)")
    }
    window = try SlidingWindow(
      input: Array(x.dimensions[2...]), kernel: Array(filter.dimensions[2...]),
      strides: attributes.strides, dilations: attributes.dilations,
      padsBefore: attributes.padsBefore, padsAfter: attributes.padsAfter, ceilMode: false)
    guard let y = Shape(checking: [x[0], filter[0]] + window.output) else {
      throw OperationError(
        expected: "an output whose element count fits in 64 bits",
        got: "\([x[0], filter[0]] + window.output)")
    }
    self.x = x
    self.filter = filter
    self.y = y
    self.groups = groups
  }

  /// The products of shapes that the shape rule let pass.
  static func checked(_ attributes: ConvAttributes, x: Shape, filter: Shape) -> ConvProducts {
    do {
      return try ConvProducts(attributes, x: x, filter: filter)
    } catch {
      programmerError("\(x) and \(filter) can't be convolved: \(error)")
    }
  }

  /// Calls `body` with the place of each factor in x and in the filter, and of their sum in y.
  func forEach(_ body: (_ x: Int, _ filter: Int, _ y: Int) -> Void) {
    let inputs = window.input.reduce(1, *)
    let taps = window.kernel.reduce(1, *)
    let outputs = window.output.reduce(1, *)
    let outputsPerGroup = filter[0] / groups
    var hits: [(window: Int, tap: Int, element: Int)] = []
    window.forEachTap { window, tap, place in
      if case .input(let element) = place { hits.append((window, tap, element)) }
    }
    for image in 0..<x[0] {
      for output in 0..<filter[0] {
        for channel in 0..<filter[1] {
          let input = output / outputsPerGroup * filter[1] + channel
          for hit in hits {
            body(
              (image * x[1] + input) * inputs + hit.element,
              (output * filter[1] + channel) * taps + hit.tap,
              (image * filter[0] + output) * outputs + hit.window)
          }
        }
      }
    }
  }
}

extension OperationError {
  /// Refuses a gradient whose shape isn't that of the value it belongs to.
  static func check(gradient: Shape, of value: Shape) throws(OperationError) {
    guard gradient == value else {
      throw OperationError(expected: "a gradient \(value)", got: "\(gradient)")
    }
  }
}

extension Symbol {
  /// Returns the convolution with `filter` [O, C / groups, kernel…] (ONNX `Conv`).
  ///
  /// - Parameters:
  ///   - filter: The filter.
  ///   - bias: [O], added to each output channel; nothing when nil.
  ///   - attributes: How the window moves.
  /// - Returns: [N, O, spatial…].
  /// - Throws: ``GraphError`` when channels differ, or the kernel is larger than the padded input.
  public func conv(
    _ filter: Symbol, bias: Symbol? = nil, _ attributes: ConvAttributes = ConvAttributes()
  ) throws -> Symbol {
    try builder.apply(Conv(attributes), [self, filter] + (bias.map { [$0] } ?? []))[0]
  }
}
