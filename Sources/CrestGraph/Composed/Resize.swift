import CrestTensor

extension Symbol {
  /// How a value is resized (ONNX `Resize`, opset 19; PyTorch `interpolate`).
  public struct ResizeAttributes: Sendable, Hashable {
    /// How values between elements are computed.
    public enum Mode: Sendable, Hashable {
      /// One of the two neighbours.
      case nearest(Rounding)
      /// The straight line between both.
      case linear
      /// The cubic of Keys through four neighbours; `a` is its slope, ONNX's default -0.75.
      case cubic(a: Double)
    }

    /// Which neighbour is nearest; raw values are ONNX's.
    public enum Rounding: String, Sendable, Hashable, CaseIterable {
      /// The nearer, the lower of both where they are as near.
      case preferringFloor = "round_prefer_floor"
      /// The nearer, the upper of both where they are as near.
      case preferringCeiling = "round_prefer_ceil"
      /// The lower.
      case floor
      /// The upper.
      case ceiling = "ceil"
    }

    /// Where an element of the result lies in the input, s being the scale; raw values are ONNX's.
    public enum Coordinates: String, Sendable, Hashable, CaseIterable {
      /// (i + ½) / s - ½.
      case halfPixel = "half_pixel"
      /// (i + ½) / s, which TensorFlow takes for the nearest neighbour (opset 11 and 12 only).
      case halfPixelForNearest = "tf_half_pixel_for_nn"
      /// As `halfPixel`, about the centre when the size was rounded.
      case halfPixelSymmetric = "half_pixel_symmetric"
      /// As `halfPixel`, but 0 where the result has one element.
      case pytorchHalfPixel = "pytorch_half_pixel"
      /// i · (size - 1) / (s · size - 1): first and last elements stay.
      case alignCorners = "align_corners"
      /// i / s.
      case asymmetric
      /// `alignCorners` within a region of the input.
      case cropAndResize = "tf_crop_and_resize"
    }

    /// An axis that is resized.
    public struct Axis: Sendable, Hashable {
      /// Which, not negative.
      public var axis: Int
      /// The new size.
      public var size: Int
      /// The new size over the old one, before it was rounded.
      public var scale: Double
      /// The region of ``Coordinates/cropAndResize``, in parts of the axis.
      public var region: (start: Double, end: Double) {
        get { (regionStart, regionEnd) }
        set { (regionStart, regionEnd) = newValue }
      }
      private var regionStart = 0.0
      private var regionEnd = 1.0

      /// An axis whose size becomes another.
      public init(axis: Int, size: Int, scale: Double) {
        self.axis = axis
        self.size = size
        self.scale = scale
      }
    }

    /// How values between elements are computed.
    public var mode: Mode
    /// Where an element of the result lies in the input.
    public var coordinates: Coordinates
    /// Whether neighbours beyond the border count for nothing, instead of repeating it.
    public var excludesOutside = false
    /// Whether more neighbours count the smaller the result is.
    public var antialiases = false
    /// What lies outside the input in ``Coordinates/cropAndResize``.
    public var extrapolation = 0.0

    /// A mode and coordinates, ONNX's defaults unless said otherwise.
    public init(
      mode: Mode = .nearest(.preferringFloor), coordinates: Coordinates = .halfPixel
    ) {
      self.mode = mode
      self.coordinates = coordinates
    }
  }
}

extension Symbol.ResizeAttributes {
  /// Where element `place` of the result lies in an axis of `size`.
  fileprivate func position(of place: Int, _ axis: Axis, from size: Int) -> Double {
    let (i, size, scale) = (Double(place), Double(size), axis.scale)
    let wanted = scale * size
    switch coordinates {
    case .halfPixel: return (i + 0.5) / scale - 0.5
    case .halfPixelForNearest: return (i + 0.5) / scale
    case .pytorchHalfPixel: return axis.size == 1 ? 0 : (i + 0.5) / scale - 0.5
    case .halfPixelSymmetric:
      let offset = size / 2 * (1 - Double(axis.size) / wanted)
      return offset + (i + 0.5) / scale - 0.5
    case .alignCorners: return wanted == 1 ? 0 : i * (size - 1) / (wanted - 1)
    case .asymmetric: return i / scale
    case .cropAndResize:
      let (start, end) = axis.region
      let within =
        axis.size == 1
        ? (end - start) * (size - 1) / 2
        : i * (end - start) * (size - 1) / (wanted - 1)
      return within + start * (size - 1)
    }
  }

  /// The neighbours of a position by their distance from its whole part, and their weights.
  fileprivate func taps(_ rest: Double, _ scale: Double) -> [(offset: Int, weight: Double)] {
    switch mode {
    case .nearest(let rounding):
      let isUpper =
        switch rounding {
        case .preferringFloor: rest > 0.5
        case .preferringCeiling: rest >= 0.5
        case .floor: false
        case .ceiling: rest > 0
        }
      return [(isUpper ? 1 : 0, 1)]
    case .linear: return taps(rest, scale, reach: 1) { max(1 - $0, 0) }
    case .cubic(let a):
      return taps(rest, scale, reach: 2) { x in
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
      }
    }
  }

