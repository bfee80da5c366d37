public import CrestGraph
import CrestTensor

/// What a recurrent layer gives of the steps of a sequence.
public enum RecurrentOutput: String, Sendable, Hashable, CaseIterable {
  /// The state after the last step, [N, D · units] (Keras' default): of a reversed direction the one after the first.
  case last
  /// The states after all steps, [N, T, D · units] (Keras `return_sequences`).
  case all
}

/// What long short-term memories, gated recurrent units and plain recurrent layers have in common.
///
/// x is [N, T, I]. Layer l has, for each direction, PyTorch's parameters in PyTorch's order of gates:
/// `weight_ih_l` [G · units, I], `weight_hh_l` [G · units, units], `bias_ih_l` and `bias_hh_l` [G · units], with
/// `_reverse` at the end for the second direction; all start uniform within ±1 / √units. The layer is unrolled, so its
/// graph grows with T.
public protocol RecurrentLayer: Layer {
  /// The size of the state.
  var units: Int { get }
  /// How many lie one above the other.
  var layerCount: Int { get }
  /// Whether each also reads the sequence from its end, with weights of its own.
  var isBidirectional: Bool { get }
  /// What is given of the steps.
  var output: RecurrentOutput { get }
  /// The rate of the dropout between layers.
  var dropoutRate: Double { get }
}

extension RecurrentLayer {
  /// The layer over sequences of which only the first steps count.
  ///
  /// - Parameters:
  ///   - x: [N, T, I].
  ///   - lengths: Integers [N]: how many steps of each sequence count; the state stays as it is after them, and what
  ///     is given of them is 0.
  /// - Returns: [N, T, D · units] or [N, D · units], see ``RecurrentOutput``.
  /// - Throws: `GraphError` when the shapes don't fit.
  public func callAsFunction(_ x: Symbol, lengths: Symbol) throws -> Symbol {
    guard let name else { return try stacked(x, lengths) }
    return try x.builder.scoped(name) { try stacked(x, lengths) }
  }

  /// The layer over whole sequences [N, T, I].
  ///
  /// - Throws: `GraphError` when x isn't a batch of sequences.
  public func trace(_ x: Symbol) throws -> Symbol { try stacked(x, nil) }

  private func stacked(_ x: Symbol, _ lengths: Symbol?) throws -> Symbol {
    let cell = cell
    guard x.shape.rank == 3 else {
      throw GraphError(
        path: x.builder.path, operation: cell.name, expected: "sequences [N, T, features]",
        got: "\(x.shape)")
    }
    var value = x
    var last = x
    for layer in 0..<layerCount {
      if layer > 0, dropoutRate > 0 { value = try value.dropout(dropoutRate) }
      let inputs = try cell.inputs(
        of: value, units: units, layer: layer, isBidirectional: isBidirectional, lengths: lengths)
      let attributes = Symbol.RecurrentAttributes(
        direction: isBidirectional ? .bidirectional : .forward, isBatchFirst: true)
      let (steps, hidden) = try cell.run(value, inputs, attributes)
      let width = units * (isBidirectional ? 2 : 1)
      value = try steps.reshaped(to: [-1, x.shape[1], width])
      last = try hidden.reshaped(to: [-1, width])
    }
    return output == .all ? value : last
  }

  /// Refuses settings that make no layer.
  func check() {
    let name = name ?? "recurrent layer"
    programmerError(
      unless: units >= 1 && layerCount >= 1,
      "\(name): \(units) units in \(layerCount) layers; at least 1 of each")
    programmerError(
      unless: dropoutRate >= 0 && dropoutRate < 1,
      "\(name): the rate of dropout is \(dropoutRate), not from 0 to below 1")
  }

  private var cell: RecurrentCell {
    switch self {
    case is LSTM: .lstm
    case is GRU: .gru
    case let plain as RNN: .plain(plain.activation)
    default: programmerError("\(Self.self) isn't one of LSTM, GRU and RNN")
    }
  }
}

