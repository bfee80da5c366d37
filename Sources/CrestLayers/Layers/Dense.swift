public import CrestGraph
import CrestTensor

/// A matrix product with learned weights over the last axis (Keras `Dense`, PyTorch `Linear`).
///
///     y[…, o] = Σᵢ x[…, i] · weight[o, i] + bias[o]
///
/// x is [N, …, I] and y [N, …, units]. Parameters: `weight` [units, I], as PyTorch stores it, and
/// `bias` [units]. Axes between the batch and the last become further rows of one ONNX `Gemm`.
public struct Dense: Layer {
  /// The scope.
  public let name: String?
  /// The number of outputs.
  public let units: Int
  /// Whether a bias is added.
  public let hasBias: Bool
  /// How the weight starts; the bias starts at 0.
  public let initializer: Initializer

  /// A layer of `units` outputs.
  ///
  /// - Precondition: `units` is at least 1.
  public init(
    _ units: Int, bias: Bool = true, initializer: Initializer = .automatic, name: String = "dense"
  ) {
    programmerError(unless: units >= 1, "\(name): \(units) units; there must be at least 1")
    self.name = name
    self.units = units
    hasBias = bias
    self.initializer = initializer
  }

  /// The product and the bias.
  ///
  /// - Throws: `GraphError` when x has no axis beside the batch, or the weight too many elements to count.
  public func trace(_ x: Symbol) throws -> Symbol {
    guard x.shape.rank >= 2 else {
      throw GraphError(
        path: x.builder.path, operation: "Dense", expected: "an input [N, …, features]",
        got: "\(x.shape)")
    }
    let features = x.shape[x.shape.rank - 1]
    let weight = try x.parameter("weight", sizes: [units, features], role: .weight, initializer)
    let bias = try hasBias ? x.parameter("bias", [units], role: .bias, .zeros) : nil
    if x.shape.rank == 2 { return try x.gemm(weight, bias, transposingB: true) }
    let y = try x.reshaped(to: [-1, features]).gemm(weight, bias, transposingB: true)
    return try y.reshaped(to: [-1] + x.shape.dimensions.dropFirst().dropLast() + [units])
  }
}
