public import CrestGraph
import CrestTensor

/// Every `stride`-th pixel, with channels of zeros around it: a shortcut without parameters.
///
///     y = pad(x[:, :, ::stride, ::stride])
///
/// Option A of He and others (arXiv:1512.03385).
///
/// x is [N, C, H, W], y [N, channels, ⌈H / stride⌉, ⌈W / stride⌉]. Half of the added channels come
/// before those of x, half after; if the number is odd, the extra one comes after.
public struct SubsampledShortcut: Layer {
  /// The scope.
  public let name: String?
  /// The channels of the output.
  public let channels: Int
  /// The distance between pixels kept.
  public let stride: Int

  /// A shortcut to images of `channels` channels.
  ///
  /// - Precondition: `stride` is at least 1.
  public init(channels: Int, stride: Int, name: String? = nil) {
    programmerError(unless: stride >= 1, "a shortcut's stride is \(stride); it must be at least 1")
    self.channels = channels
    self.stride = stride
    self.name = name
  }

  /// The pixels kept between zeros.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images or has more channels than the output.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("SubsampledShortcut")
    let added = channels - x.shape[1]
    guard added >= 0 else {
      throw GraphError(
        path: x.builder.path, operation: "SubsampledShortcut",
        expected: "at most \(channels) channels", got: "\(x.shape[1])")
    }
    let kept =
      try stride == 1
      ? x
      : x.sliced(
        starts: [0, 0], ends: [x.shape[2], x.shape[3]], axes: [2, 3], steps: [stride, stride])
    guard added > 0 else { return kept }
    return try kept.padded(before: [0, added / 2, 0, 0], after: [0, added - added / 2, 0, 0])
  }
}
