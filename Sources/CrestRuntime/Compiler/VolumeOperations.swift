import CrestGraph
import CrestTensor

/// A window operation over three spatial axes or more, in terms of the same over one axis fewer.
///
/// A convolution of volumes is one of images, an image for each depth of the output: its channels are the input's
/// slices that the window reaches there, which a copy brings together. A pool takes the extreme or the mean over all
/// spatial axes but the first, and then over that one, seen as the height of images.
protocol VolumeOperation: WindowOperation {
  /// Traces the same on values [N, C, D, spatial…].
  func overImages(_ inputs: [Symbol]) throws -> Symbol

  /// The filters by which the input is copied for each tap but those of the last two axes; nil when it isn't.
  func copyingFilters(_ inputs: [Symbol]) -> Shape?
}

extension VolumeOperation {
  func copyingFilters(_ inputs: [Symbol]) -> Shape? { nil }

  /// Whether copies are few: a file from elsewhere may have a window as deep as it likes.
  func isTakenApart(_ inputs: [Symbol]) -> Bool {
    guard let filters = copyingFilters(inputs) else { return true }
    return filters[2..<filters.rank - 2].reduce(1, *) <= 64
  }
}

/// How a convolution's window moves along the depth, the first spatial axis.
private struct Depth {
  let kernel: Int
  let stride: Int
  let dilation: Int
  let padBefore: Int
  let padAfter: Int
  /// The shape of the convolution's input, [N, C, D, spatial…].
  let x: Shape
  /// The depth of its output.
  let outputSize: Int

  init(_ attributes: ConvAttributes, x: Shape, filter: Shape, outputSize: Int) {
    (kernel, stride, dilation) = (filter[2], attributes.strides[0], attributes.dilations[0])
    (padBefore, padAfter) = (attributes.padsBefore[0], attributes.padsAfter[0])
    (self.x, self.outputSize) = (x, outputSize)
  }

  /// The input's depth with its padding.
  private var paddedSize: Int { padBefore + x[2] + padAfter }

  /// The slices that a tap of the window meets, of the padded input.
  private func slice(tap: Int) -> Slice {
    let start = tap * dilation
    return Slice(
      starts: [start], ends: [start + (outputSize - 1) * stride + 1], axes: [2], steps: [stride])
  }

  private func padded(_ value: Symbol, sign: Int) throws -> Symbol {
    guard padBefore != 0 || padAfter != 0 else { return value }
    var (before, after) = (value.shape.map { _ in 0 }, value.shape.map { _ in 0 })
    (before[2], after[2]) = (sign * padBefore, sign * padAfter)
    return try value.padded(before: before, after: after)
  }

  /// [N · depth of the output, C · taps, spatial…]: the images that are convolved.
  func images(_ x: Symbol) throws -> Symbol {
    let input = try padded(x, sign: 1)
    let (size, spatial) = (x.shape, Array(x.shape.dropFirst(3)))
    let taps = try (0..<kernel).map { tap -> Symbol in
      let part = try x.builder.apply(slice(tap: tap), [input])[0]
      return try part.reshaped(exactlyTo: Shape([size[0], size[1], 1, outputSize] + spatial))
    }
    let all = try taps[0].concatenated(with: Array(taps.dropFirst()), axis: 2)
    let order = [0, 3, 1, 2] + Array(4..<all.shape.rank)
    return try all.transposed(order)
      .reshaped(exactlyTo: Shape([size[0] * outputSize, size[1] * kernel] + spatial))
  }

  /// The gradient of the input from that of the images.
  func gradient(ofImages images: Symbol) throws -> Symbol {
    let spatial = Array(x.dropFirst(3))
    let parted = try images.reshaped(
      exactlyTo: Shape([x[0], outputSize, x[1], kernel] + spatial))
    let paddedShape = Shape([x[0], x[1], paddedSize] + spatial)
    let parts = try (0..<kernel).map { tap -> Symbol in
      let part = try parted.sliced(starts: [tap], ends: [tap + 1], axes: [3])
        .reshaped(exactlyTo: Shape([x[0], outputSize, x[1]] + spatial))
        .transposed([0, 2, 1] + Array(3..<x.rank))
      let gradient = SliceGradient(slice(tap: tap), inputShape: paddedShape)
      return try images.builder.apply(gradient, [part])[0]
    }
    return try padded(parts.dropFirst().reduce(parts[0]) { try $0 + $1 }, sign: -1)
  }

