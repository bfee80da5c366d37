public import CrestGraph

/// Layers one after the other (Keras and PyTorch `Sequential`).
///
///     y = layerₙ(… layer₂(layer₁(x)))
///
/// Without a name it opens no scope, so a model's layers are called `conv2d` and `dense`, not
/// `sequential.conv2d`.
public struct Sequential: Layer, NestedLayer {
  /// The scope; nil for none.
  public let name: String?
  /// The layers in the order they are applied; those of a chain without a name stand in its place.
  public let layers: [any Layer]
  let nesting: Int

  /// A chain of `layers`, which may be empty: then y = x.
  ///
  /// - Precondition: they are at most 256 deep in each other.
  public init(_ layers: [any Layer], name: String? = nil) {
    self.layers = Self.flattened(layers)
    self.name = name
    nesting = LayerNesting.around(self.layers)
  }

  /// Without chains that open no scope, however deep they lie in each other.
  private static func flattened(_ layers: [any Layer]) -> [any Layer] {
    func chain(_ layer: any Layer) -> [any Layer]? {
      guard let chain = layer as? Sequential, chain.name == nil else { return nil }
      return chain.layers
    }
    guard layers.contains(where: { chain($0) != nil }) else { return layers }
    // A single chain is shared instead of copied.
    if layers.count == 1, let only = chain(layers[0]) { return only }
    return layers.flatMap { chain($0) ?? [$0] }
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
