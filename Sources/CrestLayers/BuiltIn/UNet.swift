public import CrestGraph
import CrestTensor

/// A network that gives every pixel a class (Ronneberger and others, arXiv:1505.04597), with batch norm and padding.
///
/// Pairs of 3×3 convolutions to `width`, 2, 4, … times as many channels, a pool of 2×2 between them; then back by
/// transposed convolutions of 2×2, each joined with the channels of the same size on the way down; a 1×1 convolution
/// to the classes. x is [N, C, H, W], y [N, classes, H, W]: the classes of a loss lie along axis 1.
public struct UNet: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of classes of a pixel.
  public let classes: Int
  /// The number of channels of the first convolutions.
  public let width: Int
  /// How often the size is halved.
  public let depth: Int

  /// A network for a number of classes.
  ///
  /// - Precondition: all are at least 1, and `depth` at most 16.
  public init(classes: Int, width: Int = 32, depth: Int = 3) {
    programmerError(
      unless: classes >= 1 && width >= 1 && (1...16).contains(depth),
      "a UNet of \(classes) classes, \(width) channels and depth \(depth)")
    (self.classes, self.width, self.depth) = (classes, width, depth)
  }

  /// Logits [N, classes, H, W].
  ///
  /// - Throws: `GraphError` when x isn't a batch of images whose height and width 2^depth divides.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("UNet")
    let unit = 1 << depth
    guard x.shape[2] % unit == 0, x.shape[3] % unit == 0 else {
      throw GraphError(
        path: x.builder.path, operation: "UNet",
        expected: "images of a height and width that \(unit) divides", got: "\(x.shape)",
        advice: "resize or pad the images, or give a smaller depth")
    }
    var (value, skipped) = (x, [Symbol]())
    for level in 0..<depth {
      value = try pair(width << level, "down\(level)")(value)
      skipped.append(value)
      value = try MaxPool(2, name: "pool\(level)")(value)
    }
    value = try pair(width << depth, "middle")(value)
    for level in (0..<depth).reversed() {
      value = try ConvTranspose2D(width << level, kernel: 2, stride: 2, name: "up\(level)")(value)
      value = try skipped[level].concatenated(with: [value], axis: 1)
      value = try pair(width << level, "joined\(level)")(value)
    }
    return try Conv2D(classes, kernel: 1, name: "head")(value)
  }

  private func pair(_ channels: Int, _ name: String) -> Sequential {
    Sequential(name: name) {
      for number in 1...2 {
        Conv2D(channels, kernel: 3, padding: .all(1), bias: false, name: "conv\(number)")
        BatchNorm(name: "norm\(number)")
        ReLU(name: "relu\(number)")
      }
    }
  }
}
