public import CrestGraph
import CrestTensor

/// A language model of transformer blocks, as GPT-2 (Radford and others 2019; Karpathy's nanoGPT).
///
/// A table of tokens, learned positions, pre-norm blocks of causal attention and GELU, a norm, and logits by the same
/// table (Press & Wolf 2017). Weights start normal of deviation 0.02, those that end a part of a block of 0.02 / √(2
/// · depth).
public struct GPT: Layer {
  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of tokens.
  public let tokens: Int
  /// The size of a token's vector.
  public let width: Int
  /// The number of blocks.
  public let depth: Int
  /// The number of heads.
  public let heads: Int
  /// The rate of every dropout.
  public let dropoutRate: Double

  /// A network for a number of tokens.
  ///
  /// - Precondition: all sizes are at least 1, `heads` divides `width`, and `dropout` is from 0 to below 1.
  public init(
    tokens: Int, width: Int = 128, depth: Int = 4, heads: Int = 4, dropout: Double = 0
  ) {
    programmerError(
      unless: [tokens, width, depth, heads].allSatisfy { $0 >= 1 } && width % heads == 0
        && dropout >= 0 && dropout < 1,
      "a GPT of \(tokens) tokens, \(depth) blocks of \(width), \(heads) heads and a dropout of \(dropout)"
    )
    (self.tokens, self.width, self.depth, self.heads) = (tokens, width, depth, heads)
    dropoutRate = dropout
  }

  /// Logits [N, T, tokens] of the token after each of x, which is `int64` [N, T].
  ///
  /// - Throws: `GraphError` when x isn't a batch of indices.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireTokens("GPT")
    let initializer = Initializer.normal(standardDeviation: 0.02)
    let settings = TransformerSettings(
      heads: heads, dropout: dropoutRate, activation: .gelu, initializer: initializer,
      outputInitializer: .normal(standardDeviation: 0.02 / (2 * Double(depth)).squareRoot()))
    let table = Shared(Embedding(tokens, width, initializer: initializer))
    let network = Sequential {
      LearnedPositions(initializer: initializer)
      if dropoutRate > 0 { Dropout(dropoutRate) }
      Sequential(
        (0..<depth).map { TransformerEncoderBlock(settings, causal: true, name: "\($0)") },
        name: "blocks")
      LayerNorm(name: "norm")
    }
    return try table.logits(network(table(x)))
  }
}

extension Symbol {
  /// Refuses a value that isn't a batch of rows of indices.
  func requireTokens(_ operation: String) throws {
    guard shape.rank == 2, elementType == .int64 || elementType == .int32 else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "ids of tokens, int64 [N, T]",
        got: "\(type)",
        advice: "give the model an input of int64: Model.Input(shape:elementType:)")
    }
  }

  /// Where this, ids of tokens, has others than padding: booleans [N, T].
  func isToken(padding: Int) throws -> Symbol {
    let id =
      elementType == .int64
      ? Tensor([Int64(padding)], shape: []) : Tensor([Int32(padding)], shape: [])
    return try equal(to: builder.constant(id)).not()
  }
}
