import CrestTensor

extension Symbol {
  /// Returns this normalised over the axes from `axis` on (ONNX `LayerNormalization`, opset 17).
  ///
  ///     y = (x - mean) / √(variance + ε) · scale + bias
  ///
  /// Ba, Kiros, Hinton: *Layer Normalization*, 2016. The variance is the population's. Computed in
  /// the type of x (ONNX `stash_type` asks for float32, which x is in training).
  ///
  /// - Parameters:
  ///   - scale: What broadcasts to this value's shape.
  ///   - bias: What broadcasts to this value's shape; nothing is added when nil.
  ///   - axis: The first axis normalised over; a negative one counts from the end.
  ///   - epsilon: Added to the variance before the root.
  /// - Returns: The normalised value.
  /// - Throws: ``GraphError`` when the axis is out of range or scale or bias don't broadcast.
  public func layerNormalized(
    scale: Symbol, bias: Symbol? = nil, axis: Int = -1, epsilon: Double = 1e-5
  ) throws -> Symbol {
    let axis = try resolvedAxis(axis, "LayerNormalization")
    let sizes = Shape(Array(shape.dimensions[axis...]))
    func isWhole(_ value: Symbol) -> Bool { value.type == ValueType(sizes, elementType) }
    guard isWhole(scale), bias.map(isWhole) ?? true, epsilon >= 0, epsilon.isFinite else {
      return try layerNormalizedWithMoments(
        scale: scale, bias: bias, axis: axis, epsilon: epsilon
      ).y
    }
    let nothing = builder.constant(Tensor(zeros: sizes, elementType: elementType))
    return try applying(
      LayerNormalization(axis: axis, epsilon: epsilon), scale, bias ?? nothing)
  }

  /// As ``layerNormalized(scale:bias:axis:epsilon:)``, traced of simpler operations.
  ///
  /// - Returns: The normalised value; the mean and 1 / √(variance + ε), with size 1 along the axes
  ///   normalised over.
  package func layerNormalizedWithMoments(
    scale: Symbol, bias: Symbol?, axis: Int, epsilon: Double
  ) throws -> (y: Symbol, mean: Symbol, inverseDeviation: Symbol) {
    let operation = "LayerNormalization"
    let axes = Array(try resolvedAxis(axis, operation)..<shape.rank)
    try checkBroadcasts(scale, operation, "a scale")
    if let bias { try checkBroadcasts(bias, operation, "a bias") }
    let (normalized, mean, inverse) = try normalized(over: axes, epsilon: epsilon, operation)
    let scaled = try normalized * scale
    return (try bias.map { try scaled + $0 } ?? scaled, mean, inverse)
  }

  /// Returns each channel of each example normalised over its spatial axes (ONNX
  /// `InstanceNormalization`, opset 6).
  ///
  /// Ulyanov, Vedaldi, Lempitsky: *Instance Normalization*, 2016.
  ///
  /// - Parameters:
  ///   - scale: [C], what each normalised channel of this value, [N, C, spatial…], is multiplied by.
  ///   - bias: [C], what is then added.
  ///   - epsilon: Added to the variance before the root.
  /// - Returns: A value of this one's type.
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func instanceNormalized(
    scale: Symbol, bias: Symbol, epsilon: Double = 1e-5
  ) throws -> Symbol {
    let operation = "InstanceNormalization"
    try checkChannels([scale, bias], operation)
    let (normalized, _, _) = try normalized(
      over: Array(2..<shape.rank), epsilon: epsilon, operation)
    return try normalized * scale.perChannel(of: self) + bias.perChannel(of: self)
  }

  /// Returns groups of channels of each example normalised over their channels and spatial axes
  /// (ONNX `GroupNormalization`, opset 21, whose scale and bias are by channel).
  ///
  /// Wu, He: *Group Normalization*, 2018.
  ///
  /// - Parameters:
  ///   - groups: Into how many groups the channels of this value, [N, C, spatial…], are split.
  ///   - scale: [C], what each normalised channel is multiplied by.
  ///   - bias: [C], what is then added.
  ///   - epsilon: Added to the variance before the root.
  /// - Returns: A value of this one's type.
  /// - Throws: ``GraphError`` when the groups don't divide the channels, or the shapes don't fit.
  public func groupNormalized(
    groups: Int, scale: Symbol, bias: Symbol, epsilon: Double = 1e-5
  ) throws -> Symbol {
    let operation = "GroupNormalization"
    try checkChannels([scale, bias], operation)
    guard groups >= 1, shape[1] % groups == 0, shape[1] > 0 else {
      throw GraphError(
        path: builder.path, operation: operation,
        expected: "groups that divide the \(shape[1]) channels of \(shape)", got: "\(groups)")
    }
    let size = shape.dimensions[1...].reduce(1, *) / groups
    let (normalized, _, _) = try reshaped(to: [0, groups, size]).normalized(
      over: [2], epsilon: epsilon, operation)
    let apart = try normalized.reshaped(to: [0] + shape.dimensions[1...])
    return try apart * scale.perChannel(of: self) + bias.perChannel(of: self)
  }

  /// Returns this with mean 0 and variance 1 over axes (ONNX `MeanVarianceNormalization`, opset 13).
  ///
  ///     y = (x - mean) / (√variance + 1e-9)
  ///
  /// - Throws: ``GraphError`` when an axis is out of range or named twice.
  public func meanVarianceNormalized(axes: [Int]) throws -> Symbol {
    let centred = try self - mean(axes: axes, keepingDimensions: true)
    let variance = try (centred * centred).mean(axes: axes, keepingDimensions: true)
    return try centred / (variance.squareRoot() + 1e-9)
  }

  private func checkChannels(_ affine: [Symbol], _ operation: String) throws {
    guard shape.rank >= 3 else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "an input [N, C, spatial…]",
        got: "\(shape)")
    }
    guard affine.allSatisfy({ $0.type == ValueType([shape[1]], elementType) }) else {
      throw GraphError(
        path: builder.path, operation: operation,
        expected: "a scale and a bias \(ValueType([shape[1]], elementType))",
        got: affine.map(\.type.description).joined(separator: " and "))
    }
  }

  /// (x - mean) / √(variance + ε) over axes, the mean and the inverse root.
  private func normalized(
    over axes: [Int], epsilon: Double, _ operation: String
  ) throws -> (y: Symbol, mean: Symbol, inverseDeviation: Symbol) {
    guard epsilon >= 0, epsilon.isFinite else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "a finite epsilon of at least 0",
        got: "\(epsilon)")
    }
    let mean = try mean(axes: axes, keepingDimensions: true)
    let centred = try self - mean
    let variance = try (centred * centred).mean(axes: axes, keepingDimensions: true)
    let inverse = try (variance + epsilon).squareRoot().reciprocal()
    return (try centred * inverse, mean, inverse)
  }
}
