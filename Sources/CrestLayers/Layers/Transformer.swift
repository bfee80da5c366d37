public import CrestGraph
import CrestTensor

/// The activation between both products of a transformer block.
public enum FeedForwardActivation: String, Sendable, Hashable, CaseIterable {
  /// max(x, 0) (PyTorch's default).
  case relu
  /// x · Φ(x).
  case gelu
  /// x · sigmoid(x).
  case silu
  /// a · b · sigmoid(b) of both halves of twice as many features (Shazeer 2020).
  case swiglu

  /// The activation of a value.
  func callAsFunction(_ x: Symbol) throws -> Symbol {
    switch self {
    case .relu: try x.relu()
    case .gelu: try x.gelu()
    case .silu: try x * x.sigmoid()
    case .swiglu: try GLU(.silu).trace(x)
    }
  }
}

/// The settings of a transformer's blocks.
public struct TransformerSettings: Sendable {
  /// The number of heads.
  public var heads: Int
  /// The number of features between both products; nil for four times the width.
  public var feedForward: Int?
  /// The rate of every dropout.
  public var dropout: Double
  /// The activation between both products.
  public var activation: FeedForwardActivation
  /// Whether each part's input is normalised (pre-norm), instead of the sum with its output (post-norm).
  public var normalizesFirst: Bool
  /// What is added to variances before the root.
  public var epsilon: Double
  /// Whether products have biases.
  public var hasBias: Bool
  /// How queries and keys are turned by their places.
  public var rotary: RotaryPositions?
  /// How weights start; nil for Xavier uniform, or as ``MultiHeadAttention`` says.
  public var initializer: Initializer?
  /// How the weights that end a part start; nil for as ``initializer`` says.
  public var outputInitializer: Initializer?

  /// Settings; PyTorch's layers have a `feedForward` of 2048 and a dropout of 0.1 unless told otherwise.
  ///
  /// - Precondition: `heads` and `feedForward` are at least 1, `dropout` is from 0 to below 1.
  public init(
    heads: Int, feedForward: Int? = nil, dropout: Double = 0,
    activation: FeedForwardActivation = .relu, normalizesFirst: Bool = true, epsilon: Double = 1e-5,
    bias: Bool = true, rotary: RotaryPositions? = nil, initializer: Initializer? = nil,
    outputInitializer: Initializer? = nil
  ) {
    programmerError(
      unless: heads >= 1 && (feedForward ?? 1) >= 1,
      "a transformer of \(heads) heads and \(feedForward ?? 1) features; at least 1 of each")
    programmerError(
      unless: dropout >= 0 && dropout < 1,
      "a transformer's rate of dropout is \(dropout), not from 0 to below 1")
    (self.heads, self.feedForward, self.dropout) = (heads, feedForward, dropout)
    (self.activation, self.normalizesFirst, self.epsilon) = (activation, normalizesFirst, epsilon)
    (hasBias, self.rotary) = (bias, rotary)
    self.initializer = initializer
    self.outputInitializer = outputInitializer ?? initializer
  }

  /// The attention of a block.
  fileprivate func attention(_ name: String, causal: Bool, turned: Bool = true)
    -> MultiHeadAttention
  {
    MultiHeadAttention(
      heads: heads, causal: causal, dropout: dropout, bias: hasBias, rotary: turned ? rotary : nil,
      initializer: initializer, outputInitializer: outputInitializer, name: name)
  }

  /// A part of a block with its shortcut and its norm.
  fileprivate func part(
    _ x: Symbol, norm: String, _ body: (Symbol) throws -> Symbol
  ) throws -> Symbol {
    let norm = LayerNorm(epsilon: epsilon, bias: hasBias, name: norm)
    func dropped(_ y: Symbol) throws -> Symbol { dropout > 0 ? try y.dropout(dropout) : y }
    return normalizesFirst
      ? try x + dropped(body(norm(x))) : try norm(x + dropped(body(x)))
  }

  /// Both products with the activation between them, `linear1` and `linear2`.
  fileprivate func feedForward(_ x: Symbol) throws -> Symbol {
    let width = x.shape[x.shape.rank - 1]
    let (features, overflow) = (feedForward ?? width).multipliedReportingOverflow(
      by: (feedForward == nil ? 4 : 1) * (activation == .swiglu ? 2 : 1))
    guard !overflow else {
      throw GraphError(
        path: x.builder.path, operation: "Transformer",
        expected: "features whose weights fit in memory", got: "\(feedForward ?? width)")
    }
    let hidden = try activation(
      Dense(features, bias: hasBias, initializer: initializer ?? .xavierUniform, name: "linear1")(x)
    )
    return try Dense(
      width, bias: hasBias, initializer: outputInitializer ?? .xavierUniform, name: "linear2")(
        dropout > 0 ? hidden.dropout(dropout) : hidden)
  }
}

