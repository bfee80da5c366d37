import CrestTensor

extension Symbol {
  /// Returns every element over a power of the squares around it, across channels (ONNX `LRN`, opset
  /// 13; PyTorch `LocalResponseNorm`).
  ///
  ///     y[c] = x[c] / (k + α/size · Σ x[c']²)^β,   c - ⌊(size-1)/2⌋ ≤ c' ≤ c + ⌈(size-1)/2⌉
  ///
  /// Krizhevsky, Sutskever, Hinton: *ImageNet Classification with Deep CNNs*, 2012.
  ///
  /// - Parameters:
  ///   - size: How many channels count, of this value, [N, C, spatial…].
  ///   - alpha: α.
  ///   - beta: β.
  ///   - bias: k.
  /// - Returns: A value of this one's type.
  /// - Throws: ``GraphError`` when there are no channels or the size isn't positive.
  public func locallyNormalized(
    size: Int, alpha: Double = 1e-4, beta: Double = 0.75, bias: Double = 1
  ) throws -> Symbol {
    guard shape.rank >= 3, elementType.isFloat, size > 0, size < 1 << 24 else {
      throw GraphError(
        path: builder.path, operation: "LRN",
        expected: "a float input [N, C, spatial…] and a size in 1..<\(1 << 24)",
        got: "\(type) and size \(size)")
    }
    // The channels are a column over which a pool moves.
    let area = shape.dimensions[2...].reduce(1, *)
    let columns = try (self * self).reshaped(exactlyTo: [shape[0], 1, shape[1], area])
    let mean = try columns.averagePool(
      PoolAttributes(
        kernel: [size, 1], strides: [1, 1], padsBefore: [(size - 1) / 2, 0],
        padsAfter: [size / 2, 0],
        countsPadding: true))
    let level = try mean.reshaped(exactlyTo: shape) * alpha + bias
    return try self / level.power(scalar(beta))
  }
}
