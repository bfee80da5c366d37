public import CrestGraph
import CrestTensor

/// MobileNetV3-small (Howard and others, arXiv:1905.02244, table 2; torchvision `mobilenet_v3_small`).
///
/// A 3×3 convolution, eleven inverted residuals, a 1×1 convolution to 576 channels, the mean of each, dense layers of
/// 1024 and of the classes. Images with fewer than 64 rows or columns aren't reduced by the first convolution and
/// block.
public struct MobileNetV3Small: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int

  /// Table 2: the kernel, expanded channels, outputs, squeeze and excitation, hard swish, stride.
  private static let blocks: [(Int, Int, Int, Bool, Bool, Int)] = [
    (3, 16, 16, true, false, 2), (3, 72, 24, false, false, 2), (3, 88, 24, false, false, 1),
    (5, 96, 40, true, true, 2), (5, 240, 40, true, true, 1), (5, 240, 40, true, true, 1),
    (5, 120, 48, true, true, 1), (5, 144, 48, true, true, 1), (5, 288, 96, true, true, 2),
    (5, 576, 96, true, true, 1), (5, 576, 96, true, true, 1),
  ]

  /// A network for a number of classes.
  ///
  /// - Precondition: there is at least 1 class.
  public init(classes: Int) {
    programmerError(unless: classes >= 1, "a MobileNetV3Small of \(classes) classes")
    self.classes = classes
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("MobileNetV3Small")
    let isSmall = InvertedResidual.isSmall(x)
    let blocks = Self.blocks.enumerated().map { place, row in
      InvertedResidual(
        name: "\(place)", kernel: row.0, stride: isSmall && place == 0 ? 1 : row.5,
        expanded: row.1, outputs: row.2,
        squeezed: row.3 ? InvertedResidual.rounded(row.1 / 4) : nil,
        activation: row.4 ? HardSwish() : ReLU(), excitation: (ReLU(), HardSigmoid()),
        dropPathRate: 0)
    }
    let network = Sequential {
      Conv2D(16, kernel: 3, stride: isSmall ? 1 : 2, padding: .all(1), bias: false, name: "conv")
      BatchNorm(epsilon: 1e-3, name: "norm")
      HardSwish()
      Sequential(blocks, name: "blocks")
      Conv2D(576, kernel: 1, bias: false, name: "head")
      BatchNorm(epsilon: 1e-3, name: "head_norm")
      HardSwish()
      GlobalAveragePool(name: "mean")
      Dense(1024, name: "hidden")
      HardSwish()
      Dropout(0.2)
      Dense(classes)
    }
    return try network(x)
  }
}
