public import CrestGraph
import CrestTensor

/// Channels weighted by what a small network makes of their means (Hu and others 2018; timm `SqueezeExcite`,
/// torchvision `SqueezeExcitation`).
///
///     y = x · g(expand(f(reduce(mean of each channel))))
///
/// x and y are [N, C, H, W]. f is ReLU and g the sigmoid, or SiLU and the hard sigmoid where asked. Parameters:
/// `reduce.weight` [squeezed, C, 1, 1], `expand.weight` [C, squeezed, 1, 1] and their biases.
public struct SqueezeExcitation: Layer {
  /// The scope.
  public let name: String?
  /// The number of channels between.
  public let channels: Int
  /// The activation between.
  public let activation: any Layer
  /// The activation at the end.
  public let gate: any Layer

  /// A layer that squeezes to `channels`; usual are a quarter or a sixteenth of the input's.
  ///
  /// - Precondition: `channels` is at least 1.
  public init(
    _ channels: Int, activation: any Layer = ReLU(), gate: any Layer = Sigmoid(),
    name: String = "squeeze_excitation"
  ) {
    programmerError(unless: channels >= 1, "\(name): \(channels) channels; at least 1")
    (self.channels, self.activation, self.gate, self.name) = (channels, activation, gate, name)
  }

  /// The weighted channels.
  ///
  /// - Throws: `GraphError` when x isn't a batch of images.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireImages("SqueezeExcitation")
    let means = try x.mean(axes: [2, 3], keepingDimensions: true)
    let squeezed = try activation(Conv2D(channels, kernel: 1, name: "reduce")(means))
    return try x * gate(Conv2D(x.shape[1], kernel: 1, name: "expand")(squeezed))
  }
}
