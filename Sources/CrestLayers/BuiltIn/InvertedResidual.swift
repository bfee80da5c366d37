import CrestGraph
import CrestTensor

/// A block of MobileNets and EfficientNets: channels expanded, convolved each by itself, weighted and projected
/// (Sandler and others 2018; Howard and others 2019; Tan & Le 2019).
struct InvertedResidual: Layer {
  let name: String?
  /// The filters' size.
  let kernel: Int
  /// The distance from one window to the next.
  let stride: Int
  /// The number of channels in between.
  let expanded: Int
  /// The number of channels of the output.
  let outputs: Int
  /// The channels of the squeeze and excitation; nil for none.
  let squeezed: Int?
  /// The activation after the first two convolutions.
  let activation: any Layer
  /// The activations of the squeeze and excitation.
  let excitation: (inner: any Layer, gate: any Layer)
  /// The rate at which examples lose the block.
  let dropPathRate: Double

  func trace(_ x: Symbol) throws -> Symbol {
    let body = Sequential {
      if expanded != x.shape[1] {
        Conv2D(expanded, kernel: 1, bias: false, name: "expand")
        BatchNorm(epsilon: 1e-3, name: "norm1")
        activation
      }
      DepthwiseConv2D(
        kernel: Size2D(kernel), stride: Size2D(stride), padding: .all(kernel / 2), bias: false,
        name: "depthwise")
      BatchNorm(epsilon: 1e-3, name: "norm2")
      activation
      if let squeezed {
        SqueezeExcitation(
          squeezed, activation: excitation.inner, gate: excitation.gate, name: "squeeze")
      }
      Conv2D(outputs, kernel: 1, bias: false, name: "project")
      BatchNorm(epsilon: 1e-3, name: "norm3")
    }
    let y = try body(x)
    guard stride == 1, y.shape == x.shape else { return y }
    return try x + (dropPathRate > 0 ? DropPath(dropPathRate)(y) : y)
  }

  /// The multiple of 8 nearest to a number of channels, and not below nine tenths of it.
  static func rounded(_ channels: Int) -> Int {
    let near = max(8, (channels + 4) / 8 * 8)
    return near * 10 < channels * 9 ? near + 8 : near
  }

  /// Whether images are so small that the first two reductions are left out.
  static func isSmall(_ x: Symbol) -> Bool {
    x.shape.dimensions.dropFirst(2).contains { $0 < ImageNetResNet.reducedSide }
  }
}
