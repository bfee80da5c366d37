public import CrestGraph

/// A layer whose every use has the same parameters (siamese networks, tied embeddings; Keras and PyTorch: the same
/// layer object called again).
///
/// Layers are recipes, so a layer used twice has two sets of parameters. Uses of one `Shared` have those of the first,
/// under the names of the first:
///
/// ```swift
/// let tower = Shared {
///   Dense(64)
///   ReLU()
/// }
/// let model = try Model(
///   inputs: [.init(name: "a", shape: [8]), .init(name: "b", shape: [8])]
/// ) { inputs in
///   try tower(inputs[0]) - tower(inputs[1])
/// }
/// ```
///
/// Gradients of all uses add up; a running statistic goes from one use to the next.
public final class Shared<Base: Layer>: Layer, NestedLayer {
  /// What is shared.
  public let base: Base
  let nesting: Int

  /// None: what is shared opens its own scope.
  public var name: String? { nil }

  /// A layer to be used several times.
  public init(_ base: Base) {
    self.base = base
    nesting = LayerNesting.around([base])
  }

  /// The layer, with the parameters of its first use in this graph.
  ///
  /// - Throws: `GraphError` when x doesn't fit, or asks for other parameters than the first use.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.builder.shared(by: self) { try base(x) }
  }
}

extension Shared where Base == Sequential {
  /// The layers in the braces, to be used several times.
  public convenience init(@Sequential.Builder _ layers: () -> Sequential) { self.init(layers()) }
}

extension Shared where Base == Embedding {
  /// The product of hidden values with each row of the table, for an output layer tied to it (Press & Wolf 2017).
  ///
  ///     y[n, …, v] = Σ_d hidden[n, …, d] · weight[v, d]
  ///
  /// hidden is [N, …, width], y [N, …, count].
  ///
  /// - Throws: `GraphError` when widths differ.
  public func logits(_ hidden: Symbol) throws -> Symbol {
    try hidden.builder.shared(by: self) {
      try hidden.builder.scoped(base.name ?? "embedding") { try base.logits(hidden) }
    }
  }
}
