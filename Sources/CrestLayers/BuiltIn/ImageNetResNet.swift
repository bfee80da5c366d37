public import CrestGraph
import CrestTensor

/// The residual networks for photographs of He and others (arXiv:1512.03385, table 1; torchvision's `resnet18`,
/// `resnet34` and `resnet50`).
///
/// A 7×7 convolution of stride 2 and a maximum pool of stride 2, then four stages of 64, 128, 256 and 512 channels, each
/// but the first of which halves the size; the mean of each channel; a dense layer. Images with fewer than 64 rows or columns
/// begin with a 3×3 convolution of stride 1 and no pool instead. Blocks of depth 50 are bottlenecks, with the stride
/// in their 3×3 convolution, and have four times the channels. Shortcuts that change the shape are 1×1 convolutions.
public struct ImageNetResNet: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of layers with weights.
  public let depth: Int
  /// The number of outputs.
  public let classes: Int

  /// The depths, each with its blocks for each stage, and whether they are bottlenecks.
  private static let stages: [(depth: Int, blocks: [Int], areBottlenecks: Bool)] = [
    (18, [2, 2, 2, 2], false), (34, [3, 4, 6, 3], false), (50, [3, 4, 6, 3], true),
  ]
  /// The depths there are.
  public static let depths = stages.map(\.depth)
  /// The fewest rows and columns that the first layers reduce by 4.
  static let reducedSide = 64

  /// A network of a depth, for a number of classes.
  ///
  /// - Precondition: `depth` is one of ``depths``, and there is at least 1 class.
  public init(depth: Int, classes: Int) {
    programmerError(
      unless: Self.depths.contains(depth), "a ResNet of depth \(depth); expected \(Self.depths)")
    programmerError(unless: classes >= 1, "a ResNet of \(classes) classes")
    self.depth = depth
    self.classes = classes
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    guard let stage = Self.stages.first(where: { $0.depth == depth }) else {
      programmerError("a ResNet of depth \(depth)")
    }
    let isSmall = x.shape.dimensions.dropFirst(2).contains { $0 < Self.reducedSide }
    var blocks: [Block] = []
    var inputs = 64
    for (number, count) in stage.blocks.enumerated() {
      let channels = 64 << number
      for place in 0..<count {
        let block = Block(
          inputs: inputs, channels: channels, isBottleneck: stage.areBottlenecks,
          stride: number > 0 && place == 0 ? 2 : 1, name: "\(blocks.count)")
        blocks.append(block)
        inputs = block.outputs
      }
    }
    let network = Sequential {
      if isSmall {
        Conv2D(64, kernel: 3, padding: .all(1), bias: false, name: "conv")
      } else {
        Conv2D(64, kernel: 7, stride: 2, padding: .all(3), bias: false, name: "conv")
      }
      BatchNorm(name: "norm")
      ReLU()
      if !isSmall { MaxPool(3, stride: 2, padding: .all(1)) }
      Sequential(blocks, name: "blocks")
      GlobalAveragePool(name: "mean")
      Dense(classes)
    }
    return try network(x)
  }

  /// Two or three convolutions with batch norm, added to their input, and a ReLU.
  private struct Block: Layer {
    let inputs: Int
    let channels: Int
    let isBottleneck: Bool
    let stride: Int
    let name: String?

    var outputs: Int { isBottleneck ? 4 * channels : channels }

    func trace(_ x: Symbol) throws -> Symbol {
      let block = Sequential {
        Residual(name: nil) {
          if isBottleneck {
            Conv2D(channels, kernel: 1, bias: false, name: "conv1")
            BatchNorm(name: "norm1")
            ReLU(name: "relu1")
            Conv2D(
              channels, kernel: 3, stride: Size2D(stride), padding: .all(1), bias: false,
              name: "conv2")
            BatchNorm(name: "norm2")
            ReLU(name: "relu2")
            Conv2D(outputs, kernel: 1, bias: false, name: "conv3")
            BatchNorm(name: "norm3")
          } else {
            Conv2D(
              channels, kernel: 3, stride: Size2D(stride), padding: .all(1), bias: false,
              name: "conv1")
            BatchNorm(name: "norm1")
            ReLU(name: "relu1")
            Conv2D(channels, kernel: 3, padding: .all(1), bias: false, name: "conv2")
            BatchNorm(name: "norm2")
          }
        } shortcut: {
          if stride != 1 || inputs != outputs {
            Conv2D(
              outputs, kernel: 1, stride: Size2D(stride), bias: false, name: "conv")
            BatchNorm(name: "norm")
          }
        }
        ReLU(name: "relu")
      }
      return try block(x)
    }
  }
}
