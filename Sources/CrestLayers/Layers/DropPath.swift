public import CrestGraph
import CrestTensor

/// Zeroes whole examples at random in training: stochastic depth, before the sum of a residual block (Huang and others
/// 2016; timm `DropPath`, torchvision `StochasticDepth` of mode row).
///
///     y = x / (1 - rate) with probability 1 - rate, else 0, one draw for each example
///
/// In inference y = x.
public struct DropPath: Layer {
  /// The scope.
  public let name: String?
  /// The fraction of examples that is zeroed.
  public let rate: Double

  /// A layer that zeroes `rate` of the examples; in a network of L blocks block l usually has rate · l / (L - 1).
  ///
  /// - Precondition: `rate` is at least 0 and below 1.
  public init(_ rate: Double, name: String = "drop_path") {
    programmerError(
      unless: rate >= 0 && rate < 1, "\(name): the rate is \(rate), not from 0 to below 1")
    (self.rate, self.name) = (rate, name)
  }

  /// The examples kept, scaled up.
  ///
  /// - Throws: `GraphError` when x has no axis.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.dropout(rate, sharedAlong: Array(x.shape.indices.dropFirst()))
  }
}

/// Zeroes whole channels at random in training (Tompson and others 2015; Keras `SpatialDropout2D`, PyTorch
/// `Dropout2d`).
///
///     y = x / (1 - rate) with probability 1 - rate, else 0, one draw for each channel of each example
///
/// x and y are [N, C, spatial…]. In inference y = x.
public struct SpatialDropout: Layer {
  /// The scope.
  public let name: String?
  /// The fraction of channels that is zeroed.
  public let rate: Double

  /// A layer that zeroes `rate` of the channels.
  ///
  /// - Precondition: `rate` is at least 0 and below 1.
  public init(_ rate: Double, name: String = "spatial_dropout") {
    programmerError(
      unless: rate >= 0 && rate < 1, "\(name): the rate is \(rate), not from 0 to below 1")
    (self.rate, self.name) = (rate, name)
  }

  /// The channels kept, scaled up.
  ///
  /// - Throws: `GraphError` when x isn't [N, C, spatial…].
  public func trace(_ x: Symbol) throws -> Symbol {
    guard x.shape.rank >= 3 else {
      throw GraphError(
        path: x.builder.path, operation: "SpatialDropout", expected: "an input [N, C, spatial…]",
        got: "\(x.shape)")
    }
    return try x.dropout(rate, sharedAlong: Array(x.shape.indices.dropFirst(2)))
  }
}
