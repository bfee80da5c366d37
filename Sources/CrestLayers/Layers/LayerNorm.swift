public import CrestGraph
import CrestTensor

/// Normalisation of each example's last axes (Ba, Kiros & Hinton 2016; PyTorch `LayerNorm`, Keras
/// `LayerNormalization`, ONNX `LayerNormalization`).
///
///     y = (x - mean) / √(variance + ε) · weight + bias
///
/// x and y are [N, …, F…]; mean and population variance are over the last `axisCount` axes F…. Parameters: `weight`
/// [F…], from 1, and `bias` [F…], from 0. Keras' ε is 1e-3.
public struct LayerNorm: Layer {
  /// The scope.
  public let name: String?
  /// How many axes from the end are normalised over.
  public let axisCount: Int
  /// What is added to the variance before the root.
  public let epsilon: Double
  /// Whether a bias is added.
  public let hasBias: Bool

  /// A layer norm over the last axis, or several.
  ///
  /// - Precondition: `axisCount` is at least 1, `epsilon` finite and not negative.
  public init(
    axisCount: Int = 1, epsilon: Double = 1e-5, bias: Bool = true, name: String = "layer_norm"
  ) {
    programmerError(unless: axisCount >= 1, "\(name): over \(axisCount) axes")
    programmerError(
      unless: epsilon >= 0 && epsilon.isFinite, "\(name): ε is \(epsilon), not at least 0")
    (self.axisCount, self.epsilon, hasBias, self.name) = (axisCount, epsilon, bias, name)
  }

  /// Traces the normalisation.
  ///
  /// - Throws: `GraphError` when x has no such axes beside the batch.
  public func trace(_ x: Symbol) throws -> Symbol {
    let features = try x.lastSizes(axisCount, "LayerNorm")
    return try x.layerNormalized(
      scale: x.parameter("weight", features, role: .normalizationScale, .ones),
      bias: hasBias ? x.parameter("bias", features, role: .normalizationShift, .zeros) : nil,
      axis: -axisCount, epsilon: epsilon)
  }
}

/// Division by the root mean square of the last axis (Zhang & Sennrich 2019; PyTorch `RMSNorm`, Keras
/// `RMSNormalization`, ONNX `RMSNormalization`, opset 23).
///
///     y = x / √(mean(x²) + ε) · weight
///
/// x and y are [N, …, F]. Parameter: `weight` [F], from 1.
public struct RMSNorm: Layer {
  /// The scope.
  public let name: String?
  /// What is added to the mean square before the root.
  public let epsilon: Double

  /// The layer; PyTorch's ε is 2⁻²³, Keras' and most language models' 1e-6.
  ///
  /// - Precondition: `epsilon` is finite and not negative.
  public init(epsilon: Double = 1e-6, name: String = "rms_norm") {
    programmerError(
      unless: epsilon >= 0 && epsilon.isFinite, "\(name): ε is \(epsilon), not at least 0")
    (self.epsilon, self.name) = (epsilon, name)
  }

  /// Traces the normalisation.
  ///
  /// - Throws: `GraphError` when x has no axis beside the batch.
  public func trace(_ x: Symbol) throws -> Symbol {
    let features = try x.lastSizes(1, "RMSNorm")
    return try x.rmsNormalized(
      scale: x.parameter("weight", features, role: .normalizationScale, .ones), epsilon: epsilon)
  }
}

/// Normalisation of each channel of each example (Ulyanov and others 2016; PyTorch `InstanceNorm2d`, ONNX
/// `InstanceNormalization`).
///
///     y = (x - mean) / √(variance + ε) · weight + bias
///
/// x and y are [N, C, spatial…]; mean and population variance are over the spatial axes. Parameters: `weight` [C],
/// from 1, and `bias` [C], from 0; PyTorch's has none unless it is `affine`.
public struct InstanceNorm: Layer {
  /// The scope.
  public let name: String?
  /// What is added to the variance before the root.
  public let epsilon: Double
  /// Whether there are parameters.
  public let isAffine: Bool

  /// The layer.
  ///
  /// - Precondition: `epsilon` is finite and not negative.
  public init(epsilon: Double = 1e-5, affine: Bool = true, name: String = "instance_norm") {
    programmerError(
      unless: epsilon >= 0 && epsilon.isFinite, "\(name): ε is \(epsilon), not at least 0")
    (self.epsilon, isAffine, self.name) = (epsilon, affine, name)
  }

  /// Traces the normalisation.
  ///
  /// - Throws: `GraphError` when x isn't [N, C, spatial…].
  public func trace(_ x: Symbol) throws -> Symbol {
    guard x.shape.rank >= 3 else {
      throw GraphError(
        path: x.builder.path, operation: "InstanceNorm", expected: "an input [N, C, spatial…]",
        got: "\(x.shape)")
    }
    let channels = x.shape[1]
    func fixed(_ value: Float) -> Symbol {
      x.builder.constant(Tensor([Float](repeating: value, count: channels)))
    }
    return try x.instanceNormalized(
      scale: isAffine
        ? x.parameter("weight", [channels], role: .normalizationScale, .ones) : fixed(1),
      bias: isAffine
        ? x.parameter("bias", [channels], role: .normalizationShift, .zeros) : fixed(0),
      epsilon: epsilon)
  }
}

extension Symbol {
  /// The sizes of the last `count` axes, none of them the batch.
  fileprivate func lastSizes(_ count: Int, _ operation: String) throws -> Shape {
    guard shape.rank > count else {
      throw GraphError(
        path: builder.path, operation: operation,
        expected: count == 1
          ? "an input [N, …, features]" : "an input of \(count) axes beside the batch",
        got: "\(shape)")
    }
    return Shape(Array(shape.dimensions.suffix(count)))
  }
}
