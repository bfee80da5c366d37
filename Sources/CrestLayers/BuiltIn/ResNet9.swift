public import CrestGraph
import CrestTensor

/// The nine-layer residual network of Page, *How to Train Your ResNet*, 2018, which learns CIFAR-10 in a few epochs.
///
/// Convolutions of 3×3 with batch norm and ReLU: to 64 channels; to 128, a pool of 2×2 and a residual pair; to 256 and
/// a pool; to 512, a pool and a residual pair; the maximum of each channel; a dense layer without bias, whose logits
/// are multiplied by 1/8.
public struct ResNet9: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int

  /// A network for a number of classes.
  ///
  /// - Precondition: there is at least 1 class.
  public init(classes: Int) {
    programmerError(unless: classes >= 1, "a ResNet9 of \(classes) classes")
    self.classes = classes
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images of at least 8 × 8.
  public func trace(_ x: Symbol) throws -> Symbol {
    let network = Sequential {
      Self.convolution(64, "prep")
      for (channels, isResidual) in [(128, true), (256, false), (512, true)] {
        Sequential(name: "layer\(channels)") {
          Self.convolution(channels, "conv")
          MaxPool(2, name: "pool")
          if isResidual {
            Residual {
              Self.convolution(channels, "conv1")
              Self.convolution(channels, "conv2")
            }
          }
        }
      }
      GlobalMaxPool(name: "max")
      Dense(classes, bias: false)
      Rescaling(0.125)
    }
    return try network(x)
  }

  private static func convolution(_ channels: Int, _ name: String) -> Sequential {
    Sequential(name: name) {
      Conv2D(channels, kernel: 3, padding: .all(1), bias: false, name: "conv")
      BatchNorm(name: "norm")
      ReLU()
    }
  }
}
