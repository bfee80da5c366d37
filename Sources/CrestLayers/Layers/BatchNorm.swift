public import CrestGraph
import CrestTensor

/// Normalisation of each channel over the batch (Ioffe & Szegedy 2015; ONNX `BatchNormalization`,
/// Keras `BatchNormalization`, PyTorch `BatchNorm1d` and `BatchNorm2d`).
///
///     y = (x - mean) / √(variance + ε) · weight + bias
///
/// x and y are [N, C, …]. Training uses the batch's mean and population variance and updates the
/// running statistics, running ← running · momentum + batch · (1 - momentum); inference uses the
/// running statistics. Parameters: `weight` [C], from 1, and `bias` [C], from 0; without one of them
/// it stays 1 or 0 (in an exported file too, where whoever trains on must freeze it). Statistics:
/// `running_mean` [C], from 0, and `running_var` [C], from 1.
public struct BatchNorm: Layer {
  /// The scope.
  public let name: String?
  /// What is added to the variance before the root.
  public let epsilon: Double
  /// The fraction of the running statistics that a step keeps.
  public let momentum: Double
  /// Which variance updates the running one.
  public let convention: BatchNormConvention
  /// Whether it learns a factor.
  public let hasScale: Bool
  /// Whether it learns an offset.
  public let hasBias: Bool

  /// Creates a batch norm.
  ///
  /// - Parameters:
  ///   - epsilon: Added to the variance before the root.
  ///   - momentum: The fraction of the running statistics that a step keeps; PyTorch's `momentum`
  ///     is one minus this, Keras's default is 0.99.
  ///   - convention: Which variance updates the running one; `.torch` for PyTorch's numbers.
  ///   - scale: Whether it learns a factor (Keras `scale`).
  ///   - bias: Whether it learns an offset (Keras `center`).
  ///   - name: The scope.
  /// - Precondition: `epsilon` is finite and not negative, `momentum` lies in 0 … 1.
  public init(
    epsilon: Double = 1e-5, momentum: Double = 0.9, convention: BatchNormConvention = .onnx,
    scale: Bool = true, bias: Bool = true, name: String = "batch_norm"
  ) {
    programmerError(
      unless: epsilon >= 0 && epsilon.isFinite, "\(name): ε is \(epsilon), not at least 0")
    programmerError(
      unless: (0...1).contains(momentum), "\(name): momentum is \(momentum), not in 0 … 1")
    self.name = name
    (self.epsilon, self.momentum, self.convention) = (epsilon, momentum, convention)
    (hasScale, hasBias) = (scale, bias)
  }

  /// Traces the normalisation and the update of the running statistics.
  ///
  /// - Throws: `GraphError` when x has no channels.
  public func trace(_ x: Symbol) throws -> Symbol {
    guard x.shape.rank >= 2 else {
      throw GraphError(
        path: x.builder.path, operation: "BatchNormalization", expected: "an input [N, C, …]",
        got: "\(x.shape)")
    }
    let channels = x.shape[1]
    func fixed(_ value: Float) -> Symbol {
      x.builder.constant(Tensor([Float](repeating: value, count: channels)))
    }
    let scale =
      try hasScale
      ? x.parameter("weight", [channels], role: .normalizationScale, .ones) : fixed(1)
    let shift =
      try hasBias
      ? x.parameter("bias", [channels], role: .normalizationShift, .zeros) : fixed(0)
    let mean = try x.statistic("running_mean", [channels], .zeros)
    let variance = try x.statistic("running_var", [channels], .ones)
    let normalized = try x.batchNormalized(
      scale: scale, bias: shift, runningMean: x.builder.update(of: mean) ?? mean,
      runningVariance: x.builder.update(of: variance) ?? variance,
      epsilon: epsilon, momentum: momentum, convention: convention)
    x.builder.update(mean, to: normalized.mean)
    x.builder.update(variance, to: normalized.variance)
    return normalized.y
  }
}