/// A block of a transformer's encoder, or of a decoder alone when it is causal (Vaswani and others 2017; PyTorch
/// `TransformerEncoderLayer`).
///
///     pre-norm:  h = x + attention(norm1(x)), y = h + linear2(f(linear1(norm2(h))))
///     post-norm: h = norm1(x + attention(x)), y = norm2(h + linear2(f(linear1(h))))
///
/// x and y are [N, T, E]. Parameters in the scopes `self_attn`, `linear1`, `linear2`, `norm1` and `norm2`, as
/// PyTorch's. A stack of pre-norm blocks needs a ``LayerNorm`` at its end.
public struct TransformerEncoderBlock: Layer {
  /// The scope.
  public let name: String?
  /// The settings.
  public let settings: TransformerSettings
  /// Whether a place attends only to itself and those before it.
  public let isCausal: Bool

  /// A block of these settings.
  public init(
    _ settings: TransformerSettings, causal: Bool = false, name: String = "encoder_block"
  ) {
    (self.settings, isCausal, self.name) = (settings, causal, name)
  }

  /// The block.
  ///
  /// - Throws: `GraphError` when x isn't a batch of sequences, or the heads don't divide its width.
  public func trace(_ x: Symbol) throws -> Symbol { try block(x, nil) }

  /// The block with a mask.
  ///
  /// - Parameters:
  ///   - x: [N, T, E].
  ///   - mask: Booleans, true where a place may be attended to: [N, T], or what broadcasts to [N, heads, T, T].
  /// - Returns: [N, T, E].
  /// - Throws: `GraphError` when the shapes don't fit.
  public func callAsFunction(_ x: Symbol, mask: Symbol) throws -> Symbol {
    guard let name else { return try block(x, mask) }
    return try x.builder.scoped(name) { try block(x, mask) }
  }

  private func block(_ x: Symbol, _ mask: Symbol?) throws -> Symbol {
    let attention = settings.attention("self_attn", causal: isCausal)
    let hidden = try settings.part(x, norm: "norm1") { try attention($0, mask: mask) }
    return try settings.part(hidden, norm: "norm2") { try settings.feedForward($0) }
  }
}

/// A block of a transformer's decoder, which attends to itself and to the encoder's output (Vaswani and others 2017;
/// PyTorch `TransformerDecoderLayer`).
///
/// x and y are [N, T, E], the memory [N, S, E]. Parameters in the scopes `self_attn`, `multihead_attn`, `linear1`,
/// `linear2` and `norm1` to `norm3`, as PyTorch's.
public struct TransformerDecoderBlock: Sendable {
  /// The scope.
  public let name: String
  /// The settings.
  public let settings: TransformerSettings
  /// Whether a place attends only to itself and those before it.
  public let isCausal: Bool

  /// A block of these settings.
  public init(
    _ settings: TransformerSettings, causal: Bool = true, name: String = "decoder_block"
  ) {
    (self.settings, isCausal, self.name) = (settings, causal, name)
  }

  /// The block.
  ///
  /// - Parameters:
  ///   - x: [N, T, E].
  ///   - memory: What the encoder made, [N, S, E].
  ///   - mask: Booleans, true where a place of x may be attended to.
  ///   - memoryMask: Booleans, true where a place of the memory may be attended to: [N, S], or what broadcasts to
  ///     [N, heads, T, S].
  /// - Returns: [N, T, E].
  /// - Throws: `GraphError` when the shapes don't fit.
  public func callAsFunction(
    _ x: Symbol, memory: Symbol, mask: Symbol? = nil, memoryMask: Symbol? = nil
  ) throws -> Symbol {
    try x.builder.scoped(name) {
      let inner = settings.attention("self_attn", causal: isCausal)
      let outer = settings.attention("multihead_attn", causal: false, turned: false)
      var hidden = try settings.part(x, norm: "norm1") { try inner($0, mask: mask) }
      hidden = try settings.part(hidden, norm: "norm2") {
        try outer($0, keys: memory, mask: memoryMask)
      }
      return try settings.part(hidden, norm: "norm3") { try settings.feedForward($0) }
    }
  }
}
