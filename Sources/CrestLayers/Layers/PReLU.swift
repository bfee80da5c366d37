public import CrestGraph
import CrestTensor

/// x where x > 0, else weight · x, with one learned weight for each channel (He and others 2015; ONNX `PRelu`).
///
/// x is [N, C, …]. Parameter: `weight` [C], or [1] for one of all channels, from `initial`.
public struct PReLU: Layer {
  /// The scope.
  public let name: String?
  /// Whether every channel has a weight of its own.
  public let isByChannel: Bool
  /// What the weights start from.
  public let initial: Float

  /// The layer; PyTorch's has one weight for all channels unless told otherwise.
  ///
  /// - Precondition: `initial` is finite.
  public init(byChannel: Bool = true, initial: Float = 0.25, name: String = "prelu") {
    programmerError(unless: initial.isFinite, "\(name): weights start from \(initial)")
    (isByChannel, self.initial, self.name) = (byChannel, initial, name)
  }

  /// x where x > 0, else weight · x.
  ///
  /// - Throws: `GraphError` when x has no channels.
  public func trace(_ x: Symbol) throws -> Symbol {
    guard x.shape.rank >= 2 else {
      throw GraphError(
        path: x.builder.path, operation: "PReLU", expected: "an input [N, C, …]", got: "\(x.shape)")
    }
    let count = isByChannel ? x.shape[1] : 1
    let weight = try x.parameter("weight", [count], role: .bias, .constant(initial))
    let sizes = [count] + x.shape.dropFirst(2).map { _ in 1 }
    return try x.parametricRelu(slope: weight.reshaped(to: sizes))
  }
}