  private func taps(
    _ rest: Double, _ scale: Double, reach: Int, _ weight: (Double) -> Double
  ) -> [(offset: Int, weight: Double)] {
    let narrowing = antialiases ? min(scale, 1) : 1
    let first = Int((-Double(reach) / narrowing).rounded(.down)) + 1
    let found = (first...(1 - first)).map {
      (offset: $0, weight: weight(abs((Double($0) - rest) * narrowing)))
    }
    guard antialiases else { return found }
    let sum = found.reduce(0) { $0 + $1.weight }
    return found.map { ($0.offset, $0.weight / sum) }
  }
}

extension Symbol {
  /// Returns this resized along axes (ONNX `Resize`).
  ///
  /// Each axis separately: every element is a weighted sum of neighbours.
  ///
  /// - Parameters:
  ///   - axes: The axes, their new sizes and scales.
  ///   - attributes: How values between elements are computed.
  /// - Returns: A value of this one's element type.
  /// - Throws: ``GraphError`` when an axis is out of range, empty, or would have more than 2²⁰
  ///   elements, a scale isn't positive, integers would have to be weighted, or the neighbours are
  ///   more than a graph from elsewhere may have constants.
  public func resized(
    _ axes: [ResizeAttributes.Axis], _ attributes: ResizeAttributes
  ) throws -> Symbol {
    func refused(_ expected: String, _ got: String) -> GraphError {
      GraphError(path: builder.path, operation: "Resize", expected: expected, got: got)
    }
    for axis in axes {
      // A place and weights of every element stand in the graph, some hundred bytes each while it is built.
      let limit = 1 << 20
      guard shape.indices.contains(axis.axis), shape[axis.axis] > 0, (0...limit).contains(axis.size)
      else {
        throw refused(
          "axes of \(shape) that have elements, and sizes of at most \(limit)",
          "size \(axis.size) along axis \(axis.axis)")
      }
      // With many neighbours an element, a tiny scale would take as much memory as a huge size.
      guard axis.scale.isFinite, axis.scale >= 1e-4 else {
        throw refused("finite scales of at least 0.0001", "\(axis.scale)")
      }
      guard axis.region.start.isFinite, axis.region.end.isFinite else {
        throw refused("a finite region", "\(axis.region)")
      }
    }
    if case .nearest = attributes.mode {
    } else if !elementType.isFloat {
      throw refused("mode nearest for a value that isn't a float", "\(type)")
    }
    var result = self
    var isOutside: Symbol?
    for axis in axes {
      let size = shape[axis.axis]
      let isCropped = attributes.coordinates == .cropAndResize
      if axis.size == size, axis.scale == 1, !isCropped { continue }
      try builder.makeRoom(
        forConstant: axis.size * attributes.taps(0, axis.scale).count, .int64, "Resize")
      let positions = (0..<axis.size).map { attributes.position(of: $0, axis, from: size) }
      guard positions.allSatisfy(\.isFinite) else {
        throw refused("a region whose positions are finite", "\(axis.region)")
      }
      result = try result.resampled(axis.axis, size, axis.scale, positions, attributes)
      guard isCropped else { continue }
      var sizes = [Int](repeating: 1, count: shape.rank)
      sizes[axis.axis] = axis.size
      let outside = positions.map { !(0...Double(size - 1)).contains($0) }
      let mask = builder.constant(Tensor(outside, shape: Shape(sizes)))
      isOutside = try isOutside.map { try $0.or(mask) } ?? mask
    }
    guard let isOutside else { return result }
    return try scalar(attributes.extrapolation).selected(where: isOutside, else: result)
  }

  /// This with the elements along an axis replaced by weighted sums of those near some positions.
  private func resampled(
    _ axis: Int, _ size: Int, _ scale: Double, _ positions: [Double], _ attributes: ResizeAttributes
  ) throws -> Symbol {
    let taps = positions.map { position -> [(place: Int, weight: Double)] in
      let whole = Swift.min(Swift.max(position.rounded(.down), -1e6), Double(size) + 1e6)
      let found = attributes.taps(Swift.min(Swift.max(position - whole, 0), 1), scale).map {
        (place: Int(whole) + $0.offset, weight: $0.weight)
      }
      let inside = found.map { (0..<size).contains($0.place) }
      guard attributes.excludesOutside, inside.contains(true) else { return found }
      let sum = zip(found, inside).reduce(0) { $0 + ($1.1 ? $1.0.weight : 0) }
      return zip(found, inside).map { ($0.place, $1 ? $0.weight / sum : 0) }
    }
    var sizes = [Int](repeating: 1, count: shape.rank)
    sizes[axis] = positions.count
    let terms = try (0..<(taps.first?.count ?? 0)).map { number -> Symbol in
      let places = taps.map { Int64(Swift.min(Swift.max($0[number].place, 0), size - 1)) }
      let chosen = try gathered(builder.constant(Tensor(places)), axis: axis)
      if case .nearest = attributes.mode { return chosen }
      let weights = Tensor(
        rounding: taps.map { $0[number].weight }, to: elementType, shape: Shape(sizes))
      return try chosen * builder.constant(weights)
    }
    guard let first = terms.first else {
      return try gathered(builder.constant(Tensor([Int64]())), axis: axis)
    }
    return try terms.dropFirst().reduce(first) { try $0 + $1 }
  }
}
