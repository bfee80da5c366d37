public import CrestGraph
import CrestTensor

/// A vision transformer of the size that timm calls tiny (Dosovitskiy and others, arXiv:2010.11929; Touvron and others
/// 2021).
///
/// Patches as vectors of 192, learned positions, twelve pre-norm blocks of three heads, a norm, the mean of all places
/// (Beyer and others 2022) and a dense layer. Patches are 16×16, of images with fewer than 64 rows or columns 4×4.
public struct VisionTransformer: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of outputs.
  public let classes: Int
  /// The size of a vector.
  public let width: Int
  /// The number of blocks.
  public let depth: Int
  /// The number of heads.
  public let heads: Int
  /// The side of a patch; nil for 16, or 4 of small images.
  public let patch: Int?
  /// The rate of every dropout.
  public let dropoutRate: Double

  /// A network for a number of classes.
  ///
  /// - Precondition: all sizes are at least 1, `heads` divides `width`, and `dropout` is from 0 to below 1.
  public init(
    classes: Int, width: Int = 192, depth: Int = 12, heads: Int = 3, patch: Int? = nil,
    dropout: Double = 0
  ) {
    programmerError(
      unless: [classes, width, depth, heads, patch ?? 1].allSatisfy { $0 >= 1 }
        && width % heads == 0,
      "a VisionTransformer of \(classes) classes, \(depth) blocks of \(width) and \(heads) heads")
    (self.classes, self.width, self.depth, self.heads) = (classes, width, depth, heads)
    (self.patch, dropoutRate) = (patch, dropout)
  }

  /// Logits [N, classes].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images that patches cover.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("VisionTransformer")
    let side = patch ?? (InvertedResidual.isSmall(x) ? 4 : 16)
    let (rows, columns) = (x.shape[2] / side, x.shape[3] / side)
    guard rows >= 1, columns >= 1, x.shape[2] % side == 0, x.shape[3] % side == 0 else {
      throw GraphError(
        path: x.builder.path, operation: "VisionTransformer",
        expected: "images of a height and width that \(side) divides, the side of a patch",
        got: "\(x.shape)", advice: "resize the images, or give another patch")
    }
    let initializer = Initializer.truncatedNormal(standardDeviation: 0.02)
    let settings = TransformerSettings(
      heads: heads, dropout: dropoutRate, activation: .gelu, epsilon: 1e-6, initializer: initializer
    )
    let network = Sequential {
      Conv2D(
        width, kernel: Size2D(side), stride: Size2D(side), initializer: initializer, name: "patches"
      )
      Reshape([width, rows * columns])
      Permute(2, 1)
      LearnedPositions()
      Sequential(
        (0..<depth).map { TransformerEncoderBlock(settings, name: "\($0)") }, name: "blocks")
      LayerNorm(epsilon: 1e-6, name: "norm")
      Lambda("mean") { try $0.mean(axes: [1]) }
      Dense(classes, initializer: initializer)
    }
    return try network(x)
  }
}
