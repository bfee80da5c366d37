public import CrestGraph
import CrestTensor

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

/// x · sigmoid(x) (Ramachandran and others 2017; Keras and PyTorch `silu`, ONNX `Swish`, opset 24).
public struct SiLU: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "silu") { self.name = name }
  /// x · sigmoid(x).
  public func trace(_ x: Symbol) throws -> Symbol { try x * x.sigmoid() }
}

/// x · tanh(softplus(x)) (Misra 2019; ONNX `Mish`, opset 18).
public struct Mish: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "mish") { self.name = name }
  /// x · tanh(softplus(x)).
  public func trace(_ x: Symbol) throws -> Symbol { try x.mish() }
}

/// x · min(max(x + 3, 0), 6) / 6 (Howard and others 2019; ONNX `HardSwish`, PyTorch `Hardswish`, Keras `hard_silu`).
public struct HardSwish: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "hard_swish") { self.name = name }
  /// x · min(max(x + 3, 0), 6) / 6.
  public func trace(_ x: Symbol) throws -> Symbol { try x.hardSwish() }
}

/// min(max(x + 3, 0), 6) / 6 (PyTorch `Hardsigmoid`, Keras 3 `hard_sigmoid`; ONNX `HardSigmoid` of α = 1/6).
public struct HardSigmoid: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "hard_sigmoid") { self.name = name }
  /// min(max(x + 3, 0), 6) / 6.
  public func trace(_ x: Symbol) throws -> Symbol { try x.hardSigmoid(alpha: 1.0 / 6, beta: 0.5) }
}

/// min(max(x, 0), 6) (Krizhevsky 2010; PyTorch and Keras `ReLU6`).
public struct ReLU6: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "relu6") { self.name = name }
  /// min(max(x, 0), 6).
  public func trace(_ x: Symbol) throws -> Symbol { try x.clipped(minimum: 0, maximum: 6) }
}

/// λ · x where x > 0, else λ · α · (eˣ - 1), with λ = 1.0507 and α = 1.6733 (Klambauer and others 2017; ONNX `Selu`).
public struct SELU: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "selu") { self.name = name }
  /// The scaled exponential.
  public func trace(_ x: Symbol) throws -> Symbol { try x.selu() }
}

/// log(1 + eˣ) (ONNX `Softplus`).
public struct Softplus: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "softplus") { self.name = name }
  /// log(1 + eˣ).
  public func trace(_ x: Symbol) throws -> Symbol { try x.softplus() }
}

/// x / (1 + |x|) (ONNX `Softsign`).
public struct Softsign: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "softsign") { self.name = name }
  /// x / (1 + |x|).
  public func trace(_ x: Symbol) throws -> Symbol { try x.softsign() }
}

/// x where x > 0, else slope · x (Maas and others 2013; ONNX `LeakyRelu`).
public struct LeakyReLU: Layer {
  /// The scope.
  public let name: String?
  /// What negative values are multiplied by.
  public let slope: Double

  /// The layer; PyTorch's slope is 0.01, Keras' 0.3.
  ///
  /// - Precondition: `slope` is finite.
  public init(_ slope: Double = 0.01, name: String = "leaky_relu") {
    programmerError(unless: slope.isFinite, "\(name): the slope is \(slope)")
    (self.slope, self.name) = (slope, name)
  }

  /// x where x > 0, else slope · x.
  public func trace(_ x: Symbol) throws -> Symbol { try x.leakyRelu(slope: slope) }
}

/// x where x > 0, else α · (eˣ - 1) (Clevert and others 2015; ONNX `Elu`).
public struct ELU: Layer {
  /// The scope.
  public let name: String?
  /// What very negative values come to, with its sign turned.
  public let alpha: Double

  /// The layer.
  ///
  /// - Precondition: `alpha` is finite.
  public init(_ alpha: Double = 1, name: String = "elu") {
    programmerError(unless: alpha.isFinite, "\(name): α is \(alpha)")
    (self.alpha, self.name) = (alpha, name)
  }

  /// x where x > 0, else α · (eˣ - 1).
  public func trace(_ x: Symbol) throws -> Symbol { try x.elu(alpha: alpha) }
}