  /// A value [N, O, depth, spatial…] as images [N · depth, O, spatial…].
  func split(_ y: Symbol) throws -> Symbol {
    let shape = y.shape
    return try y.transposed([0, 2, 1] + Array(3..<shape.rank))
      .reshaped(exactlyTo: Shape([shape[0] * shape[2], shape[1]] + shape.dropFirst(3)))
  }

  /// The way back.
  func joined(_ images: Symbol) throws -> Symbol {
    let shape = images.shape
    return try images.reshaped(exactlyTo: Shape([x[0], outputSize] + shape.dropFirst()))
      .transposed([0, 2, 1] + Array(3...shape.rank))
  }
}

extension ConvAttributes {
  /// Those along the spatial axes after the first.
  fileprivate var withoutDepth: ConvAttributes {
    ConvAttributes(
      strides: Array(strides.dropFirst()), dilations: Array(dilations.dropFirst()),
      padsBefore: Array(padsBefore.dropFirst()), padsAfter: Array(padsAfter.dropFirst()),
      groups: groups)
  }
}

extension Shape {
  /// The shape of filters [O, C, depth, spatial…] over images, whose channels are C · depth.
  fileprivate var ofImageFilter: Shape {
    Shape([self[0], self[1] * self[2]] + dimensions.dropFirst(3))
  }

  /// The shape of what an operation makes of inputs that it is known to take.
  fileprivate static func output(
    of operation: any GraphOperation, _ inputs: [Symbol]
  ) throws -> Shape { try operation.outputTypes(for: inputs.map(\.type))[0].shape }
}

extension Conv: VolumeOperation {
  func copyingFilters(_ inputs: [Symbol]) -> Shape? { inputs[1].shape }

  func overImages(_ inputs: [Symbol]) throws -> Symbol {
    let (x, filter) = (inputs[0], inputs[1])
    let depth = Depth(
      attributes, x: x.shape, filter: filter.shape,
      outputSize: try Shape.output(of: self, inputs)[2])
    let flat = try filter.reshaped(exactlyTo: filter.shape.ofImageFilter)
    let operation = Conv(attributes.withoutDepth)
    let images = try [depth.images(x), flat] + inputs.dropFirst(2)
    return try depth.joined(operation.overImagesOrAsIs(images))
  }
}

extension ConvInputGradient: VolumeOperation {
  func copyingFilters(_ inputs: [Symbol]) -> Shape? { inputs[1].shape }

  func overImages(_ inputs: [Symbol]) throws -> Symbol {
    let (dy, filter) = (inputs[0], inputs[1])
    let depth = Depth(
      attributes, x: inputShape, filter: filter.shape, outputSize: dy.shape[2])
    let flat = try filter.reshaped(exactlyTo: filter.shape.ofImageFilter)
    let images = Shape(
      [dy.shape[0] * dy.shape[2], inputShape[1] * filter.shape[2]] + inputShape.dropFirst(3))
    let operation = ConvInputGradient(attributes.withoutDepth, inputShape: images)
    return try depth.gradient(
      ofImages: operation.overImagesOrAsIs([try depth.split(dy), flat]))
  }
}

extension ConvFilterGradient: VolumeOperation {
  func copyingFilters(_ inputs: [Symbol]) -> Shape? { filterShape }

  func overImages(_ inputs: [Symbol]) throws -> Symbol {
    let (x, dy) = (inputs[0], inputs[1])
    let depth = Depth(attributes, x: x.shape, filter: filterShape, outputSize: dy.shape[2])
    let operation = ConvFilterGradient(
      attributes.withoutDepth, filterShape: filterShape.ofImageFilter)
    return try operation.overImagesOrAsIs([try depth.images(x), try depth.split(dy)])
      .reshaped(exactlyTo: filterShape)
  }
}

extension VolumeOperation {
  /// The operation over images, or over volumes that are taken apart further.
  fileprivate func overImagesOrAsIs(_ inputs: [Symbol]) throws -> Symbol {
    inputs[0].shape.rank > 4
      ? try overImages(inputs) : try inputs[0].builder.apply(self, inputs)[0]
  }
}

extension PoolAttributes {
  /// Those along some of the spatial axes.
  private func along(_ axes: Range<Int>) -> PoolAttributes {
    PoolAttributes(
      kernel: Array(kernel[axes]), strides: Array(strides[axes]),
      dilations: Array(dilations[axes]), padsBefore: Array(padsBefore[axes]),
      padsAfter: Array(padsAfter[axes]), ceilMode: ceilMode, countsPadding: countsPadding)
  }

