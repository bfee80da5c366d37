public import CrestGraph
import CrestPlatform
import CrestTensor

/// Attention of several heads (Vaswani and others 2017; PyTorch `MultiheadAttention`, Keras `MultiHeadAttention` and
/// `GroupQueryAttention`, ONNX `Attention`, opset 23).
///
///     head_j = softmax(q_j · k_jᵀ / √d + mask) · v_j, y = [head_1 … head_h] · out_projᵀ + bias
///
/// Queries are [N, T, E], keys and values [N, S, E], y is [N, T, E]; d is E / heads. Parameters: `in_proj_weight`
/// [E + 2 · keyHeads · d, E], whose rows make the queries, keys and values, with `in_proj_bias`; `out_proj.weight`
/// [E, E] and `out_proj.bias`. They have PyTorch's names and start as PyTorch's do: Xavier uniform on the whole of
/// `in_proj_weight`, `out_proj.weight` uniform within ±1 / √E, biases 0.
///
/// Called with one value it is self-attention. With fewer key heads than heads, each is shared by a group (Ainslie and
/// others 2023).
public struct MultiHeadAttention: Layer {
  /// The scope.
  public let name: String?
  /// The number of heads.
  public let heads: Int
  /// The number of heads of keys and values.
  public let keyHeads: Int
  /// Whether a place attends only to itself and those before it.
  public let isCausal: Bool
  /// The rate of the dropout of what is attended to.
  public let dropoutRate: Double
  /// Whether the products have biases.
  public let hasBias: Bool
  /// How queries and keys are turned by their places; nil for not at all.
  public let rotary: RotaryPositions?
  /// How both weights start; nil for as PyTorch's do.
  public let initializer: Initializer?
  /// How the weight of the last product starts; nil for as ``initializer`` says.
  public let outputInitializer: Initializer?

  /// Attention of `heads`.
  ///
  /// - Parameters:
  ///   - heads: The number of heads, which divides the width of the input.
  ///   - keyHeads: The number of heads of keys and values, which divides `heads`; nil for as many.
  ///   - causal: Whether a place attends only to itself and those before it.
  ///   - dropout: The rate of the dropout of what is attended to.
  ///   - bias: Whether the products have biases.
  ///   - rotary: How queries and keys are turned by their places.
  ///   - initializer: How both weights start.
  ///   - outputInitializer: How the weight of the last product starts.
  ///   - name: The scope.
  /// - Precondition: `heads` is at least 1 and a multiple of `keyHeads`, `dropout` is from 0 to below 1.
  public init(
    heads: Int, keyHeads: Int? = nil, causal: Bool = false, dropout: Double = 0, bias: Bool = true,
    rotary: RotaryPositions? = nil, initializer: Initializer? = nil,
    outputInitializer: Initializer? = nil, name: String = "attention"
  ) {
    let keyHeads = keyHeads ?? heads
    programmerError(
      unless: heads >= 1 && keyHeads >= 1 && heads % keyHeads == 0,
      "\(name): \(heads) heads with \(keyHeads) of keys; these must divide the heads")
    programmerError(
      unless: dropout >= 0 && dropout < 1,
      "\(name): the rate of dropout is \(dropout), not from 0 to below 1")
    (self.heads, self.keyHeads, isCausal, dropoutRate) = (heads, keyHeads, causal, dropout)
    (hasBias, self.rotary, self.initializer, self.name) = (bias, rotary, initializer, name)
    self.outputInitializer = outputInitializer ?? initializer
  }

  /// Self-attention.
  ///
  /// - Throws: `GraphError` when x isn't a batch of sequences, or the heads don't divide its width.
  public func trace(_ x: Symbol) throws -> Symbol { try attention(x, nil, nil, nil) }

  /// Attention to keys and values of their own, or with a mask.
  ///
  /// - Parameters:
  ///   - queries: [N, T, E].
  ///   - keys: [N, S, E]; the queries when nil.
  ///   - values: [N, S, E]; the keys when nil.
  ///   - mask: Booleans, true where a key may be attended to: [N, S] for the keys of each example, or what broadcasts
  ///     to [N, heads, T, S]. A query that may attend to nothing gets the bias of the last product.
  /// - Returns: [N, T, E].
  /// - Throws: `GraphError` when the shapes don't fit.
  public func callAsFunction(
    _ queries: Symbol, keys: Symbol? = nil, values: Symbol? = nil, mask: Symbol? = nil
  ) throws -> Symbol {
    guard let name else { return try attention(queries, keys, values, mask) }
    return try queries.builder.scoped(name) { try attention(queries, keys, values, mask) }
  }

