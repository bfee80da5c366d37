public import CrestGraph

/// LeNet as Caffe's MNIST example has it: LeCun's of 1998, with maxima and a ReLU.
///
/// Convolution 5×5 to 20, maximum of 2×2, convolution 5×5 to 50, maximum of 2×2, dense 500, ReLU,
/// dense `classes`. For images of 28×28; those of 16×16 are the smallest it takes. All weights start
/// as there, uniform of variance 1 / fan in (``Initializer/lecunUniform``).
public struct LeNet: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int

  /// A network for a number of classes.
  public init(classes: Int) { self.classes = classes }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x is no batch of images or they are too small.
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