/// Long short-term memory (Hochreiter & Schmidhuber 1997; Keras and PyTorch `LSTM`, ONNX `LSTM`).
///
///     c' = sigmoid(f) · c + sigmoid(i) · tanh(g), h' = sigmoid(o) · tanh(c'), each gate being W · x + b + U · h + b'
///
/// x is [N, T, I], y [N, T, D · units] or [N, D · units], see ``RecurrentOutput``. Parameters as ``RecurrentLayer``
/// says, G being 4 in the order i, f, g, o.
public struct LSTM: RecurrentLayer {
  /// The scope.
  public let name: String?
  /// The size of the state.
  public let units: Int
  /// How many lie one above the other.
  public let layerCount: Int
  /// Whether each also reads the sequence from its end, with weights of its own.
  public let isBidirectional: Bool
  /// What is given of the steps.
  public let output: RecurrentOutput
  /// The rate of the dropout between layers.
  public let dropoutRate: Double

  /// A layer of `units`.
  ///
  /// - Precondition: `units` and `layers` are at least 1, `dropout` is from 0 to below 1.
  public init(
    _ units: Int, layers: Int = 1, bidirectional: Bool = false, output: RecurrentOutput = .last,
    dropout: Double = 0, name: String = "lstm"
  ) {
    (self.units, layerCount, isBidirectional) = (units, layers, bidirectional)
    (self.output, dropoutRate, self.name) = (output, dropout, name)
    check()
  }
}

/// Gated recurrent unit (Cho and others 2014; Keras and PyTorch `GRU`, ONNX `GRU` with `linear_before_reset` 1).
///
///     n = tanh(Wₙ · x + bₙ + r · (Uₙ · h + b'ₙ)), h' = (1 - z) · n + z · h, r and z being sigmoids of W · x + b + U · h + b'
///
/// x is [N, T, I], y [N, T, D · units] or [N, D · units], see ``RecurrentOutput``. Parameters as ``RecurrentLayer``
/// says, G being 3 in the order r, z, n.
public struct GRU: RecurrentLayer {
  /// The scope.
  public let name: String?
  /// The size of the state.
  public let units: Int
  /// How many lie one above the other.
  public let layerCount: Int
  /// Whether each also reads the sequence from its end, with weights of its own.
  public let isBidirectional: Bool
  /// What is given of the steps.
  public let output: RecurrentOutput
  /// The rate of the dropout between layers.
  public let dropoutRate: Double

  /// A layer of `units`.
  ///
  /// - Precondition: `units` and `layers` are at least 1, `dropout` is from 0 to below 1.
  public init(
    _ units: Int, layers: Int = 1, bidirectional: Bool = false, output: RecurrentOutput = .last,
    dropout: Double = 0, name: String = "gru"
  ) {
    (self.units, layerCount, isBidirectional) = (units, layers, bidirectional)
    (self.output, dropoutRate, self.name) = (output, dropout, name)
    check()
  }
}

/// Plain recurrent layer (Elman 1990; Keras `SimpleRNN`, PyTorch and ONNX `RNN`).
///
///     h' = f(W · x + b + U · h + b')
///
/// x is [N, T, I], y [N, T, D · units] or [N, D · units], see ``RecurrentOutput``. Parameters as ``RecurrentLayer``
/// says, G being 1.
public struct RNN: RecurrentLayer {
  /// What the new state is the activation of.
  public enum Activation: String, Sendable, Hashable, CaseIterable {
    /// The hyperbolic tangent.
    case tanh
    /// max(x, 0).
    case relu
  }

  /// The scope.
  public let name: String?
  /// The size of the state.
  public let units: Int
  /// How many lie one above the other.
  public let layerCount: Int
  /// Whether each also reads the sequence from its end, with weights of its own.
  public let isBidirectional: Bool
  /// What is given of the steps.
  public let output: RecurrentOutput
  /// The rate of the dropout between layers.
  public let dropoutRate: Double
  /// The activation f.
  public let activation: Activation

