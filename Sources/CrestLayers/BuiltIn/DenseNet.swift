public import CrestGraph
import CrestTensor

/// DenseNet-BC for CIFAR's images (Huang and others, arXiv:1608.06993).
///
/// A 3×3 convolution to 2 k channels; three blocks of n layers, each of which adds k channels to its input by batch
/// norm, ReLU, a 1×1 convolution to 4 k, batch norm, ReLU and a 3×3 convolution; between them batch norm, ReLU, a 1×1
/// convolution to half the channels and a pool of 2×2; batch norm, ReLU, the mean of each channel, a dense layer. The
/// depth is 6 n + 4.
public struct DenseNet: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of layers with weights, 6 n + 4.
  public let depth: Int
  /// The number k of channels that a layer adds.
  public let growth: Int
  /// The number of outputs.
  public let classes: Int

  /// A network of a depth and growth, for a number of classes.
  ///
  /// - Precondition: `depth` is 6 n + 4 for an n of at least 1, `growth` and `classes` are at least 1.
  public init(depth: Int = 100, growth: Int = 12, classes: Int) {
    programmerError(
      unless: depth >= 10 && (depth - 4) % 6 == 0,
      "a DenseNet of depth \(depth); it must be 6 n + 4, n ≥ 1")
    programmerError(
      unless: growth >= 1 && classes >= 1, "a DenseNet of growth \(growth) and \(classes) classes")
    (self.depth, self.growth, self.classes) = (depth, growth, classes)
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images of at least 4 × 4.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("DenseNet")
    var value = try Conv2D(
      2 * growth, kernel: 3, padding: .all(1), bias: false, name: "conv")(x)
    for block in 0..<3 {
      value = try Sequential(
        (0..<(depth - 4) / 6).map { Grown(growth: growth, name: "\($0)") }, name: "block\(block)")(
          value)
      guard block < 2 else { break }
      let channels = value.shape[1] / 2
      value = try Sequential(name: "transition\(block)") {
        BatchNorm(name: "norm")
        ReLU()
        Conv2D(channels, kernel: 1, bias: false, name: "conv")
        AveragePool(2, name: "pool")
      }(value)
    }
    let head = Sequential {
      BatchNorm(name: "norm")
      ReLU()
      GlobalAveragePool(name: "mean")
      Dense(classes)
    }
    return try head(value)
  }

  private struct Grown: Layer {
    let growth: Int
    let name: String?

    func trace(_ x: Symbol) throws -> Symbol {
      let body = Sequential {
        BatchNorm(name: "norm1")
        ReLU(name: "relu1")
        Conv2D(4 * growth, kernel: 1, bias: false, name: "conv1")
        BatchNorm(name: "norm2")
        ReLU(name: "relu2")
        Conv2D(growth, kernel: 3, padding: .all(1), bias: false, name: "conv2")
      }
      return try x.concatenated(with: [body(x)], axis: 1)
    }
  }
}
