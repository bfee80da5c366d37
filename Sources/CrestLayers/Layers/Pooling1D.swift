public import CrestGraph
import CrestTensor

/// The maximum of each window of a sequence (Keras `MaxPooling1D`, PyTorch `MaxPool1d`).
///
/// x is [N, C, T], y [N, C, T'] with T' = (T + pads - window) / stride + 1; padding never wins.
public struct MaxPool1D: Layer {
  /// The scope.
  public let name: String?
  /// The window.
  public let window: Int
  /// The distance from one window to the next.
  public let stride: Int
  /// How far windows reach over the ends.
  public let padding: Padding1D

  /// A pool over windows that lie side by side unless `stride` says otherwise.
  ///
  /// - Precondition: `window` and `stride` are at least 1.
  public init(
    _ window: Int, stride: Int? = nil, padding: Padding1D = .valid, name: String = "max_pool1d"
  ) {
    SpatialFilters.check(name, 1, 1, sizes: [window, stride ?? window])
    (self.window, self.stride, self.padding) = (window, stride ?? window, padding)
    self.name = name
  }

  /// The maxima.
  ///
  /// - Throws: `GraphError` when x isn't a batch of sequences or the window is longer than the padded sequence.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireChannels(axes: 1, "MaxPool1D")
    let pads = try padding.pads(x, "MaxPool1D", kernel: window, stride: stride)
    return try x.maxPool(
      PoolAttributes(
        kernel: [window], strides: [stride], padsBefore: pads.before, padsAfter: pads.after,
        countsPadding: false))
  }
}

/// The mean of each window of a sequence (Keras `AveragePooling1D`, PyTorch `AvgPool1d`).
///
/// x is [N, C, T], y [N, C, T'].
public struct AveragePool1D: Layer {
  /// The scope.
  public let name: String?
  /// The window.
  public let window: Int
  /// The distance from one window to the next.
  public let stride: Int
  /// How far windows reach over the ends.
  public let padding: Padding1D
  /// Whether padded places count in the divisor (PyTorch's default; Keras and ONNX don't).
  public let countsPadding: Bool

  /// A pool over windows that lie side by side unless `stride` says otherwise.
  ///
  /// - Precondition: `window` and `stride` are at least 1.
  public init(
    _ window: Int, stride: Int? = nil, padding: Padding1D = .valid, countsPadding: Bool = false,
    name: String = "average_pool1d"
  ) {
    SpatialFilters.check(name, 1, 1, sizes: [window, stride ?? window])
    (self.window, self.stride, self.padding) = (window, stride ?? window, padding)
    (self.countsPadding, self.name) = (countsPadding, name)
  }

  /// The means.
  ///
  /// - Throws: `GraphError` when x isn't a batch of sequences or the window is longer than the padded sequence.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireChannels(axes: 1, "AveragePool1D")
    let pads = try padding.pads(x, "AveragePool1D", kernel: window, stride: stride)
    return try x.averagePool(
      PoolAttributes(
        kernel: [window], strides: [stride], padsBefore: pads.before, padsAfter: pads.after,
        countsPadding: countsPadding))
  }
}

extension Padding1D {
  /// The places added before and after a sequence.
  func pads(
    _ x: Symbol, _ operation: String, kernel: Int, stride: Int, dilation: Int = 1
  ) throws -> SpatialFilters.Pads {
    switch self {
    case .valid: ([0], [0])
    case .explicit(let before, let after): ([before], [after])
    case .causal: ([(kernel - 1) * dilation], [0])
    case .same: try SpatialFilters.same(x, operation, [kernel], [stride], [dilation])
    }
  }
}
