public import CrestGraph
import CrestTensor

/// EfficientNet-B0 (Tan & Le, arXiv:1905.11946, table 1; torchvision `efficientnet_b0`).
///
/// A 3×3 convolution to 32 channels, sixteen inverted residuals with squeeze and excitation and stochastic depth, a
/// 1×1 convolution to 1280, the mean of each channel, a dense layer. Images with fewer than 64 rows or columns aren't
/// reduced by the first convolution and the second stage.
public struct EfficientNetB0: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int

  /// Table 1: the expansion, kernel, stride, outputs and blocks of each stage.
  private static let stages: [(Int, Int, Int, Int, Int)] = [
    (1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3), (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4), (6, 3, 1, 320, 1),
  ]
  /// The rate of stochastic depth of the last block, from 0 at the first.
  private static let dropPathRate = 0.2

  /// A network for a number of classes.
  ///
  /// - Precondition: there is at least 1 class.
  public init(classes: Int) {
    programmerError(unless: classes >= 1, "an EfficientNetB0 of \(classes) classes")
    self.classes = classes
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("EfficientNetB0")
    let isSmall = InvertedResidual.isSmall(x)
    let blockCount = Self.stages.reduce(0) { $0 + $1.4 }
    var blocks: [InvertedResidual] = []
    var inputs = 32
    for (number, stage) in Self.stages.enumerated() {
      for place in 0..<stage.4 {
        let isReducing = place == 0 && !(isSmall && number == 1)
        blocks.append(
          InvertedResidual(
            name: "\(blocks.count)", kernel: stage.1, stride: isReducing ? stage.2 : 1,
            expanded: inputs * stage.0, outputs: stage.3, squeezed: max(1, inputs / 4),
            activation: SiLU(), excitation: (SiLU(), Sigmoid()),
            dropPathRate: Self.dropPathRate * Double(blocks.count) / Double(blockCount)))
        inputs = stage.3
      }
    }
    let network = Sequential {
      Conv2D(32, kernel: 3, stride: isSmall ? 1 : 2, padding: .all(1), bias: false, name: "conv")
      BatchNorm(epsilon: 1e-3, name: "norm")
      SiLU()
      Sequential(blocks, name: "blocks")
      Conv2D(1280, kernel: 1, bias: false, name: "head")
      BatchNorm(epsilon: 1e-3, name: "head_norm")
      SiLU()
      GlobalAveragePool(name: "mean")
      Dropout(0.2)
      Dense(classes)
    }
    return try network(x)
  }
}
