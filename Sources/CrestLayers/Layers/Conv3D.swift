public import CrestGraph
import CrestTensor

/// A convolution of volumes with learned filters (Keras `Conv3D`, PyTorch `Conv3d`, ONNX `Conv`).
///
/// x is [N, C, D, H, W], y [N, channels, D', H', W'] with sizes as of ``Conv2D``. Parameters: `weight`
/// [channels, C / groups, kernel…] and `bias` [channels].
public struct Conv3D: Layer {
  /// The scope.
  public let name: String?
  /// The number of filters.
  public let channels: Int
  /// The filters' depth, height and width.
  public let kernel: Size3D
  /// The distance from one window to the next.
  public let stride: Size3D
  /// How far windows reach beyond the border, where zeros are read.
  public let padding: Padding3D
  /// The distance from one tap of a window to the next.
  public let dilation: Size3D
  /// The number of groups into which channels are split; each group is convolved separately.
  public let groups: Int
  /// Whether a bias is added.
  public let hasBias: Bool
  /// How the weight starts; the bias starts at 0.
  public let initializer: Initializer

  /// A layer of `channels` filters.
  ///
  /// - Precondition: `channels` is a positive multiple of `groups`.
  public init(
    _ channels: Int, kernel: Size3D, stride: Size3D = 1, padding: Padding3D = .valid,
    dilation: Size3D = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .automatic, name: String = "conv3d"
  ) {
    SpatialFilters.check(name, channels, groups, sizes: kernel.sizes)
    (self.channels, self.kernel, self.stride, self.padding) = (channels, kernel, stride, padding)
    (self.dilation, self.groups, hasBias) = (dilation, groups, bias)
    (self.initializer, self.name) = (initializer, name)
  }

  /// The convolution and the bias.
  ///
  /// - Throws: `GraphError` when x isn't a batch of volumes, its channels can't be split into the groups, or the
  ///   kernel is larger than the padded volume.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireChannels(axes: 3, "Conv3D")
    let filters = SpatialFilters(
      channels: channels, groups: groups, kernel: kernel.sizes, hasBias: hasBias,
      initializer: initializer)
    return try filters.convolved(
      x, "Conv3D", strides: stride.sizes, dilations: dilation.sizes
    ) { () throws -> SpatialFilters.Pads in
      switch padding {
      case .valid: ([0, 0, 0], [0, 0, 0])
      case .all(let size): ([size, size, size], [size, size, size])
      case .same:
        try SpatialFilters.same(x, "Conv3D", kernel.sizes, stride.sizes, dilation.sizes)
      }
    }
  }
}

/// A depth, a height and a width of a window or of its stride: `3` for all, `[1, 3, 3]` for different ones.
public struct Size3D: Sendable, Hashable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// Depth, height and width.
  public let sizes: [Int]

  /// The same along all, as in `3`.
  public init(integerLiteral size: Int) { self.init([size, size, size]) }

  /// Depth, height and width, as in `[1, 3, 3]`.
  public init(arrayLiteral sizes: Int...) { self.init(sizes) }

  private init(_ sizes: [Int]) {
    programmerError(
      unless: sizes.count == 3 && sizes.allSatisfy { $0 >= 1 },
      "a size has a depth, a height and a width of at least 1, not \(sizes)")
    self.sizes = sizes
  }
}

/// How far a window may reach beyond the border of a volume.
public enum Padding3D: Sendable, Hashable {
  /// Not at all.
  case valid
  /// So far that there are ⌈size / stride⌉ windows, an odd place going to the end (Keras `same`).
  case same
  /// By this much on all sides, not negative (PyTorch's `padding`).
  case all(Int)
}
