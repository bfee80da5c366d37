public import CrestGraph
import CrestTensor

/// The wide residual networks of Zagoruyko & Komodakis (arXiv:1605.07146), WRN-depth-width.
///
/// A 3×3 convolution to 16 channels; three groups of n blocks with 16, 32 and 64 times `width` channels, the second
/// and third of which halve the size; batch norm, ReLU, the mean of each channel, a dense layer. Blocks are
/// pre-activated: two of batch norm, ReLU and a 3×3 convolution each; shortcuts that change the shape are 1×1
/// convolutions of the first activation. The depth is 6 n + 4.
public struct WideResNet: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of layers with weights, 6 n + 4.
  public let depth: Int
  /// How many times as wide as the plain network it is.
  public let width: Int
  /// The number of outputs.
  public let classes: Int
  /// The rate of the dropout between the convolutions of a block.
  public let dropoutRate: Double

  /// The networks with their own names.
  static let named = [(depth: 16, width: 4), (depth: 28, width: 10)]

  /// A network of a depth and width, for a number of classes.
  ///
  /// - Precondition: `depth` is 6 n + 4 for an n of at least 1, `width` and `classes` are at least 1, and `dropout` is
  ///   from 0 to below 1.
  public init(depth: Int, width: Int, classes: Int, dropout: Double = 0) {
    programmerError(
      unless: depth >= 10 && (depth - 4) % 6 == 0,
      "a WideResNet of depth \(depth); it must be 6 n + 4, n ≥ 1")
    programmerError(
      unless: width >= 1 && classes >= 1, "a WideResNet of width \(width) and \(classes) classes")
    programmerError(
      unless: dropout >= 0 && dropout < 1,
      "a WideResNet's rate of dropout is \(dropout), not from 0 to below 1")
    (self.depth, self.width, self.classes, dropoutRate) = (depth, width, classes, dropout)
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    let outputs = [16, 32, 64].flatMap { Array(repeating: $0 * width, count: (depth - 4) / 6) }
    let blocks = outputs.indices.map { place in
      let inputs = place == 0 ? 16 : outputs[place - 1]
      return Block(
        inputs: inputs, outputs: outputs[place], dropoutRate: dropoutRate,
        stride: place > 0 && inputs != outputs[place] ? 2 : 1, name: "\(place)")
    }
    let network = Sequential {
      Conv2D(16, kernel: 3, padding: .all(1), bias: false, name: "conv")
      Sequential(blocks, name: "blocks")
      BatchNorm(name: "norm")
      ReLU()
      GlobalAveragePool(name: "mean")
      Dense(classes)
    }
    return try network(x)
  }

  private struct Block: Layer {
    let inputs: Int
    let outputs: Int
    let dropoutRate: Double
    let stride: Int
    let name: String?

    func trace(_ x: Symbol) throws -> Symbol {
      func convolution(_ name: String, stride: Int) -> Conv2D {
        Conv2D(
          outputs, kernel: 3, stride: Size2D(stride), padding: .all(1), bias: false, name: name)
      }
      let active = try ReLU(name: "relu1")(BatchNorm(name: "norm1")(x))
      let body = Sequential {
        convolution("conv1", stride: stride)
        BatchNorm(name: "norm2")
        ReLU(name: "relu2")
        if dropoutRate > 0 { Dropout(dropoutRate) }
        convolution("conv2", stride: 1)
      }
      let shortcut =
        inputs == outputs
        ? x
        : try Conv2D(
          outputs, kernel: 1, stride: Size2D(stride), bias: false, name: "shortcut")(active)
      return try body(active) + shortcut
    }
  }
}