  /// Those along the spatial axes after the first.
  fileprivate var withoutDepth: PoolAttributes { along(1..<kernel.count) }

  /// Those along the first, of images one element wide for each place along the others.
  fileprivate var alongDepth: PoolAttributes {
    let depth = along(0..<1)
    return PoolAttributes(
      kernel: depth.kernel + [1], strides: depth.strides + [1], dilations: depth.dilations + [1],
      padsBefore: depth.padsBefore + [0], padsAfter: depth.padsAfter + [0], ceilMode: ceilMode,
      countsPadding: countsPadding)
  }
}

extension Shape {
  /// [N, C · D, spatial…] of [N, C, D, spatial…].
  fileprivate var depthAsChannels: Shape {
    Shape([self[0], self[1] * self[2]] + dimensions.dropFirst(3))
  }

  /// [N, C, D, all others].
  fileprivate var depthAsHeight: Shape {
    Shape([self[0], self[1], self[2], dimensions.dropFirst(3).reduce(1, *)])
  }

  /// This with the depth of another.
  fileprivate func withDepth(of other: Shape) -> Shape {
    Shape([self[0], self[1], other[2]] + dimensions.dropFirst(3))
  }
}

extension PoolOperation where Self: VolumeOperation {
  /// The pool over all spatial axes but the first, and then over that.
  fileprivate func depthLast(_ inputs: [Symbol]) throws -> Symbol {
    let (x, y) = (inputs[0], try Shape.output(of: self, inputs))
    return try Self.acrossDepth(attributes, x, y)
      .applyingPool(Self(attributes.alongDepth)).reshaped(exactlyTo: y)
  }

  /// The pool over all spatial axes but the first, [N, C, D, all others].
  fileprivate static func acrossDepth(
    _ attributes: PoolAttributes, _ x: Symbol, _ y: Shape
  ) throws -> Symbol {
    let flat = try x.reshaped(exactlyTo: x.shape.depthAsChannels)
    return try Self(attributes.withoutDepth).overImagesOrAsIs([flat])
      .reshaped(exactlyTo: y.withDepth(of: x.shape).depthAsHeight)
  }
}

extension Symbol {
  fileprivate func applyingPool(_ operation: some GraphOperation) throws -> Symbol {
    try builder.apply(operation, [self])[0]
  }
}

extension MaxPool: VolumeOperation {
  func overImages(_ inputs: [Symbol]) throws -> Symbol { try depthLast(inputs) }
}

extension AveragePool: VolumeOperation {
  func overImages(_ inputs: [Symbol]) throws -> Symbol { try depthLast(inputs) }
}

extension MaxPoolGradient: VolumeOperation {
  /// The winner along the depth passes its gradient on to the winner across it: the first of equals in row-major
  /// order, as it is of all.
  func overImages(_ inputs: [Symbol]) throws -> Symbol {
    let (x, dy) = (inputs[0], inputs[1])
    let middle = try MaxPool.acrossDepth(attributes, x, dy.shape)
    let across = try middle.builder.apply(
      MaxPoolGradient(attributes.alongDepth),
      [middle, try dy.reshaped(exactlyTo: dy.shape.depthAsHeight)])[0]
    let flat = try x.reshaped(exactlyTo: x.shape.depthAsChannels)
    let dyFlat = try across.reshaped(
      exactlyTo: dy.shape.withDepth(of: x.shape).depthAsChannels)
    return try MaxPoolGradient(attributes.withoutDepth).overImagesOrAsIs([flat, dyFlat])
      .reshaped(exactlyTo: x.shape)
  }
}

extension AveragePoolGradient: VolumeOperation {
  func overImages(_ inputs: [Symbol]) throws -> Symbol {
    let dy = inputs[0]
    let middle = dy.shape.withDepth(of: inputShape)
    let across = try dy.builder.apply(
      AveragePoolGradient(attributes.alongDepth, inputShape: middle.depthAsHeight),
      [try dy.reshaped(exactlyTo: dy.shape.depthAsHeight)])[0]
    let operation = AveragePoolGradient(
      attributes.withoutDepth, inputShape: inputShape.depthAsChannels)
    return try operation.overImagesOrAsIs(
      [try across.reshaped(exactlyTo: middle.depthAsChannels)]
    ).reshaped(exactlyTo: inputShape)
  }
}
