public import CrestGraph

/// max(x, 0) (ONNX `Relu`).
public struct ReLU: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "relu") { self.name = name }
  /// max(x, 0).
  public func trace(_ x: Symbol) throws -> Symbol { try x.relu() }
}

/// x · Φ(x), Φ being the normal distribution (Hendrycks & Gimpel 2016; ONNX `Gelu`, Keras and PyTorch `gelu`).
///
///     none: x/2 · (1 + erf(x/√2))
///     tanh: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))
public struct GELU: Layer {
  /// The scope.
  public let name: String?
  /// How Φ(x) is computed.
  public let approximation: Symbol.GeluApproximation

  /// The layer, exact unless told to approximate.
  public init(_ approximation: Symbol.GeluApproximation = .none, name: String = "gelu") {
    self.approximation = approximation
    self.name = name
  }

  /// x · Φ(x).
  public func trace(_ x: Symbol) throws -> Symbol { try x.gelu(approximation) }
}

/// 1 / (1 + e⁻ˣ) (ONNX `Sigmoid`).
///
/// Not needed as the last layer with `Loss.binaryCrossEntropy`, which takes logits.
public struct Sigmoid: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "sigmoid") { self.name = name }
  /// 1 / (1 + e⁻ˣ).
  public func trace(_ x: Symbol) throws -> Symbol { try x.sigmoid() }
}

/// The hyperbolic tangent (ONNX `Tanh`).
public struct Tanh: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "tanh") { self.name = name }
  /// tanh x.
  public func trace(_ x: Symbol) throws -> Symbol { try x.tanh() }
}

/// eˣ over its sum along an axis (ONNX `Softmax`, opset 13).
///
/// Not needed as the last layer with `Loss.crossEntropy`, which takes logits.
public struct Softmax: Layer {
  /// The scope.
  public let name: String?
  /// The axis that sums to 1; negative ones count from the end.
  public let axis: Int

  /// The layer.
  public init(axis: Int = -1, name: String = "softmax") {
    self.axis = axis
    self.name = name
  }

  /// eˣ / Σ eˣ.
  ///
  /// - Throws: `GraphError` when the axis is out of range.
  public func trace(_ x: Symbol) throws -> Symbol { try x.softmax(axis: axis) }
}
