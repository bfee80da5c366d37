public import CrestGraph
import CrestTensor

/// The mean of each of a given number of bins of an image (PyTorch `AdaptiveAvgPool2d`, Keras 3
/// `AdaptiveAveragePooling2D`).
///
/// Bin i of m along an axis of n places reaches from ⌊i·n / m⌋ to before ⌈(i + 1)·n / m⌉. x is [N, C, H, W], y
/// [N, C, height, width].
public struct AdaptiveAveragePool: Layer {
  /// The scope.
  public let name: String?
  /// The number of bins.
  public let size: Size2D

  /// A pool of so many bins along the height and width.
  public init(_ size: Size2D = 1, name: String = "adaptive_average_pool") {
    (self.size, self.name) = (size, name)
  }

  /// The means.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("AdaptiveAveragePool")
    return try x.inBins(size.sizes) { try $0.mean(axes: [$1], keepingDimensions: true) }
  }
}

/// The maximum of each of a given number of bins of an image (PyTorch `AdaptiveMaxPool2d`).
///
/// Bins are those of ``AdaptiveAveragePool``. x is [N, C, H, W], y [N, C, height, width].
public struct AdaptiveMaxPool: Layer {
  /// The scope.
  public let name: String?
  /// The number of bins.
  public let size: Size2D

  /// A pool of so many bins along the height and width.
  public init(_ size: Size2D = 1, name: String = "adaptive_max_pool") {
    (self.size, self.name) = (size, name)
  }

  /// The maxima.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("AdaptiveMaxPool")
    return try x.inBins(size.sizes) { try $0.max(axes: [$1], keepingDimensions: true) }
  }
}

/// The maxima and the means of bins, as channels one after the other (fastai `AdaptiveConcatPool2d`).
///
/// x is [N, C, H, W], y [N, 2 · C, height, width], the maxima first.
public struct AdaptiveConcatPool: Layer {
  /// The scope.
  public let name: String?
  /// The number of bins.
  public let size: Size2D

  /// A pool of so many bins along the height and width.
  public init(_ size: Size2D = 1, name: String = "adaptive_concat_pool") {
    (self.size, self.name) = (size, name)
  }

  /// Maxima and means.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    let means = try AdaptiveAveragePool(size).trace(x)
    return try AdaptiveMaxPool(size).trace(x).concatenated(with: [means], axis: 1)
  }
}

/// The maximum of each channel (Keras `GlobalMaxPooling2D`, ONNX `GlobalMaxPool`).
///
/// x is [N, C, spatial…], y [N, C].
public struct GlobalMaxPool: Layer {
  /// The scope.
  public let name: String?

  /// The pool.
  public init(name: String = "global_max_pool") { self.name = name }

  /// The maxima, without the axes they were taken over.
  ///
  /// - Throws: `GraphError` when x has no spatial axes.
  public func trace(_ x: Symbol) throws -> Symbol { try x.globalMaxPool().flattened(axis: 1) }
}

extension Symbol {
  /// An image reduced bin by bin, first along the height, then along the width.
  fileprivate func inBins(
    _ counts: [Int], _ reduced: (_ bin: Symbol, _ axis: Int) throws -> Symbol
  ) throws -> Symbol {
    guard shape.elementCount > 0 else {
      throw GraphError(
        path: builder.path, operation: "AdaptivePool", expected: "images with places to pool",
        got: "\(shape)")
    }
    var value = self
    for (axis, count) in zip([2, 3], counts) where shape[axis] != count {
      let size = shape[axis]
      let bins = try (0..<count).map { bin -> Symbol in
        let (start, end) = (bin * size / count, ((bin + 1) * size + count - 1) / count)
        let part = count == 1 ? value : try value.sliced(starts: [start], ends: [end], axes: [axis])
        return try reduced(part, axis)
      }
      value =
        count == 1
        ? bins[0] : try bins[0].concatenated(with: Array(bins.dropFirst()), axis: axis)
    }
    return value
  }
}