  private func attention(
    _ queries: Symbol, _ keys: Symbol?, _ values: Symbol?, _ mask: Symbol?
  ) throws -> Symbol {
    func refused(_ expected: String, _ got: String, advice: String? = nil) -> GraphError {
      GraphError(
        path: queries.builder.path, operation: "MultiHeadAttention", expected: expected, got: got,
        advice: advice)
    }
    guard queries.shape.rank == 3 else {
      throw refused("sequences [N, T, features]", "\(queries.shape)")
    }
    let width = queries.shape[2]
    guard width % heads == 0, width > 0 else {
      throw refused("a width that \(heads) heads divide", "\(width)")
    }
    for (what, value) in [("keys", keys), ("values", values)] {
      guard let value, value.shape.rank != 3 || value.shape[2] != width else { continue }
      throw refused("\(what) [N, S, \(width)]", "\(value.shape)")
    }
    let size = width / heads
    guard rotary == nil || size % 2 == 0 else {
      throw refused("heads of an even size to turn", "\(width) / \(heads) = \(size)")
    }
    let rows = [width, keyHeads * size, keyHeads * size]
    let weight = try queries.parameter(
      "in_proj_weight", sizes: [rows.reduce(0, +), width], role: .weight,
      initializer ?? .xavierUniform)
    let bias =
      try hasBias
      ? queries.parameter("in_proj_bias", [rows.reduce(0, +)], role: .bias, .zeros) : nil
    let projected = try products(
      of: queries, keys, values, weight: weight, bias: bias, rows: rows)
    let keySource = keys ?? queries
    let valueSource = values ?? keySource
    guard valueSource.shape[1] == keySource.shape[1] else {
      throw refused("as many values as the \(keySource.shape[1]) keys", "\(valueSource.shape[1])")
    }
    var query = try byHead(projected[0], heads, size)
    var key = try byHead(projected[1], keyHeads, size)
    let value = try byHead(projected[2], keyHeads, size)
    if let rotary {
      query = try rotary.turned(query)
      key = try rotary.turned(key)
    }
    let attended = try attended(
      query, key: repeated(key), value: repeated(value), mask: mask, refused: { refused($0, $1) })
    let joined = try attended.transposed([0, 2, 1, 3]).reshaped(to: [-1, width])
    let y = try queries.builder.scoped("out_proj") {
      let weight = try queries.parameter(
        "weight", sizes: [width, width], role: .weight, outputInitializer ?? .torchUniform)
      let bias = try hasBias ? queries.parameter("bias", [width], role: .bias, .zeros) : nil
      return try joined.gemm(weight, bias, transposingB: true)
    }
    return try y.reshaped(to: [-1, queries.shape[1], width])
  }

  /// The queries, keys and values, [N · T, …] each: in one product where they are of one value.
  private func products(
    of queries: Symbol, _ keys: Symbol?, _ values: Symbol?, weight: Symbol, bias: Symbol?,
    rows: [Int]
  ) throws -> [Symbol] {
    func product(_ x: Symbol, _ weight: Symbol, _ bias: Symbol?) throws -> Symbol {
      let y = try x.reshaped(to: [-1, x.shape[2]]).gemm(weight, bias, transposingB: true)
      return try y.reshaped(to: [-1, x.shape[1], weight.shape[0]])
    }
    guard keys != nil || values != nil else {
      return try product(queries, weight, bias).split(sizes: rows, axis: 2)
    }
    let weights = try weight.split(sizes: rows)
    let biases = try bias.map { try $0.split(sizes: rows) }
    let sources = [queries, keys ?? queries, values ?? keys ?? queries]
    return try sources.indices.map { try product(sources[$0], weights[$0], biases?[$0]) }
  }

  /// [N, T, heads · size] as [N, heads, T, size].
  private func byHead(_ x: Symbol, _ heads: Int, _ size: Int) throws -> Symbol {
    try x.reshaped(to: [-1, x.shape[1], heads, size]).transposed([0, 2, 1, 3])
  }

  /// The heads of keys or values, each as often as it is shared.
  private func repeated(_ x: Symbol) throws -> Symbol {
    let group = heads / keyHeads
    guard group > 1 else { return x }
    let (steps, size) = (x.shape[2], x.shape[3])
    return try x.unsqueezed(axes: [2]).tiled([1, 1, group, 1, 1])
      .reshaped(to: [-1, heads, steps, size])
  }

