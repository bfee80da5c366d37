import CrestTensor

extension Symbol {
  /// In which order a recurrent layer reads a sequence (ONNX `direction`).
  public enum RecurrentDirection: String, Sendable, Hashable, CaseIterable {
    /// From the first step to the last.
    case forward
    /// From the last step to the first.
    case reverse
    /// Both, each with weights of its own.
    case bidirectional

    /// The number of orders: 1 or 2.
    public var count: Int { self == .bidirectional ? 2 : 1 }

    /// Whether each order begins with the last step.
    var areReversed: [Bool] {
      switch self {
      case .forward: [false]
      case .reverse: [true]
      case .bidirectional: [false, true]
      }
    }
  }

  /// What ONNX `RNN`, `GRU` and `LSTM` have in common besides their weights.
  public struct RecurrentAttributes: Sendable, Hashable {
    /// In which order a sequence is read.
    public let direction: RecurrentDirection
    /// The bound of what activations are applied to; none when nil.
    public let clip: Double?
    /// Whether the batch comes before the steps (ONNX `layout` 1).
    public let isBatchFirst: Bool

    /// Attributes, by default those of a plain forward layer.
    public init(
      direction: RecurrentDirection = .forward, clip: Double? = nil, isBatchFirst: Bool = false
    ) {
      self.direction = direction
      self.clip = clip
      self.isBatchFirst = isBatchFirst
    }
  }

  /// The inputs that ONNX `RNN`, `GRU` and `LSTM` have in common besides x; D is the number of
  /// directions, G the number of gates (1, 3 or 4), H the hidden size.
  public struct RecurrentInputs {
    /// [D, G · H, I], what x is multiplied by.
    public let weight: Symbol
    /// [D, G · H, H], what the state is multiplied by.
    public let recurrentWeight: Symbol
    /// [D, 2 · G · H], the biases of both products; nothing is added when nil.
    public let bias: Symbol?
    /// [B], integers: how many steps of each sequence count; all when nil.
    public let sequenceLengths: Symbol?
    /// [D, B, H], or [B, D, H] batch first: the state before the first step; zeros when nil.
    public let initialState: Symbol?

    /// Inputs; those that are nil are left out.
    public init(
      weight: Symbol, recurrentWeight: Symbol, bias: Symbol? = nil,
      sequenceLengths: Symbol? = nil, initialState: Symbol? = nil
    ) {
      self.weight = weight
      self.recurrentWeight = recurrentWeight
      self.bias = bias
      self.sequenceLengths = sequenceLengths
      self.initialState = initialState
    }
  }
}

/// Weights of one direction as a cell uses them.
struct CellWeights {
  /// [H, G · H]: what the state is multiplied by from the right.
  let recurrent: Symbol
  /// [G · H] each: the biases of x's product and of the state's.
  let biases: (input: Symbol, state: Symbol)?
}

/// A recurrent layer, unrolled over the steps of its input while it is traced.
///
/// Each step is traced from operations that kernels know, so gradients are theirs, through time. The
/// product of x and its weight is computed for all steps at once.
struct Recurrence {
  private let x: Symbol
  private let inputs: Symbol.RecurrentInputs
  private let attributes: Symbol.RecurrentAttributes
  private let operation: String
  private let gates: Int
  /// The hidden size.
  let hiddenSize: Int
  /// The number of steps.
  private let steps: Int

  /// A layer over x, [T, B, I] or batch first [B, T, I].
  ///
  /// - Throws: ``GraphError`` when the shapes don't fit.
  init(
    _ x: Symbol, _ inputs: Symbol.RecurrentInputs, _ attributes: Symbol.RecurrentAttributes,
    gates: Int,
    _ operation: String
  ) throws {
    func refused(_ expected: String, _ got: String) -> GraphError {
      GraphError(path: x.builder.path, operation: operation, expected: expected, got: got)
    }
    let count = attributes.direction.count
    guard x.elementType.isFloat, x.shape.rank == 3 else {
      throw refused(
        attributes.isBatchFirst ? "a float input [B, T, I]" : "a float input [T, B, I]",
        "\(x.type)")
    }
    let recurrent = inputs.recurrentWeight
    guard recurrent.shape.rank == 3, recurrent.shape[2] >= 1 else {
      throw refused("a recurrent weight [\(count), \(gates) · H, H]", "\(recurrent.type)")
    }
    hiddenSize = recurrent.shape[2]
    let (rows, overflow) = hiddenSize.multipliedReportingOverflow(by: 2 * gates)
    guard !overflow else {
      throw refused("a hidden size whose weights fit in memory", "\(hiddenSize)")
    }
    let batch = x.shape[attributes.isBatchFirst ? 0 : 1]
    let state: [Int] =
      attributes.isBatchFirst ? [batch, count, hiddenSize] : [count, batch, hiddenSize]
    let checks: [(String, Symbol?, [Int])] = [
      ("a weight", inputs.weight, [count, rows / 2, x.shape[2]]),
      ("a recurrent weight", recurrent, [count, rows / 2, hiddenSize]),
      ("a bias", inputs.bias, [count, rows]),
      ("an initial state", inputs.initialState, state),
    ]
    for (what, value, sizes) in checks {
      guard let value else { continue }
      guard value.elementType == x.elementType, value.shape.dimensions == sizes else {
        throw refused("\(what) \(x.elementType) \(sizes)", "\(value.type)")
      }
    }
    if let lengths = inputs.sequenceLengths {
      guard lengths.elementType.isInteger, lengths.shape.dimensions == [batch] else {
        throw refused("integer sequence lengths [\(batch)]", "\(lengths.type)")
      }
    }
    steps = x.shape[attributes.isBatchFirst ? 1 : 0]
    guard steps >= 1 else { throw refused("at least one step", "\(x.shape)") }
    if let clip = attributes.clip, !(clip >= 0) {
      throw refused("a clip of at least 0", "\(clip)")
    }
    self.x = x
    self.inputs = inputs
    self.attributes = attributes
    self.operation = operation
    self.gates = gates
  }

