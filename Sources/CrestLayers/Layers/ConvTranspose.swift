public import CrestGraph
import CrestTensor

/// The gradient of a convolution as a layer: sequences [N, C, T] made larger by learned filters (Keras `Conv1DTranspose`, PyTorch `ConvTranspose1d`, ONNX `ConvTranspose`).
///
/// Each element of x adds `weight` times itself to a window of y; windows are `stride` apart. Sizes of y are
/// (size - 1)·stride + (kernel - 1)·dilation + 1, less what ``TransposedPadding`` cuts off. Parameters: `weight`
/// [C, channels / groups, kernel…] and `bias` [channels].
public struct ConvTranspose1D: Layer {
  /// The scope.
  public let name: String?
  /// The number of channels of the output.
  public let channels: Int
  /// The size of a window.
  public let kernel: Int
  /// The distance from one window to the next.
  public let stride: Int
  /// How much of the output is cut off.
  public let padding: TransposedPadding
  /// The distance from one tap of a window to the next.
  public let dilation: Int
  /// The number of groups into which channels are split.
  public let groups: Int
  /// Whether a bias is added.
  public let hasBias: Bool
  /// How the weight starts; the bias starts at 0.
  public let initializer: Initializer

  /// A layer of `channels` outputs, whose weight starts as PyTorch's does.
  ///
  /// - Precondition: sizes are at least 1 and `groups` divides `channels`.
  public init(
    _ channels: Int, kernel: Int, stride: Int = 1, padding: TransposedPadding = .valid,
    dilation: Int = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .torchUniform, name: String = "convtranspose1d"
  ) {
    SpatialFilters.check(
      name, channels, groups, sizes: [kernel] + [stride] + [dilation])
    (self.channels, self.kernel, self.stride, self.padding) = (channels, kernel, stride, padding)
    (self.dilation, self.groups, hasBias) = (dilation, groups, bias)
    (self.initializer, self.name) = (initializer, name)
  }

  /// The transposed convolution and the bias.
  ///
  /// - Throws: `GraphError` when x isn't a batch of sequences, its channels can't be split into the groups, or
  ///   nothing is left of the output.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireChannels(axes: 1, "ConvTranspose1D")
    return try SpatialFilters(
      channels: channels, groups: groups, kernel: [kernel], hasBias: hasBias,
      initializer: initializer
    ).transposed(
      x, "ConvTranspose1D", strides: [stride], dilations: [dilation], padding: padding)
  }
}

/// The gradient of a convolution as a layer: images [N, C, H, W] made larger by learned filters (Keras `Conv2DTranspose`, PyTorch `ConvTranspose2d`, ONNX `ConvTranspose`).
///
/// Each element of x adds `weight` times itself to a window of y; windows are `stride` apart. Sizes of y are
/// (size - 1)·stride + (kernel - 1)·dilation + 1, less what ``TransposedPadding`` cuts off. Parameters: `weight`
/// [C, channels / groups, kernel…] and `bias` [channels].
public struct ConvTranspose2D: Layer {
  /// The scope.
  public let name: String?
  /// The number of channels of the output.
  public let channels: Int
  /// The size of a window.
  public let kernel: Size2D
  /// The distance from one window to the next.
  public let stride: Size2D
  /// How much of the output is cut off.
  public let padding: TransposedPadding
  /// The distance from one tap of a window to the next.
  public let dilation: Size2D
  /// The number of groups into which channels are split.
  public let groups: Int
  /// Whether a bias is added.
  public let hasBias: Bool
  /// How the weight starts; the bias starts at 0.
  public let initializer: Initializer

  /// A layer of `channels` outputs, whose weight starts as PyTorch's does.
  ///
  /// - Precondition: sizes are at least 1 and `groups` divides `channels`.
  public init(
    _ channels: Int, kernel: Size2D, stride: Size2D = 1, padding: TransposedPadding = .valid,
    dilation: Size2D = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .torchUniform, name: String = "convtranspose2d"
  ) {
    SpatialFilters.check(
      name, channels, groups, sizes: kernel.sizes + stride.sizes + dilation.sizes)
    (self.channels, self.kernel, self.stride, self.padding) = (channels, kernel, stride, padding)
    (self.dilation, self.groups, hasBias) = (dilation, groups, bias)
    (self.initializer, self.name) = (initializer, name)
  }

  /// The transposed convolution and the bias.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images, its channels can't be split into the groups, or
  ///   nothing is left of the output.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireChannels(axes: 2, "ConvTranspose2D")
    return try SpatialFilters(
      channels: channels, groups: groups, kernel: kernel.sizes, hasBias: hasBias,
      initializer: initializer
    ).transposed(
      x, "ConvTranspose2D", strides: stride.sizes, dilations: dilation.sizes, padding: padding)
  }
}