  /// The attended values, [N, heads, T, size].
  private func attended(
    _ query: Symbol, key: Symbol, value: Symbol, mask: Symbol?,
    refused: (String, String) -> GraphError
  ) throws -> Symbol {
    let (count, steps) = (query.shape[2], key.shape[2])
    // Scaled before the product, which has more elements where sequences are longer than heads are wide.
    let scaled = try query * (1 / Double(query.shape[3]).squareRoot())
    var scores = try scaled.matMul(key.transposed([0, 1, 3, 2]))
    if isCausal {
      guard count == steps else {
        throw refused("as many keys as the \(count) queries of causal attention", "\(steps)")
      }
      scores = try scores + query.builder.constant(Self.causalMask(count))
    }
    guard let mask else { return try weighted(scores.softmax(axis: -1), value) }
    guard mask.elementType == .bool else {
      throw refused("a mask of booleans, true where a key may be attended to", "\(mask.type)")
    }
    let whole = mask.shape.rank == 2 ? try mask.unsqueezed(axes: [1, 2]) : mask
    let sizes: Shape = [query.shape[0], heads, count, steps]
    guard whole.shape.rank == 4, whole.shape.broadcast(with: sizes) == sizes else {
      throw refused(
        "a mask [\(sizes[0]), \(steps)] or what broadcasts to \(sizes)", "\(mask.shape)")
    }
    let kept = try whole.cast(to: scores.elementType)
    // A finite number, so that a query without any key has no NaN; it gets nothing by the product with the mask.
    let lowered = try scores + (kept - 1) * 1e30
    return try weighted(lowered.softmax(axis: -1) * kept, value)
  }

  private func weighted(_ probabilities: Symbol, _ value: Symbol) throws -> Symbol {
    try (dropoutRate > 0 ? probabilities.dropout(dropoutRate) : probabilities).matMul(value)
  }

  /// 0 on and below the diagonal, -∞ above.
  private static func causalMask(_ size: Int) -> Tensor {
    Tensor(
      (0..<size * size).map { $0 % size > $0 / size ? -Float.infinity : 0 }, shape: [size, size])
  }
}

/// Positions that turn pairs of features by angles which grow with the place (Su and others 2021; ONNX
/// `RotaryEmbedding`, opset 23).
///
///     (a, b) → (a · cos pθ - b · sin pθ, a · sin pθ + b · cos pθ), θᵢ = base^(-2i / d)
public struct RotaryPositions: Sendable, Hashable {
  /// Which features are pairs.
  public enum Pairs: String, Sendable, Hashable, CaseIterable {
    /// i and i + d / 2 (GPT-NeoX, Llama; ONNX `interleaved` 0).
    case halves
    /// 2i and 2i + 1 (GPT-J; ONNX `interleaved` 1).
    case neighbours
  }

  /// The number whose powers are the angles.
  public let base: Double
  /// Which features are pairs.
  public let pairs: Pairs

  /// Positions of these angles.
  ///
  /// - Precondition: `base` is finite and above 0.
  public init(base: Double = 10000, pairs: Pairs = .halves) {
    programmerError(unless: base > 0 && base.isFinite, "rotary positions of base \(base)")
    (self.base, self.pairs) = (base, pairs)
  }

  /// The angle between places next to each other of pair `pair`, of `width` features.
  func frequency(of pair: Int, width: Int) -> Double {
    pow(base, -2 * Double(pair) / Double(width))
  }

  /// Heads [N, heads, T, d] turned by their places along T; d is even.
  func turned(_ x: Symbol) throws -> Symbol {
    let (steps, size) = (x.shape[2], x.shape[3])
    let half = size / 2
    let angles = (0..<steps).flatMap { step in
      (0..<half).map { Double(step) * frequency(of: $0, width: size) }
    }
    func constant(_ values: [Double], _ shape: Shape) -> Symbol {
      x.builder.constant(Tensor(rounding: values, to: x.elementType, shape: shape))
    }
    let isHalves = pairs == .halves
    let shape: Shape = isHalves ? [steps, half] : [steps, half, 1]
    let cosines = constant(angles.map { cos($0) }, shape)
    let sines = constant(angles.map { sin($0) }, shape)
    let apart = isHalves ? x : try x.reshaped(to: [-1, x.shape[1], steps, half, 2])
    let parts = try apart.split(count: 2, axis: isHalves ? 3 : 4)
    let first = try parts[0] * cosines - parts[1] * sines
    let second = try parts[0] * sines + parts[1] * cosines
    let joined = try first.concatenated(with: [second], axis: isHalves ? 3 : 4)
    return isHalves ? joined : try joined.reshaped(to: [-1, x.shape[1], steps, size])
  }
}
