public import CrestGraph
import CrestTensor

/// A convolution of images with learned filters (Keras `Conv2D`, PyTorch `Conv2d`, ONNX `Conv`).
///
///     y[n, o, i, j] = bias[o] + Σ x[n, c, i·s + u·d - pad, j·s + v·d - pad] · weight[o, c, u, v]
///
/// x is [N, C, H, W], y [N, channels, H', W'] with H' = (H + pads - (kernel - 1)·d - 1) / s + 1.
/// Parameters: `weight` [channels, C / groups, kernel height, kernel width] and `bias` [channels].
public struct Conv2D: Layer {
  /// The scope.
  public let name: String?
  /// The number of filters.
  public let channels: Int
  /// The filters' height and width.
  public let kernel: Size2D
  /// The distance from one window to the next.
  public let stride: Size2D
  /// How far windows reach beyond the border, where zeros are read.
  public let padding: Padding
  /// The distance from one tap of a window to the next.
  public let dilation: Size2D
  /// The number of groups into which channels are split; each group is convolved separately.
  public let groups: Int
  /// Whether a bias is added; a batch norm directly after it makes it redundant.
  public let hasBias: Bool
  /// How the weight starts; the bias starts at 0.
  public let initializer: Initializer

  /// A layer of `channels` filters.
  ///
  /// - Precondition: `channels` is a positive multiple of `groups`.
  public init(
    _ channels: Int, kernel: Size2D, stride: Size2D = 1, padding: Padding = .valid,
    dilation: Size2D = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .automatic, name: String = "conv2d"
  ) {
    programmerError(
      unless: channels >= 1 && groups >= 1 && channels % groups == 0,
      "\(name): \(channels) channels in \(groups) groups; groups must divide the channels")
    self.name = name
    self.channels = channels
    self.kernel = kernel
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
    self.groups = groups
    hasBias = bias
    self.initializer = initializer
  }

  /// The convolution and the bias.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images, its channels can't be split into the
  ///   groups, the kernel is larger than the padded image, or sizes are too large to count.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("Conv2D")
    guard x.shape[1] % groups == 0 else {
      throw GraphError(
        path: x.builder.path, operation: "Conv2D",
        expected: "input channels that \(groups) groups divide", got: "\(x.shape[1])")
    }
    let weight = try x.parameter(
      "weight", sizes: [channels, x.shape[1] / groups, kernel.height, kernel.width],
      role: .weight, initializer)
    let bias = try hasBias ? x.parameter("bias", [channels], role: .bias, .zeros) : nil
    let pads = try padding.resolved(
      for: x, "Conv2D", window: kernel, stride: stride, dilation: dilation)
    return try x.conv(
      weight, bias: bias,
      ConvAttributes(
        strides: stride.sizes, dilations: dilation.sizes, padsBefore: pads.before,
        padsAfter: pads.after, groups: groups))
  }
}
