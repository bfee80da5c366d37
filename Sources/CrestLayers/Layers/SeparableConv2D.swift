public import CrestGraph
import CrestTensor

/// A convolution of each channel with filters of its own (Keras `DepthwiseConv2D`, PyTorch `Conv2d` with as many
/// groups as channels).
///
///     y[n, c·m + j, …] = bias[c·m + j] + Σ x[n, c, …] · weight[c·m + j, 0, …]
///
/// x is [N, C, H, W], y [N, C · m, H', W'], m being `multiplier`. Parameters: `weight` [C · m, 1, kernel…] and `bias`.
public struct DepthwiseConv2D: Layer {
  /// The scope.
  public let name: String?
  /// The filters' height and width.
  public let kernel: Size2D
  /// The distance from one window to the next.
  public let stride: Size2D
  /// How far windows reach beyond the border, where zeros are read.
  public let padding: Padding
  /// The distance from one tap of a window to the next.
  public let dilation: Size2D
  /// The number of filters of each channel.
  public let multiplier: Int
  /// Whether a bias is added.
  public let hasBias: Bool
  /// How the weight starts; the bias starts at 0.
  public let initializer: Initializer

  /// A layer of `multiplier` filters for each channel.
  ///
  /// - Precondition: `multiplier` is at least 1.
  public init(
    kernel: Size2D, stride: Size2D = 1, padding: Padding = .valid, dilation: Size2D = 1,
    multiplier: Int = 1, bias: Bool = true, initializer: Initializer = .automatic,
    name: String = "depthwise_conv2d"
  ) {
    programmerError(
      unless: multiplier >= 1, "\(name): \(multiplier) filters for each channel; at least 1")
    (self.kernel, self.stride, self.padding, self.dilation) = (kernel, stride, padding, dilation)
    (self.multiplier, hasBias, self.initializer, self.name) = (multiplier, bias, initializer, name)
  }

  /// The convolution and the bias.
  ///
  /// - Throws: `GraphError` as ``Conv2D``'s.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("DepthwiseConv2D")
    let (channels, overflow) = x.shape[1].multipliedReportingOverflow(by: multiplier)
    guard x.shape[1] >= 1, !overflow else {
      throw GraphError(
        path: x.builder.path, operation: "DepthwiseConv2D",
        expected: "channels whose \(multiplier) filters each can be counted", got: "\(x.shape)")
    }
    return try Conv2D(
      channels, kernel: kernel, stride: stride, padding: padding, dilation: dilation,
      groups: x.shape[1], bias: hasBias, initializer: initializer
    ).trace(x)
  }
}

/// A depthwise convolution, then one of 1 × 1 over its channels (Chollet 2017; Keras `SeparableConv2D`).
///
/// x is [N, C, H, W], y [N, channels, H', W']. Parameters: `depthwise.weight` [C · m, 1, kernel…], `pointwise.weight`
/// [channels, C · m, 1, 1] and `pointwise.bias` [channels].
public struct SeparableConv2D: Layer {
  /// The scope.
  public let name: String?
  /// The number of channels of the output.
  public let channels: Int
  /// The convolution of each channel.
  public let depthwise: DepthwiseConv2D
  /// Whether a bias is added.
  public let hasBias: Bool

  /// A layer of `channels` outputs.
  ///
  /// - Precondition: `channels` and `multiplier` are at least 1.
  public init(
    _ channels: Int, kernel: Size2D, stride: Size2D = 1, padding: Padding = .valid,
    dilation: Size2D = 1, multiplier: Int = 1, bias: Bool = true,
    initializer: Initializer = .automatic, name: String = "separable_conv2d"
  ) {
    programmerError(unless: channels >= 1, "\(name): \(channels) channels; at least 1")
    depthwise = DepthwiseConv2D(
      kernel: kernel, stride: stride, padding: padding, dilation: dilation, multiplier: multiplier,
      bias: false, initializer: initializer, name: "depthwise")
    (self.channels, hasBias, self.name) = (channels, bias, name)
  }

  /// Both convolutions.
  ///
  /// - Throws: `GraphError` as ``Conv2D``'s.
  public func trace(_ x: Symbol) throws -> Symbol {
    try Conv2D(
      channels, kernel: 1, bias: hasBias, initializer: depthwise.initializer, name: "pointwise")(
        depthwise(x))
  }
}
