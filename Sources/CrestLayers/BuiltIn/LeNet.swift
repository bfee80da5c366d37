public import CrestGraph
import CrestTensor

/// LeNet as in Caffe's MNIST example: LeCun's of 1998, with max pooling and a ReLU.
///
/// Convolution 5×5 to 20, max pool 2×2, convolution 5×5 to 50, max pool 2×2, dense 500, ReLU, dense
/// `classes`. For images of 28×28; 16×16 is the smallest size. All weights start as in Caffe,
/// uniform with variance 1 / fan in (``Initializer/lecunUniform``).
public struct LeNet: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int

  /// A network for a number of classes.
  ///
  /// - Precondition: there is at least 1 class.
  public init(classes: Int) {
    programmerError(unless: classes >= 1, "a LeNet of \(classes) classes")
    self.classes = classes
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images or they are too small.
  public func trace(_ x: Symbol) throws -> Symbol {
    let network = Sequential {
      Conv2D(20, kernel: 5, initializer: .lecunUniform, name: "conv1")
      MaxPool(2, name: "pool1")
      Conv2D(50, kernel: 5, initializer: .lecunUniform, name: "conv2")
      MaxPool(2, name: "pool2")
      Flatten()
      Dense(500, initializer: .lecunUniform, name: "dense1")
      ReLU()
      Dense(classes, initializer: .lecunUniform, name: "dense2")
    }
    return try network(x)
  }
}
