public import CrestGraph

/// Layers one after the other (Keras and PyTorch `Sequential`).
///
///     y = layerₙ(… layer₂(layer₁(x)))
///
/// Without a name it opens no scope, so a model's layers are called `conv2d` and `dense`, not
/// `sequential.conv2d`.
public struct Sequential: Layer {
  /// The scope; nil for none.
  public let name: String?
  /// The layers in the order they are applied.
  public let layers: [any Layer]

  /// A chain of `layers`, which may be empty: then y = x.
  public init(_ layers: [any Layer], name: String? = nil) {
    self.layers = layers
    self.name = name
  }

  /// A chain of the layers written in the braces, with `if` and `for` as in any result builder.
  public init(name: String? = nil, @Builder _ layers: () -> Sequential) {
    self.init(layers().layers, name: name)
  }

  /// Applies each layer to the result of the one before.
  public func trace(_ x: Symbol) throws -> Symbol {
    try layers.reduce(x) { value, layer in try layer(value) }
  }
}

extension Sequential {
  /// Makes a ``Sequential`` of the layers written one below the other.
  @resultBuilder
  public enum Builder {
    /// A layer.
    public static func buildExpression(_ layer: some Layer) -> [any Layer] { [layer] }
    /// Layers that were made elsewhere.
    public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
    /// Lines one below the other.
    public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap(\.self) }
    /// `if` without `else`.
    public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
    /// The first branch of `if … else` or `switch`.
    public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
    /// The other branch.
    public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
    /// `for`.
    public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap(\.self) }
    /// `if #available`.
    public static func buildLimitedAvailability(_ part: [any Layer]) -> [any Layer] { part }
    /// The chain.
    public static func buildFinalResult(_ layers: [any Layer]) -> Sequential { Sequential(layers) }
  }
}
