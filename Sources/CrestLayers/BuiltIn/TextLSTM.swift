public import CrestGraph
import CrestTensor

/// Long short-term memories over a text, for its class or for the token after each of its own.
///
/// A table of tokens, from N(0, 1) as PyTorch's, and two layers of memories. For classes both directions are read, up
/// to where padding begins, and a dense layer sees the last states; for a language model a dense layer sees every
/// state of one direction.
public struct TextLSTM: Layer {
  /// What is predicted.
  public enum Output: Sendable, Hashable {
    /// Logits [N, classes].
    case classes(Int)
    /// Logits [N, T, tokens] of the token after each.
    case tokens
  }

  /// None: its layers are at the top.
  public var name: String? { nil }
  /// The number of tokens.
  public let tokens: Int
  /// What is predicted.
  public let output: Output
  /// The id of padding.
  public let padding: Int
  /// The size of a token's vector.
  public let width: Int
  /// The size of a state.
  public let units: Int
  /// The number of layers.
  public let depth: Int
  /// The rate of the dropout between layers.
  public let dropoutRate: Double

  /// A network for a number of tokens.
  ///
  /// - Precondition: all sizes are at least 1, `padding` is a token, and `dropout` is from 0 to below 1.
  public init(
    tokens: Int, output: Output, padding: Int = 0, width: Int = 64, units: Int = 128,
    depth: Int = 2, dropout: Double = 0
  ) {
    var sizes = [tokens, width, units, depth]
    if case .classes(let count) = output { sizes.append(count) }
    programmerError(
      unless: sizes.allSatisfy { $0 >= 1 } && (0..<tokens).contains(padding) && dropout >= 0
        && dropout < 1,
      "a TextLSTM of \(tokens) tokens, padding \(padding), \(output), \(depth) layers of \(units) over \(width) and a "
        + "dropout of \(dropout)")
    (self.tokens, self.output, self.padding) = (tokens, output, padding)
    (self.width, self.units, self.depth, dropoutRate) = (width, units, depth, dropout)
  }

  /// Logits of x, `int64` [N, T].
  ///
  /// - Throws: `GraphError` when x isn't a batch of indices.
  public func trace(_ x: Symbol) throws -> Symbol {
    try x.requireTokens("TextLSTM")
    let vectors = try Embedding(tokens, width)(x)
    switch output {
    case .tokens:
      let states = try LSTM(units, layers: depth, output: .all, dropout: dropoutRate)(vectors)
      return try Dense(tokens, name: "head")(states)
    case .classes(let count):
      let lengths = try x.isToken(padding: padding).cast(to: .int64).sum(
        axes: [1], keepingDimensions: false)
      let states = try LSTM(units, layers: depth, bidirectional: true, dropout: dropoutRate)(
        vectors, lengths: lengths)
      return try Dense(count, name: "head")(states)
    }
  }
}
