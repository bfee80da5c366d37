public import CrestGraph
import CrestTensor

/// A small ConvNeXt (Liu and others, arXiv:2201.03545), of the size that timm calls atto.
///
/// Patches of 4×4 as 40 channels; four stages of 2, 2, 6 and 2 blocks with 40, 80, 160 and 320 channels, between which
/// a norm and a 2×2 convolution halve the size; the mean of each channel, a norm, a dense layer. A block is a
/// depthwise 7×7 convolution, a norm of the channels, two dense layers with GELU between them, a learned scale from
/// 1e-6 and stochastic depth. Images with fewer than 64 rows or columns have patches of 2×2.
public struct ConvNeXt: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int

  /// The blocks and channels of each stage.
  private static let stages = [(2, 40), (2, 80), (6, 160), (2, 320)]
  private static let initializer = Initializer.truncatedNormal(standardDeviation: 0.02)
  /// The rate of stochastic depth of the last block, from 0 at the first.
  private static let dropPathRate = 0.1

  /// A network for a number of classes.
  ///
  /// - Precondition: there is at least 1 class.
  public init(classes: Int) {
    programmerError(unless: classes >= 1, "a ConvNeXt of \(classes) classes")
    self.classes = classes
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images of at least 16 × 16.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("ConvNeXt")
    let patch = InvertedResidual.isSmall(x) ? 2 : 4
    let blockCount = Self.stages.reduce(0) { $0 + $1.0 }
    var value = try Conv2D(
      Self.stages[0].1, kernel: Size2D(patch), stride: Size2D(patch), initializer: Self.initializer,
      name: "stem")(x)
    value = try ChannelNorm(name: "stem_norm")(value)
    var place = 0
    for (number, (count, channels)) in Self.stages.enumerated() {
      if number > 0 {
        value = try ChannelNorm(name: "norm\(number)")(value)
        value = try Conv2D(
          channels, kernel: 2, stride: 2, initializer: Self.initializer, name: "down\(number)")(
            value)
      }
      for _ in 0..<count {
        let rate = Self.dropPathRate * Double(place) / Double(blockCount - 1)
        value = try Block(initializer: Self.initializer, dropPathRate: rate, name: "block\(place)")(
          value)
        place += 1
      }
    }
    let pooled = try LayerNorm(epsilon: 1e-6, name: "norm")(GlobalAveragePool(name: "mean")(value))
    return try Dense(classes, initializer: Self.initializer)(pooled)
  }

  /// A layer norm of the channels of an image.
  private struct ChannelNorm: Layer {
    let name: String?

    func trace(_ x: Symbol) throws -> Symbol {
      try LayerNorm(epsilon: 1e-6, name: "norm").trace(x.transposed([0, 2, 3, 1]))
        .transposed([0, 3, 1, 2])
    }
  }

  private struct Block: Layer {
    let initializer: Initializer
    let dropPathRate: Double
    let name: String?

    func trace(_ x: Symbol) throws -> Symbol {
      let channels = x.shape[1]
      let mixed = try DepthwiseConv2D(
        kernel: 7, padding: .all(3), initializer: initializer, name: "depthwise")(x)
      let body = Sequential {
        LayerNorm(epsilon: 1e-6, name: "norm")
        Dense(4 * channels, initializer: initializer, name: "linear1")
        GELU()
        Dense(channels, initializer: initializer, name: "linear2")
      }
      let scale = try x.parameter(
        "scale", [channels], role: .normalizationScale, .constant(1e-6))
      let y = try (body(mixed.transposed([0, 2, 3, 1])) * scale).transposed([0, 3, 1, 2])
      return try x + (dropPathRate > 0 ? DropPath(dropPathRate)(y) : y)
    }
  }
}
