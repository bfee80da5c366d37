import CCrestKernels
import CrestGraph
import CrestTensor

extension Engine {
  /// Which kernels convolutions may run on.
  public enum ConvolutionAlgorithms: String, Sendable, Hashable, Codable, CaseIterable {
    /// The fastest for each shape: Winograd's F(4 × 4, 3 × 3) and F(2 × 2, 5 × 5) too, whose rounding
    /// error is up to about 20 times that of a direct convolution.
    case fastest
    /// At most F(2 × 2, 3 × 3), at about 3 times the error of a direct convolution.
    case accurate
    /// Sums of products only, in which what is not finite stays in the outputs it belongs to.
    case direct
  }
}

/// The kernel that a convolution or one of its gradients runs on.
enum ConvolutionChoice: Hashable, CustomStringConvertible {
  /// Winograd's algorithm with tiles of 2 × 2 or 4 × 4 outputs.
  case winograd(tile: Int)
  /// A matrix product over pixels.
  case product
  /// One filter per channel.
  case depthwise
  /// Sums of products over windows of the image.
  case direct

  /// The cheapest of those that serve `p`, or the gradient of its input, and are allowed.
  init(_ p: ck_conv2d, ofInputGradient: Bool, allowed: Engine.ConvolutionAlgorithms) {
    let costs = Self.costs(p, ofInputGradient: ofInputGradient, allowed: allowed)
    // The first of equals, which is the plainer one.
    self = costs.min { $0.cost < $1.cost }?.choice ?? .direct
  }

  /// What each kernel that serves `p` costs, in products of registers, whose rate is about the same.
  ///
  /// A direct convolution multiplies once per tap, pixel and pair of channels; Winograd's makes
  /// (tile + taps - 1)² products for a tile's tile² pixels, and its transforms cost about eight
  /// products more per point and channel, in and out. Held against measurements in the benchmarks'
  /// sweep.
  static func costs(
    _ p: ck_conv2d, ofInputGradient: Bool, allowed: Engine.ConvolutionAlgorithms
  ) -> [(choice: ConvolutionChoice, cost: Double)] {
    let pixels = Double(p.batch) * Double(p.output_height) * Double(p.output_width)
    let taps = Double(p.kernel_height) * Double(p.kernel_width)
    let channels = Double(p.channels)
    let filters = registers(p.output_channels)
    if p.groups > 1 {
      let isDepthwise = p.channels == p.groups && p.output_channels == p.groups
      return [(isDepthwise ? .depthwise : .direct, pixels * taps * filters)]
    }
    if p.kernel_height == 1, p.kernel_width == 1, p.stride_height == 1, p.stride_width == 1,
      p.pad_top == 0, p.pad_left == 0, p.output_height == p.height, p.output_width == p.width
    {
      return [(.product, pixels * channels * filters)]
    }
    let direct =
      ofInputGradient
      ? Double(p.batch) * Double(withUnsafePointer(to: p, ck_conv2d_input_gradient_products))
      : pixels * taps * channels * filters
    var costs = [(choice: Self.direct, cost: direct)]
    for tile in tiles(p, allowed) {
      let q = ofInputGradient ? withUnsafePointer(to: p, ck_conv2d_input_gradient_as_conv2d) : p
      let rows = (q.output_height + tile - 1) / tile
      let columns = (q.output_width + tile - 1) / tile
      let edge = tile + q.kernel_height - 1
      let points = Double(p.batch) * Double(rows) * Double(columns) * Double(edge * edge)
      let (inputs, filters) = (registers(q.channels), registers(q.output_channels))
      let products = Double(q.channels) * filters
      costs.append((.winograd(tile: tile), points * (products + 8 * (inputs + filters))))
    }
    return costs
  }

  /// Channels that whole registers hold, whichever the instruction set: the choice is the same.
  private static func registers(_ channels: Int) -> Double {
    Double((channels + 15) / 16 * 16)
  }

  /// The tiles of Winograd's algorithm that serve a convolution; `accurate` transforms to four
  /// points at most.
  private static func tiles(_ p: ck_conv2d, _ allowed: Engine.ConvolutionAlgorithms) -> [Int] {
    let mostPoints =
      switch allowed {
      case .fastest: 6
      case .accurate: 4
      case .direct: 0
      }
    return [2, 4].filter { tile in
      tile + p.kernel_height - 1 <= mostPoints
        && withUnsafePointer(to: p) { ck_winograd_conv2d_serves($0, tile) }
    }
  }

  /// As in `winograd 4×4`.
  var description: String {
    switch self {
    case .winograd(let tile): "winograd \(tile)×\(tile)"
    case .product: "product"
    case .depthwise: "depthwise"
    case .direct: "direct"
    }
  }
}
