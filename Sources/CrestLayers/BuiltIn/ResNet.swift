public import CrestGraph
import CrestTensor

/// The residual networks for CIFAR-10 of He and others (arXiv:1512.03385, section 4.2).
///
/// A 3×3 convolution to 16 channels, then three stages of n blocks with 16, 32 and 64 channels, the
/// first block of the second and third stage halving the size; the mean of each channel; a dense
/// layer: 6 n + 2 layers with weights. Shortcuts have no parameters (option A).
public struct ResNet: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of layers with weights, 6 n + 2.
  public let depth: Int
  /// The number of outputs.
  public let classes: Int

  /// The depths with their own names.
  public static let depths = [20, 56, 110]

  /// A network of a depth, for a number of classes.
  ///
  /// - Precondition: `depth` is 6 n + 2 for an n of at least 1, and there is at least 1 class.
  public init(depth: Int, classes: Int) {
    programmerError(
      unless: depth >= 8 && (depth - 2) % 6 == 0,
      "a ResNet of depth \(depth); it must be 6 n + 2, n ≥ 1")
    programmerError(unless: classes >= 1, "a ResNet of \(classes) classes")
    self.depth = depth
    self.classes = classes
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    let outputs = [16, 32, 64].flatMap { Array(repeating: $0, count: (depth - 2) / 6) }
    let blocks = zip([16] + outputs, outputs).enumerated().map { index, channels in
      Block(outputs: channels.1, isNarrowing: channels.0 != channels.1, name: "\(index)")
    }
    let network = Sequential {
      Conv2D(16, kernel: 3, padding: .all(1), bias: false, name: "conv")
      BatchNorm(name: "norm")
      ReLU()
      Sequential(blocks, name: "blocks")
      GlobalAveragePool(name: "mean")
      Dense(classes)
    }
    return try network(x)
  }

  /// Two convolutions with batch norm, added to their input, and a ReLU.
  private struct Block: Layer {
    let outputs: Int
    let isNarrowing: Bool
    let name: String?

    func trace(_ x: Symbol) throws -> Symbol {
      let stride = isNarrowing ? 2 : 1
      let block = Sequential {
        Residual(name: nil) {
          Conv2D(
            outputs, kernel: 3, stride: Size2D(stride), padding: .all(1), bias: false,
            name: "conv1")
          BatchNorm(name: "norm1")
          ReLU(name: "relu1")
          Conv2D(outputs, kernel: 3, padding: .all(1), bias: false, name: "conv2")
          BatchNorm(name: "norm2")
        } shortcut: {
          if isNarrowing { SubsampledShortcut(channels: outputs, stride: stride) }
        }
        ReLU(name: "relu2")
      }
      return try block(x)
    }
  }
}
