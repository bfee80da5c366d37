public import CrestGraph
import CrestTensor

/// A classifier of texts by transformer blocks (Vaswani and others 2017).
///
/// A table of tokens, learned positions, pre-norm blocks of attention that sees no padding, a norm, the mean of the
/// places that aren't padding, and a dense layer. Weights start normal of deviation 0.02.
public struct TextTransformer: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of tokens.
  public let tokens: Int
  /// The number of outputs.
  public let classes: Int
  /// The id of padding.
  public let padding: Int
  /// The size of a token's vector.
  public let width: Int
  /// The number of blocks.
  public let depth: Int
  /// The number of heads.
  public let heads: Int
  /// The rate of every dropout.
  public let dropoutRate: Double

  /// A network for a number of tokens and classes.
  ///
  /// - Precondition: all sizes are at least 1, `padding` is a token, `heads` divides `width`, and `dropout` is from 0 to
  ///   below 1.
  public init(
    tokens: Int, classes: Int, padding: Int = 0, width: Int = 128, depth: Int = 2, heads: Int = 4,
    dropout: Double = 0.1
  ) {
    programmerError(
      unless: [tokens, classes, width, depth, heads].allSatisfy { $0 >= 1 }
        && (0..<tokens).contains(padding) && width % heads == 0 && dropout >= 0 && dropout < 1,
      "a TextTransformer of \(tokens) tokens, padding \(padding), \(classes) classes, \(depth) blocks of \(width), "
        + "\(heads) heads and a dropout of \(dropout)")
    (self.tokens, self.classes, self.padding) = (tokens, classes, padding)
    (self.width, self.depth, self.heads, dropoutRate) = (width, depth, heads, dropout)
  }

  /// Logits [N, classes] of x, `int64` [N, T].
  ///
  /// - Throws: `GraphError` when x isn't a batch of indices.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireTokens("TextTransformer")
    let mask = try x.isToken(padding: padding)
    let initializer = Initializer.normal(standardDeviation: 0.02)
    let settings = TransformerSettings(
      heads: heads, dropout: dropoutRate, activation: .gelu, initializer: initializer)
    var hidden = try LearnedPositions(initializer: initializer)(
      Embedding(tokens, width, initializer: initializer)(x))
    if dropoutRate > 0 { hidden = try Dropout(dropoutRate)(hidden) }
    hidden = try x.builder.scoped("blocks") {
      var value = hidden
      for number in 0..<depth {
        value = try TransformerEncoderBlock(settings, name: "\(number)")(value, mask: mask)
      }
      return value
    }
    let mean = try LayerNorm(name: "norm")(hidden).mean(where: mask)
    return try Dense(classes, initializer: initializer, name: "head")(mean)
  }
}

extension Symbol {
  /// The mean of this, [N, T, E], over the places where booleans [N, T] are true: [N, E]; 0 where none is.
  func mean(where mask: Symbol) throws -> Symbol {
    let weights = try mask.cast(to: elementType).unsqueezed(axes: [2])
    let sum = try (self * weights).sum(axes: [1], keepingDimensions: false)
    let count = try weights.sum(axes: [1], keepingDimensions: false)
    return try sum / count.maximum(builder.constant(Tensor([1] as [Float], shape: [])))
  }
}
