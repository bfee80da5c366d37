import CrestTensor

/// A transposed convolution over any number of spatial axes (ONNX `ConvTranspose`, opset 11; PyTorch
/// `conv_transpose2d`).
///
///     y[n, o, p · stride + t · dilation - pad] += x[n, c, p] · filter[c, o, t]   (then + bias[o])
///
/// x is [N, C, spatial…], the filter [C, O / groups, kernel…], the bias [O], y [N, O, spatial…] with
/// sizes (size - 1) · stride + (kernel - 1) · dilation + 1 - pads + output padding. Input channel c
/// feeds the output channels of its group.
package struct ConvTranspose: GraphOperation {
  /// How the window moves over y; pads are taken away from y.
  package let attributes: ConvAttributes
  /// How much larger y is after the last element of each spatial axis.
  package let outputPadding: [Int]

  /// A transposed convolution; no output padding when nil.
  package init(_ attributes: ConvAttributes = ConvAttributes(), outputPadding: [Int]? = nil) {
    self.attributes = attributes
    self.outputPadding = outputPadding ?? attributes.strides.map { _ in 0 }
  }

  /// [N, O, spatial…].
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...3)
    try OperationError.checkSameElementType(inputs)
    try OperationError.checkFloat(inputs[0])
    let geometry = try geometry(x: inputs[0].shape, filter: inputs[1].shape)
    let channels = geometry.y[1]
    guard inputs.count == 2 || inputs[2].shape == [channels] else {
      throw OperationError(
        expected: "a bias [\(channels)], one for each output channel", got: "\(inputs[2].shape)")
    }
    return [ValueType(geometry.y, inputs[0].elementType)]
  }

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .products(inputs[0].shape, terms: inputs[1].shape.dropFirst())
  }

  /// Each image independently.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try context.requireShared("filters")
    return try context.flow(
      of: self, along: Array(1..<context.inputs[0].rank), "slides a filter along the batch axis")
  }

  /// The input gradient of the convolution from y to x, a border of zeros, and the bias.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let geometry = checkedGeometry(x: inputs[0].shape, filter: inputs[1].shape)
    let products = geometry.spread.evaluate(Array(inputs[..<2]), random: random)
    let y = geometry.border.evaluate(products, random: random)[0]
    guard inputs.count == 3 else { return [y] }
    let bias = inputs[2].reals
    let spatial = geometry.y.dimensions[2...].reduce(1, *)
    let biased = y.reals.enumerated().map { $1 + bias[$0 / spatial % bias.count] }
    return [ReferenceArray(biased, y.type)]
  }

  /// The convolution of dy, `ConvFilterGradient`, and dy summed over all but its channels.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (x, filter, dy) = (context.inputs[0], context.inputs[1], context.outputGradient)
    let geometry = checkedGeometry(x: x.shape, filter: filter.shape)
    let attributes = geometry.spread.attributes
    let inner = try dy.padded(
      before: geometry.border.before, after: geometry.border.after.map { -$0 })
    let parts: [() throws -> Symbol] = [
      { try inner.conv(filter, attributes) },
      { try inner.applying(ConvFilterGradient(attributes, filterShape: filter.shape), x) },
      { try dy.sum(axes: [0] + (2..<dy.shape.rank)) },
    ]
    return try zip(parts, context.isNeeded).map { part, isNeeded in isNeeded ? try part() : nil }
  }

  /// The input gradient of a convolution, which kernels know.
  package func expanded(_ inputs: [Symbol], mode: Graph.ExecutionMode) throws -> [Symbol]? {
    let geometry = checkedGeometry(x: inputs[0].shape, filter: inputs[1].shape)
    var y = try inputs[0].applying(geometry.spread, inputs[1])
    if geometry.border.after.contains(where: { $0 > 0 }) { y = try y.applying(geometry.border) }
    return [inputs.count == 3 ? try y + inputs[2].perChannel(of: y) : y]
  }

  /// What a transposed convolution does: it spreads x over y, and what no product reaches is 0.
  private struct Geometry {
    let spread: ConvInputGradient
    let border: Pad
    let y: Shape
  }

  private func checkedGeometry(x: Shape, filter: Shape) -> Geometry {
    do {
      return try geometry(x: x, filter: filter)
    } catch {
      programmerError("\(x) and \(filter) can't be convolved: \(error)")
    }
  }

  private func geometry(x: Shape, filter: Shape) throws(OperationError) -> Geometry {
    let channels = try channels(x: x, filter: filter)
    let spatial = Array(x.dimensions[2...])
    try checkAttributes(spatial, kernel: Array(filter.dimensions[2...]))
    let axes = Array(spatial.indices)
    // Output padding first takes back what pads take away after the last element.
    let padsAfter = axes.map { Swift.max(attributes.padsAfter[$0] - outputPadding[$0], 0) }
    let border = axes.map { Swift.max(outputPadding[$0] - attributes.padsAfter[$0], 0) }
    var reached: [Int] = []
    for axis in axes {
      let size = size(along: axis, x: spatial[axis], kernel: filter[axis + 2])
      let (some, overflow) = (size ?? 0).subtractingReportingOverflow(attributes.padsBefore[axis])
      let (rest, overflowToo) = some.subtractingReportingOverflow(padsAfter[axis])
      guard size != nil, !overflow, !overflowToo, rest >= 1 else {
        throw OperationError(
          expected: "an output with elements whose count fits in 64 bits",
          got: "pads \(attributes.padsBefore) and \(attributes.padsAfter) of an output that is "
            + "\(size.map(String.init) ?? "too large") before padding along spatial axis \(axis)",
          advice: "give smaller pads, strides or dilations")
      }
      reached.append(rest)
    }
    let sizes = zip(reached, border).map { $0.addingReportingOverflow($1) }
    guard !sizes.contains(where: \.overflow),
      let y = Shape(checking: [x[0], channels] + sizes.map(\.partialValue))
    else {
      throw OperationError(
        expected: "an output whose element count fits in 64 bits",
        got: "\([x[0], channels] + reached) and an output padding of \(outputPadding)")
    }
    let moved = ConvAttributes(
      strides: attributes.strides, dilations: attributes.dilations,
      padsBefore: attributes.padsBefore, padsAfter: padsAfter, groups: attributes.groups)
    return Geometry(
      spread: ConvInputGradient(moved, inputShape: Shape([x[0], channels] + reached)),
      border: Pad(before: y.map { _ in 0 }, after: [0, 0] + border, value: 0), y: y)
  }

  /// The output's channels.
  private func channels(x: Shape, filter: Shape) throws(OperationError) -> Int {
    guard x.rank >= 3, filter.rank == x.rank else {
      throw OperationError(
        expected: "an input [N, C, spatial…] and a filter of the same rank",
        got: "\(x) and \(filter)")
    }
    guard x[1] == filter[0] else {
      throw OperationError(
        expected: "\(filter[0]) input channels, as the filter \(filter) has", got: "\(x[1]) of \(x)"
      )
    }
    let (channels, overflow) = filter[1].multipliedReportingOverflow(by: attributes.groups)
    guard attributes.groups >= 1, !overflow, filter[0] % attributes.groups == 0 else {
      throw OperationError(
        expected: "groups that divide the filter's \(filter[0]) input channels",
        got: "\(attributes.groups)")
    }
    return channels
  }

  /// Refuses attributes of a wrong count or sign.
  private func checkAttributes(_ spatial: [Int], kernel: [Int]) throws(OperationError) {
    let checks = [
      ("sizes", spatial, 1), ("kernel sizes", kernel, 1),
      ("strides", attributes.strides, 1), ("dilations", attributes.dilations, 1),
      ("pads before", attributes.padsBefore, 0), ("pads after", attributes.padsAfter, 0),
      ("output padding", outputPadding, 0),
    ]
    for (what, numbers, least) in checks {
      guard numbers.count == spatial.count, numbers.allSatisfy({ $0 >= least }) else {
        throw OperationError(
          expected: "\(what) of at least \(least), one for each of the spatial sizes \(spatial)",
          got: "\(numbers)")
      }
    }
  }

  /// (size - 1) · stride + (kernel - 1) · dilation + 1; nil when it overflows.
  private func size(along axis: Int, x: Int, kernel: Int) -> Int? {
    let (steps, far) = (x - 1).multipliedReportingOverflow(by: attributes.strides[axis])
    let (taps, wide) = (kernel - 1).multipliedReportingOverflow(by: attributes.dilations[axis])
    let (reach, long) = steps.addingReportingOverflow(taps)
    return far || wide || long || reach == .max ? nil : reach + 1
  }

  package func weightUse(_ place: Int, rank: Int) -> WeightUse? {
    place == 1 ? .filter(outputAxis: 1) : nil
  }
}

extension Symbol {
  /// Returns the transposed convolution with `filter` [C, O / groups, kernel…] (ONNX
  /// `ConvTranspose`).
  ///
  /// - Parameters:
  ///   - filter: The filter.
  ///   - bias: [O], added to each output channel; nothing when nil.
  ///   - attributes: How the window moves over the output.
  ///   - outputPadding: How much larger the output is after the last element of each spatial axis;
  ///     nothing when nil.
  /// - Returns: [N, O, spatial…].
  /// - Throws: ``GraphError`` when channels differ, or pads leave nothing.
  public func convTransposed(
    _ filter: Symbol, bias: Symbol? = nil, _ attributes: ConvAttributes = ConvAttributes(),
    outputPadding: [Int]? = nil
  ) throws -> Symbol {
    let operation = ConvTranspose(attributes, outputPadding: outputPadding)
    return try builder.apply(operation, [self, filter] + (bias.map { [$0] } ?? []))[0]
  }
}
