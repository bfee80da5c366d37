public import CrestGraph
import CrestTensor

/// Images made larger by a whole number (Keras `UpSampling2D`, PyTorch `Upsample`, ONNX `Resize`).
///
/// x is [N, C, H, W], y [N, C, H · scale, W · scale].
public struct Upsample: Layer {
  /// How values between elements are computed.
  public enum Mode: String, Sendable, Hashable, CaseIterable {
    /// The element itself, `scale` times (PyTorch `nearest`).
    case nearest
    /// The straight line between the centres of neighbours (PyTorch `bilinear`).
    case linear
    /// The same, first and last elements staying where they are (PyTorch `bilinear` with `align_corners`).
    case linearAlignedCorners
    /// The cubic of Keys through four neighbours, of slope -0.75 (PyTorch `bicubic`).
    case cubic
  }

  /// The scope.
  public let name: String?
  /// How much higher and wider images become.
  public let scale: Size2D
  /// How values between elements are computed.
  public let mode: Mode

  /// A layer that makes images `scale` times as large.
  public init(_ scale: Size2D = 2, mode: Mode = .nearest, name: String = "upsample") {
    (self.scale, self.mode, self.name) = (scale, mode, name)
  }

  /// The larger images.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images, or they'd have more than 2²⁰ rows or columns.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("Upsample")
    let axes = try zip([2, 3], scale.sizes).map { axis, factor in
      let (size, overflow) = x.shape[axis].multipliedReportingOverflow(by: factor)
      guard !overflow else {
        throw GraphError(
          path: x.builder.path, operation: "Upsample", expected: "sizes that can be counted",
          got: "\(x.shape) times \(factor)")
      }
      return Symbol.ResizeAttributes.Axis(axis: axis, size: size, scale: Double(factor))
    }
    let attributes: Symbol.ResizeAttributes =
      switch mode {
      case .nearest: .init(mode: .nearest(.floor), coordinates: .asymmetric)
      case .linear: .init(mode: .linear, coordinates: .halfPixel)
      case .linearAlignedCorners: .init(mode: .linear, coordinates: .alignCorners)
      case .cubic: .init(mode: .cubic(a: -0.75), coordinates: .halfPixel)
      }
    return try x.resized(axes, attributes)
  }
}

/// Channels laid out as blocks of an image (Shi and others 2016; PyTorch `PixelShuffle`, ONNX `DepthToSpace` of mode
/// CRD).
///
///     y[n, c, h·r + i, w·r + j] = x[n, c·r² + i·r + j, h, w]
///
/// x is [N, C · r², H, W], y [N, C, H · r, W · r].
public struct PixelShuffle: Layer {
  /// The scope.
  public let name: String?
  /// How much higher and wider images become.
  public let factor: Int

  /// A layer that makes images `factor` times as large.
  ///
  /// - Precondition: `factor` is at least 1.
  public init(_ factor: Int, name: String = "pixel_shuffle") {
    programmerError(unless: factor >= 1, "\(name): a factor of \(factor); at least 1")
    (self.factor, self.name) = (factor, name)
  }

  /// The larger images.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images whose channels factor² divides.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.depthToSpace(block: factor, order: .channelFirst)
  }
}

/// Zeros around images (Keras `ZeroPadding2D`, PyTorch `ZeroPad2d`, ONNX `Pad`).
///
/// x is [N, C, H, W], y [N, C, top + H + bottom, left + W + right].
public struct ZeroPad2D: Layer {
  /// The scope.
  public let name: String?
  /// The rows above.
  public let top: Int
  /// The columns to the left.
  public let left: Int
  /// The rows below.
  public let bottom: Int
  /// The columns to the right.
  public let right: Int

  /// A frame of these widths.
  ///
  /// - Precondition: none is negative.
  public init(top: Int, left: Int, bottom: Int, right: Int, name: String = "zero_pad2d") {
    programmerError(
      unless: [top, left, bottom, right].allSatisfy { $0 >= 0 },
      "\(name): \([top, left, bottom, right]) rows and columns; none may be negative")
    (self.top, self.left, self.bottom, self.right, self.name) = (top, left, bottom, right, name)
  }

  /// A frame as wide on all four sides.
  public init(_ size: Int, name: String = "zero_pad2d") {
    self.init(top: size, left: size, bottom: size, right: size, name: name)
  }

  /// The framed images.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images, or sizes can't be counted.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("ZeroPad2D")
    return try x.padded(before: [0, 0, top, left], after: [0, 0, bottom, right])
  }
}
