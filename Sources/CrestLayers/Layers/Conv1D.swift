public import CrestGraph
import CrestTensor

/// How far a window may reach beyond the ends of a sequence.
public enum Padding1D: Sendable, Hashable {
  /// Not at all.
  case valid
  /// So far that there are ⌈size / stride⌉ windows, an odd place going to the end (Keras `same`).
  case same
  /// Only before the start, so that no window reads what follows it (Keras `causal`).
  case causal
  /// By this much on each side, neither negative (PyTorch's `padding` twice).
  case explicit(before: Int, after: Int)
}

/// A convolution of sequences with learned filters (Keras `Conv1D`, PyTorch `Conv1d`, ONNX `Conv`).
///
///     y[n, o, t] = bias[o] + Σ x[n, c, t·s + u·d - pad] · weight[o, c, u]
///
/// x is [N, C, T], channels before steps as PyTorch and ONNX have them; y is [N, channels, T'] with
/// T' = (T + pads - (kernel - 1)·d - 1) / s + 1. Parameters: `weight` [channels, C / groups, kernel] and `bias`
/// [channels].
public struct Conv1D: Layer {
  /// The scope.
  public let name: String?
  /// The number of filters.
  public let channels: Int
  /// The filters' length.
  public let kernel: Int
  /// The distance from one window to the next.
  public let stride: Int
  /// How far windows reach beyond the ends, where zeros are read.
  public let padding: Padding1D
  /// The distance from one tap of a window to the next.
  public let dilation: Int
  /// The number of groups into which channels are split; each group is convolved separately.
  public let groups: Int
  /// Whether a bias is added.
  public let hasBias: Bool
  /// How the weight starts; the bias starts at 0.
  public let initializer: Initializer

  /// A layer of `channels` filters.
  ///
  /// - Precondition: sizes are at least 1 and `groups` divides `channels`.
  public init(
    _ channels: Int, kernel: Int, stride: Int = 1, padding: Padding1D = .valid, dilation: Int = 1,
    groups: Int = 1, bias: Bool = true, initializer: Initializer = .automatic,
    name: String = "conv1d"
  ) {
    SpatialFilters.check(name, channels, groups, sizes: [kernel, stride, dilation])
    (self.channels, self.kernel, self.stride, self.padding) = (channels, kernel, stride, padding)
    (self.dilation, self.groups, hasBias) = (dilation, groups, bias)
    (self.initializer, self.name) = (initializer, name)
  }

  /// The convolution and the bias.
  ///
  /// - Throws: `GraphError` when x isn't a batch of sequences, its channels can't be split into the groups, or the
  ///   kernel is longer than the padded sequence.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireChannels(axes: 1, "Conv1D")
    let filters = SpatialFilters(
      channels: channels, groups: groups, kernel: [kernel], hasBias: hasBias,
      initializer: initializer)
    return try filters.convolved(
      x, "Conv1D", strides: [stride], dilations: [dilation]
    ) { try padding.pads(x, "Conv1D", kernel: kernel, stride: stride, dilation: dilation) }
  }
}
