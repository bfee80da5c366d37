import CrestTensor

extension Symbol {
  /// Returns x where x > 0, else slope · x (ONNX `LeakyRelu`, opset 16).
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func leakyRelu(slope: Double = 0.01) throws -> Symbol { try bent { try $0 * slope } }

  /// Returns x where x > 0, else slope · x, the slope being learnt (ONNX `PRelu`, opset 16).
  ///
  /// - Parameter slope: What broadcasts to this value's shape.
  /// - Returns: A value of this one's type.
  /// - Throws: ``GraphError`` when the slope doesn't broadcast to this value.
  public func parametricRelu(slope: Symbol) throws -> Symbol {
    try checkBroadcasts(slope, "PRelu", "a slope")
    return try bent { try $0 * slope }
  }

  /// Returns x where x > 0, else α · (eˣ - 1) (ONNX `Elu`, opset 6).
  ///
  /// Clevert, Unterthiner, Hochreiter: *ELU*, 2015. Near 0 from below the difference has the absolute
  /// error of eˣ.
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func elu(alpha: Double = 1) throws -> Symbol { try bent { try alpha * ($0.exp() - 1) } }

  /// Returns γ · x where x > 0, else γ · α · (eˣ - 1) (ONNX `Selu`, opset 6, whose defaults these
  /// are).
  ///
  /// Klambauer, Unterthiner, Mayr, Hochreiter: *Self-Normalizing Neural Networks*, 2017.
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func selu(
    alpha: Double = 1.67326319217681884765625, gamma: Double = 1.05070102214813232421875
  ) throws -> Symbol { try elu(alpha: alpha) * gamma }

  /// Returns x where x > 0, else α · (e^(x/α) - 1) (ONNX `Celu`, opset 12).
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func celu(alpha: Double = 1) throws -> Symbol {
    try bent { try alpha * (($0 / alpha).exp() - 1) }
  }

  /// Returns x where x > α, else 0 (ONNX `ThresholdedRelu`, opset 10); NaN is not above α.
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func thresholdedRelu(alpha: Double = 1) throws -> Symbol {
    try selected(where: greaterMask(scalar(alpha)), else: scalar(0))
  }

  /// Returns α · x + β clipped to 0...1 (ONNX `HardSigmoid`, opset 6).
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func hardSigmoid(alpha: Double = 0.2, beta: Double = 0.5) throws -> Symbol {
    try (self * alpha + beta).clipped(minimum: 0, maximum: 1)
  }

  /// Returns x with a bias taken from what is beyond a threshold, on both sides, and 0 between (ONNX
  /// `Shrink`, opset 9).
  ///
  ///     y = x - bias where x > threshold, x + bias where x < -threshold, else 0
  ///
  /// - Throws: ``GraphError`` when the elements are booleans.
  public func shrunk(threshold: Double = 0.5, bias: Double = 0) throws -> Symbol {
    let low = try (self + bias).selected(where: lessMask(scalar(-threshold)), else: scalar(0))
    return try (self - bias).selected(where: greaterMask(scalar(threshold)), else: low)
  }

  /// Returns x / (1 + |x|) (ONNX `Softsign`, opset 1).
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func softsign() throws -> Symbol { try self / (1 + absolute()) }

  /// Returns x · tanh(log(1 + eˣ)) (ONNX `Mish`, opset 18).
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func mish() throws -> Symbol { try self * softplus().tanh() }

  /// This where it is above 0, else what `body` makes of the rest.
  ///
  /// `body` sees 0 in place of what is above: it can't overflow there, and its gradient stays finite.
  private func bent(_ body: (Symbol) throws -> Symbol) throws -> Symbol {
    let isPositive = try greaterMask(scalar(0))
    return try selected(
      where: isPositive, else: body(scalar(0).selected(where: isPositive, else: self)))
  }

  /// Refuses a value that doesn't broadcast to this one's type.
  func checkBroadcasts(_ other: Symbol, _ operation: String, _ what: String) throws {
    guard other.elementType == elementType, other.shape.broadcast(with: shape) == shape else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "\(what) that broadcasts to \(type)",
        got: "\(other.type)")
    }
  }
}
