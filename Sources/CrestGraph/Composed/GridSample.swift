import CrestTensor

extension Symbol {
  /// How an image is read between and beyond its elements (ONNX `GridSample`, opset 16).
  public struct GridSampleAttributes: Sendable, Hashable {
    /// How values between elements are computed.
    public enum Mode: Sendable, Hashable {
      /// The nearest element, the even one of two.
      case nearest
      /// The straight lines between four neighbours.
      case bilinear
      /// The cubics of Keys, a = -0.75, through sixteen neighbours.
      case bicubic
    }

    /// What is read beyond the border; raw values are ONNX's.
    public enum Padding: String, Sendable, Hashable, CaseIterable {
      /// Zeros.
      case zeros
      /// The elements at the border.
      case border
      /// The image mirrored at its border.
      case reflection
    }

    /// How values between elements are computed.
    public var mode: Mode
    /// What is read beyond the border.
    public var padding: Padding
    /// Whether -1 and 1 are the centres of the outermost elements, not their outer edges.
    public var alignsCorners: Bool

    /// Attributes, ONNX's defaults unless said otherwise.
    public init(mode: Mode = .bilinear, padding: Padding = .zeros, alignsCorners: Bool = false) {
      self.mode = mode
      self.padding = padding
      self.alignsCorners = alignsCorners
    }
  }
}

extension Symbol {
  /// Returns this image, [N, C, H, W], read at the positions of a grid (ONNX `GridSample`, opset 16;
  /// PyTorch `grid_sample`).
  ///
  /// Jaderberg, Simonyan, Zisserman, Kavukcuoglu: *Spatial Transformer Networks*, 2015.
  ///
  /// - Parameters:
  ///   - grid: [N, H', W', 2], x and y for each element of the result, -1 to 1 across the image.
  ///   - attributes: How it is read between and beyond elements.
  /// - Returns: [N, C, H', W'].
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func sampled(
    at grid: Symbol, _ attributes: GridSampleAttributes = GridSampleAttributes()
  ) throws -> Symbol {
    guard elementType.isFloat, shape.rank == 4, shape.elementCount > 0, grid.shape.rank == 4,
      grid.elementType == elementType, grid.shape[0] == shape[0], grid.shape[3] == 2
    else {
      throw GraphError(
        path: builder.path, operation: "GridSample",
        expected: "a float image [N, C, H, W] with elements and a grid [N, H', W', 2] of its type",
        got: "\(type) and \(grid.type)")
    }
    let (count, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
    let (rows, columns) = (grid.shape[1], grid.shape[2])
    let coordinates = try grid.split(count: 2, axis: 3).map { try $0.squeezed(axes: [3]) }
    let horizontal = try coordinates[0].gridTaps(over: width, attributes)
    let vertical = try coordinates[1].gridTaps(over: height, attributes)
    let flat = try reshaped(exactlyTo: [count, channels, height * width])
    func spread(_ value: Symbol) throws -> Symbol {
      try value.reshaped(exactlyTo: [count, 1, rows * columns])
    }
    var sum: Symbol?
    for y in vertical {
      for x in horizontal {
        let place = try (y.place * Double(width) + x.place).cast(to: .int64)
        let indices = try spread(place).expanded(to: [count, channels, rows * columns])
        var taken = try flat.gatheredElements(indices, axis: 2)
        if attributes.padding == .zeros {
          taken = try taken.selected(where: spread(y.isInside * x.isInside), else: scalar(0))
        }
        let term = try taken * spread(y.weight * x.weight)
        sum = try sum.map { try $0 + term } ?? term
      }
    }
    guard let sum else { programmerError("no neighbour is read by \(attributes.mode)") }
    return try sum.reshaped(exactlyTo: [count, channels, rows, columns])
  }
}

/// A neighbour along one axis, for each element of the result.
private struct GridTap {
  /// Its place, within the axis.
  let place: Symbol
  /// 1 where it was within the axis to begin with, else 0.
  let isInside: Symbol
  /// How much it counts.
  let weight: Symbol
}

extension Symbol {
  /// The neighbours of these positions, -1 to 1, along an axis of `size`.
  fileprivate func gridTaps(
    over size: Int, _ attributes: GridSampleAttributes
  ) throws -> [GridTap] {
    let end = Double(size - 1)
    let position =
      try attributes.alignsCorners
      ? (self + 1) * (end / 2) : ((self + 1) * Double(size) - 1) * 0.5
    let bounds = attributes.alignsCorners ? (0, end) : (-0.5, end + 0.5)
    let start = attributes.mode == .nearest ? try position.round() : position
    let reached =
      switch attributes.padding {
      case .zeros: start
      case .border: try start.clipped(minimum: 0, maximum: end)
      case .reflection: try start.reflected(bounds)
      }
    let whole = try reached.floor()
    let rest = try reached - whole
    let one = try (scalar(1)).expanded(to: shape)
    let taps: [(offset: Double, weight: Symbol)] =
      switch attributes.mode {
      case .nearest: [(0, one)]
      case .bilinear: [(0, try 1 - rest), (1, rest)]
      case .bicubic:
        [
          (-1, try (rest + 1).farCubic()), (0, try rest.nearCubic()),
          (1, try (1 - rest).nearCubic()), (2, try (2 - rest).farCubic()),
        ]
      }
    return try taps.map { offset, weight in
      let place = try whole + offset
      let inside = try place.clipped(minimum: 0, maximum: end)
      let mirrored = attributes.padding == .reflection ? try place.reflected(bounds) : place
      // A place between two bounds is a whole number but for what rounding leaves.
      return GridTap(
        place: try mirrored.round().clipped(minimum: 0, maximum: end),
        isInside: try place.equalMask(inside), weight: weight)
    }
  }

  /// Mirrored at two bounds until it lies between them.
  fileprivate func reflected(_ bounds: (Double, Double)) throws -> Symbol {
    let length = bounds.1 - bounds.0
    guard length > 0 else { return try scalar(bounds.0).expanded(to: shape) }
    let away = try (self - bounds.0).absolute().remainder(scalar(2 * length), followsDividend: true)
    return try bounds.1 - (away - length).absolute()
  }

  /// Keys's cubic of a distance of at most 1.
  fileprivate func nearCubic() throws -> Symbol { try (self * 1.25 - 2.25) * self * self + 1 }

  /// Keys's cubic of a distance of 1 to 2.
  fileprivate func farCubic() throws -> Symbol {
    try ((self * -0.75 + 3.75) * self - 6) * self + 3
  }
}
