public import CrestGraph
import CrestTensor

/// A small convolutional network for small images of any size.
///
/// Convolutions of 3×3 with batch norm and ReLU: to 32 channels, to 64, a residual pair of 64 (as
/// in Page's ResNet-9), a 2×2 max pool, to 128; the mean of each channel; a dense layer of
/// `classes` logits. The pool covers a leftover row or column, so even an image of a single pixel
/// fits.
public struct SmallCNN: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int

  /// A network for a number of classes.
  ///
  /// - Precondition: there is at least 1 class.
  public init(classes: Int) {
    programmerError(unless: classes >= 1, "a SmallCNN of \(classes) classes")
    self.classes = classes
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    let network = Sequential {
      Self.convolution(32, number: 1)
      Self.convolution(64, number: 2)
      Residual(name: nil) {
        Self.convolution(64, number: 3)
        Self.convolution(64, number: 4)
      }
      MaxPool(2, padding: .same, name: "pool")
      Self.convolution(128, number: 5)
      GlobalAveragePool(name: "mean")
      Dense(classes)
    }
    return try network(x)
  }

  private static func convolution(_ channels: Int, number: Int) -> Sequential {
    Sequential {
      Conv2D(channels, kernel: 3, padding: .same, bias: false, name: "conv\(number)")
      BatchNorm(name: "norm\(number)")
      ReLU(name: "relu\(number)")
    }
  }
}