  /// A layer of `units`.
  ///
  /// - Precondition: `units` and `layers` are at least 1, `dropout` is from 0 to below 1.
  public init(
    _ units: Int, activation: Activation = .tanh, layers: Int = 1, bidirectional: Bool = false,
    output: RecurrentOutput = .last, dropout: Double = 0, name: String = "rnn"
  ) {
    (self.units, layerCount, isBidirectional) = (units, layers, bidirectional)
    (self.output, dropoutRate, self.activation, self.name) = (output, dropout, activation, name)
    check()
  }
}

/// What differs between kinds of recurrent layers.
private enum RecurrentCell {
  case lstm, gru
  case plain(RNN.Activation)

  /// The kind's name.
  var name: String {
    switch self {
    case .lstm: "LSTM"
    case .gru: "GRU"
    case .plain: "RNN"
    }
  }

  /// Which gate of PyTorch's order stands at each place of ONNX's.
  private var order: [Int] {
    switch self {
    // i, f, g, o in PyTorch; i, o, f, g in ONNX.
    case .lstm: [0, 3, 1, 2]
    // r, z, n in PyTorch; z, r, n in ONNX.
    case .gru: [1, 0, 2]
    case .plain: [0]
    }
  }

  /// Declares the parameters of a layer and arranges them as ONNX does.
  func inputs(
    of x: Symbol, units: Int, layer: Int, isBidirectional: Bool, lengths: Symbol?
  ) throws -> Symbol.RecurrentInputs {
    let bound = 1 / Double(units).squareRoot()
    let (rows, overflow) = units.multipliedReportingOverflow(by: order.count)
    guard !overflow else {
      throw GraphError(
        path: x.builder.path, operation: name, expected: "units whose weights fit in memory",
        got: "\(units)")
    }
    func arranged(_ kind: String, _ sizes: [Int], _ role: Graph.ParameterRole) throws -> [Symbol] {
      try (isBidirectional ? ["", "_reverse"] : [""]).map { direction in
        let parameter = try x.parameter(
          "\(kind)_l\(layer)\(direction)", sizes: sizes, role: role,
          .uniform(from: -bound, to: bound))
        guard order.count > 1 else { return parameter }
        let gates = try parameter.split(count: order.count)
        let inOrder = order.map { gates[$0] }
        return try inOrder[0].concatenated(with: Array(inOrder.dropFirst()), axis: 0)
      }
    }
    func stacked(_ directions: [Symbol]) throws -> Symbol {
      let apart = try directions.map { try $0.unsqueezed(axes: [0]) }
      return try apart[0].concatenated(with: Array(apart.dropFirst()), axis: 0)
    }
    let weight = try arranged("weight_ih", [rows, x.shape[2]], .weight)
    let recurrent = try arranged("weight_hh", [rows, units], .weight)
    let biases = try zip(
      arranged("bias_ih", [rows], .bias), arranged("bias_hh", [rows], .bias)
    ).map { try $0.concatenated(with: [$1], axis: 0) }
    return Symbol.RecurrentInputs(
      weight: try stacked(weight), recurrentWeight: try stacked(recurrent),
      bias: try stacked(biases), sequenceLengths: lengths)
  }

  /// All steps [N, T, D, H] and the last state [N, D, H].
  func run(
    _ x: Symbol, _ inputs: Symbol.RecurrentInputs, _ attributes: Symbol.RecurrentAttributes
  ) throws -> (steps: Symbol, hidden: Symbol) {
    switch self {
    case .lstm:
      let result = try x.lstm(inputs, attributes)
      return (result.steps, result.hidden)
    case .gru: return try x.gru(inputs, attributes, isLinearBeforeReset: true)
    case .plain(let activation):
      let function: Symbol.RecurrentActivation = activation == .relu ? .relu : .tanh
      return try x.rnn(
        inputs, attributes,
        activations: [Symbol.RecurrentActivation](
          repeating: function, count: attributes.direction.count))
    }
  }
}
