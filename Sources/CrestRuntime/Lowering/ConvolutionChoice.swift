import CCrestKernels
import CrestGraph
import CrestTensor

/// Which kernels convolutions may run on.
public enum ConvolutionAlgorithms: String, Sendable, Hashable, Codable, CaseIterable {
  /// The fastest for each shape: Winograd's F(4 × 4, 3 × 3) too, whose rounding error is about 20
  /// times that of a direct convolution.
  case fastest
  /// At most F(2 × 2, 3 × 3), at about 3 times the error of a direct convolution.
  case accurate
  /// Sums of products only, in which what is not finite stays in the outputs it belongs to.
  case direct
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

  /// The cheapest of those that serve `p` and are allowed.
  init(_ p: ck_conv2d, allowed: ConvolutionAlgorithms) {
    let costs = Self.costs(p, allowed: allowed)
    // The first of equals, which is the plainer one.
    self = costs.min { $0.cost < $1.cost }?.choice ?? .direct
  }

  /// What each kernel that serves `p` costs, in products of registers, whose rate is about the same.
  ///
  /// A direct convolution multiplies nine times per pixel and pair of channels; Winograd's makes
  /// (tile + 2)² products for a tile's tile² pixels, and its transforms cost about eight products
  /// more per point and channel, in and out. Held against measurements in the benchmarks' sweep.
  static func costs(
    _ p: ck_conv2d, allowed: ConvolutionAlgorithms
  ) -> [(choice: ConvolutionChoice, cost: Double)] {
    let pixels = Double(p.batch) * Double(p.output_height) * Double(p.output_width)
    let taps = Double(p.kernel_height) * Double(p.kernel_width)
    let channels = Double(p.channels)
    let (inputs, filters) = (registers(p.channels), registers(p.output_channels))
    if p.groups > 1 {
      let isDepthwise = p.channels == p.groups && p.output_channels == p.groups
      return [(isDepthwise ? .depthwise : .direct, pixels * taps * filters)]
    }
    if p.kernel_height == 1, p.kernel_width == 1, p.stride_height == 1, p.stride_width == 1,
      p.pad_top == 0, p.pad_left == 0, p.output_height == p.height, p.output_width == p.width
    {
      return [(.product, pixels * channels * filters)]
    }
    var costs = [(choice: Self.direct, cost: pixels * taps * channels * filters)]
    guard withUnsafePointer(to: p, ck_winograd_conv2d_serves) else { return costs }
    for tile in tiles(allowed) {
      let rows = (p.output_height + tile - 1) / tile
      let columns = (p.output_width + tile - 1) / tile
      let points =
        Double(p.batch) * Double(rows) * Double(columns) * Double((tile + 2) * (tile + 2))
      costs.append((.winograd(tile: tile), points * (channels * filters + 8 * (inputs + filters))))
    }
    return costs
  }

  /// Channels that whole registers hold, whichever the instruction set: the choice is the same.
  private static func registers(_ channels: Int) -> Double {
    Double((channels + 15) / 16 * 16)
  }

  private static func tiles(_ allowed: ConvolutionAlgorithms) -> [Int] {
    switch allowed {
    case .fastest: [2, 4]
    case .accurate: [2]
    case .direct: []
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
