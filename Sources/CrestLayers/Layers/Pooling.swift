public import CrestGraph
import CrestTensor

/// The maximum of each window of an image (Keras `MaxPooling2D`, PyTorch `MaxPool2d`).
///
///     y[n, c, i, j] = max x[n, c, i·s + u - pad, j·s + v - pad], padding never winning
///
/// x is [N, C, H, W], y [N, C, H', W'].
public struct MaxPool: Layer {
  /// The scope.
  public let name: String?
  /// The window.
  public let window: Size2D
  /// The distance from one window to the next.
  public let stride: Size2D
  /// How far windows reach over the border.
  public let padding: Padding

  /// A pool over windows that lie side by side unless `stride` says otherwise.
  public init(
    _ window: Size2D, stride: Size2D? = nil, padding: Padding = .valid, name: String = "max_pool"
  ) {
    self.name = name
    self.window = window
    self.stride = stride ?? window
    self.padding = padding
  }

  /// The maxima.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images or the window is larger than the padded
  ///   image.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("MaxPool")
    return try x.maxPool(
      PoolAttributes(
        "MaxPool", x, window: window, stride: stride, padding: padding, countsPadding: false))
  }
}

/// The mean of each window of an image (Keras `AveragePooling2D`, PyTorch `AvgPool2d`).
///
/// x is [N, C, H, W], y [N, C, H', W'].
public struct AveragePool: Layer {
  /// The scope.
  public let name: String?
  /// The window.
  public let window: Size2D
  /// The distance from one window to the next.
  public let stride: Size2D
  /// How far windows reach over the border.
  public let padding: Padding
  /// Whether padded places count in the divisor (PyTorch's default; Keras and ONNX don't).
  public let countsPadding: Bool

  /// A pool over windows that lie side by side unless `stride` says otherwise.
  public init(
    _ window: Size2D, stride: Size2D? = nil, padding: Padding = .valid,
    countsPadding: Bool = false, name: String = "average_pool"
  ) {
    self.name = name
    self.window = window
    self.stride = stride ?? window
    self.padding = padding
    self.countsPadding = countsPadding
  }

  /// The means.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images or the window is larger than the padded
  ///   image.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("AveragePool")
    return try x.averagePool(
      PoolAttributes(
        "AveragePool", x, window: window, stride: stride, padding: padding,
        countsPadding: countsPadding))
  }
}

/// The mean of each channel (Keras `GlobalAveragePooling1D` to `3D`, ONNX `GlobalAveragePool`).
///
/// x is [N, C, spatial…], y [N, C].
public struct GlobalAveragePool: Layer {
  /// The scope.
  public let name: String?

  /// The pool.
  public init(name: String = "global_average_pool") { self.name = name }

  /// The means, without the axes they were taken over.
  ///
  /// - Throws: `GraphError` when x has no spatial axes.
  public func trace(_ x: Symbol) throws -> Symbol { try x.globalAveragePool().flattened(axis: 1) }
}

extension PoolAttributes {
  fileprivate init(
    _ operation: String, _ x: Symbol, window: Size2D, stride: Size2D, padding: Padding,
    countsPadding: Bool
  ) throws {
    let pads = try padding.resolved(for: x, operation, window: window, stride: stride)
    self.init(
      kernel: window.sizes, strides: stride.sizes, padsBefore: pads.before,
      padsAfter: pads.after, countsPadding: countsPadding)
  }
}