  /// A value by direction, [D, …] or, for states batch first, [B, D, …], as one value each.
  func byDirection(_ value: Symbol, axis: Int = 0) throws -> [Symbol] {
    guard attributes.direction.count > 1 else { return [try value.squeezed(axes: [axis])] }
    return try value.split(count: 2, axis: axis).map { try $0.squeezed(axes: [axis]) }
  }

  /// A state by direction, [B, H] each; nil each when there is none.
  func statesByDirection(_ state: Symbol?) throws -> [Symbol?] {
    guard let state else { return attributes.direction.areReversed.map { _ in nil } }
    return try byDirection(state, axis: attributes.isBatchFirst ? 1 : 0)
  }

  /// Runs a cell over the sequence.
  ///
  /// - Parameters:
  ///   - initial: For each direction the states before its first step; nil stands for zeros.
  ///   - addsStateBias: Whether the state's bias is added with the input's, before the cell; if not,
  ///     the cell adds it.
  ///   - cell: The states after a step from the direction, the weights, what x contributes to the
  ///     gates, [B, G · H], and the states before; the first state is what the layer puts out.
  /// - Returns: All steps, [T, D, B, H] or [B, T, D, H], and the last states, [D, B, H] or
  ///   [B, D, H] each.
  /// - Throws: ``GraphError``, or what `cell` throws.
  func run(
    initial: [[Symbol?]], addsStateBias: Bool,
    _ cell: (_ direction: Int, CellWeights, _ gates: Symbol, _ before: [Symbol?]) throws -> [Symbol]
  ) throws -> (steps: Symbol, last: [Symbol]) {
    let sequence = attributes.isBatchFirst ? try x.transposed([1, 0, 2]) : x
    let weights = try byDirection(inputs.weight)
    let recurrents = try byDirection(inputs.recurrentWeight)
    let biases = try inputs.bias.map { try byDirection($0) }
    let counts = try stepCounts()
    var outputs: [Symbol] = []
    var last: [[Symbol]] = []
    for (direction, isReversed) in attributes.direction.areReversed.enumerated() {
      var projected = try sequence.matMul(weights[direction].transposed([1, 0]))
      let parts = try biases.map { try $0[direction].split(count: 2) }
      if let parts {
        projected = try projected + (addsStateBias ? parts[0] + parts[1] : parts[0])
      }
      let cellWeights = CellWeights(
        recurrent: try recurrents[direction].transposed([1, 0]),
        biases: parts.map { ($0[0], $0[1]) })
      let contributions = try projected.split(count: steps).map { try $0.squeezed(axes: [0]) }
      var states = initial[direction]
      var made: [Int: Symbol] = [:]
      for step in isReversed ? Array((0..<steps).reversed()) : Array(0..<steps) {
        let new = try cell(direction, cellWeights, contributions[step], states)
        guard let counts else {
          states = new
          made[step] = new[0]
          continue
        }
        // A sequence that is over keeps its states and puts out zeros.
        let isRunning = try counts.greaterMask(counts.scalar(Double(step)))
        made[step] = try new[0].selected(where: isRunning, else: new[0].scalar(0))
        states = try zip(new, states).map { after, before in
          try after.selected(where: isRunning, else: before ?? after.scalar(0))
        }
      }
      outputs.append(
        try joined((0..<steps).compactMap { made[$0] }, axis: 0).unsqueezed(axes: [1]))
      last.append(states.compactMap { $0 })
    }
    let all = try outputs[0].concatenated(with: Array(outputs.dropFirst()), axis: 1)
    let lastStates = try last[0].indices.map { number in
      try joined(last.map { $0[number] }, axis: attributes.isBatchFirst ? 1 : 0)
    }
    return (attributes.isBatchFirst ? try all.transposed([2, 0, 1, 3]) : all, lastStates)
  }

  /// The number of steps of each sequence that count, as [B, 1] in the type of x.
  private func stepCounts() throws -> Symbol? {
    try inputs.sequenceLengths?.cast(to: x.elementType).unsqueezed(axes: [1])
  }

  /// Values of one shape along a new axis.
  private func joined(_ values: [Symbol], axis: Int) throws -> Symbol {
    let apart = try values.map { try $0.unsqueezed(axes: [axis]) }
    return try apart[0].concatenated(with: Array(apart.dropFirst()), axis: axis)
  }

  /// Refuses activations of another count than `each` for every direction; nil stands for `usual`.
  func activations(
    _ given: [Symbol.RecurrentActivation]?, usual: [Symbol.RecurrentActivation]
  ) throws -> [[Symbol.RecurrentActivation]] {
    let count = attributes.direction.count
    let all = given ?? Array(repeatElement(usual, count: count).joined())
    guard all.count == usual.count * count else {
      throw GraphError(
        path: x.builder.path, operation: operation,
        expected: "\(usual.count * count) activations, \(usual.count) for each direction",
        got: "\(all.count)")
    }
    return (0..<count).map { Array(all[$0 * usual.count..<($0 + 1) * usual.count]) }
  }
}
