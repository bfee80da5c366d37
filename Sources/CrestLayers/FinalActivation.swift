import CrestGraph
import CrestTensor

/// The end of a network: the operation that produces its predictions, and the operations after it
/// that only move, select or clip them.
///
/// The only code that walks back from an output; every question about a network's end goes through
/// it.
struct NetworkEnd {
  /// What produces the predictions.
  enum Kind {
    /// Probabilities along an axis, from a softmax and its input.
    case softmax(axis: Int, of: ValueID)
    /// Logarithms of probabilities along an axis.
    case logSoftmax(axis: Int)
    /// Independent probabilities, from a sigmoid and its input.
    case sigmoid(of: ValueID)
    /// Logarithms of independent probabilities.
    case logSigmoid
    /// Numbers from 0 to 1 on a piecewise linear curve (HardSigmoid).
    case hardSigmoid
    /// Numbers proved to lie from 0 to 1 by the operation that produces them.
    case fraction(operation: String)
    /// Anything else.
    case other
  }

  /// The operations after it, last first.
  private enum Move {
    case transposed(Graph.Node)
    case reshaped(Graph.Node)
    case picked
    case clipped
  }

  private let moves: [Move]
  /// What produces the predictions.
  let kind: Kind

  /// The end of a graph at `output`.
  init(of output: ValueID, in graph: Graph) {
    var value = output
    var moves: [Move] = []
    var kind = Kind.other
    walk: while let node = graph.producer(of: value), !graph.isHardSigmoid(value) {
      switch node.operation {
      case is CrestGraph.Transpose: moves.append(.transposed(node))
      case is CrestGraph.Reshape, is CrestGraph.Flatten, is CrestGraph.Squeeze,
        is CrestGraph.Unsqueeze:
        moves.append(.reshaped(node))
      case is CrestGraph.Slice, is CrestGraph.Gather: moves.append(.picked)
      default:
        if let clipped = graph.clipped(by: node) {
          moves.append(.clipped)
          value = clipped
          continue
        }
        kind = graph.kind(of: node)
        break walk
      }
      value = node.inputs[0]
    }
    self.moves = moves
    if graph.isHardSigmoid(value) {
      self.kind = .hardSigmoid
    } else if case .other = kind, graph.isFraction(output), let last = graph.producer(of: output) {
      self.kind = .fraction(
        operation: graph.clipped(by: last) != nil ? "Clip" : last.operation.name)
    } else {
      self.kind = kind
    }
  }

  /// The axis of the predictions that corresponds to an axis of the activation; nil if unknown.
  private func place(of axis: Int) -> Int? {
    var axis = axis
    for move in moves.reversed() {
      switch move {
      case .transposed(let node):
        guard let transpose = node.operation as? CrestGraph.Transpose,
          let place = transpose.permutation.firstIndex(of: axis)
        else { return nil }
        axis = place
      case .clipped: continue
      case .reshaped, .picked: return nil
      }
    }
    return axis
  }

  /// The axis of the softmax or log-softmax that produces the predictions, perhaps transposed or
  /// clipped; nil if there is neither.
  var softmaxAxis: Int? {
    switch kind {
    case .softmax(let axis, _), .logSoftmax(let axis): place(of: axis)
    case .sigmoid, .logSigmoid, .hardSigmoid, .fraction, .other: nil
    }
  }

  /// The activation that produces all of the predictions; nil if it isn't `activation`.
  func final(_ activation: Loss.Activation) -> FinalActivation? {
    var arrangements: [Graph.Node] = []
    for move in moves {
      switch move {
      case .transposed(let node): arrangements.append(node)
      case .reshaped(let node):
        guard activation == .sigmoid else { return nil }
        arrangements.append(node)
      case .clipped: continue
      case .picked: return nil
      }
    }
    switch (kind, activation) {
    case (.softmax(let axis, let input), .softmax(let classAxis)) where place(of: axis) == classAxis:
      return FinalActivation(input: input, arrangements: arrangements)
    case (.sigmoid(let input), .sigmoid):
      return FinalActivation(input: input, arrangements: arrangements)
    default: return nil
    }
  }

  /// What the predictions are instead of the input of `activation`, and the operation that produces
  /// them; nil if they may be logits.
  func probabilities(takenFor activation: Loss.Activation) -> MistakenLogits? {
    switch (kind, activation) {
    case (.softmax, _): MistakenLogits(operation: "Softmax", kind: .probabilities)
    case (.sigmoid, _): MistakenLogits(operation: "Sigmoid", kind: .probabilities)
    case (.hardSigmoid, _): MistakenLogits(operation: "HardSigmoid", kind: .probabilities)
    case (.fraction(let operation), _):
      MistakenLogits(operation: operation, kind: .fractions)
    // The softmax of logarithms of probabilities is these probabilities.
    case (.logSoftmax, .softmax(let classAxis)) where softmaxAxis.map { $0 == classAxis } ?? true:
      nil
    case (.logSoftmax, _): MistakenLogits(operation: "LogSoftmax", kind: .logarithms)
    case (.logSigmoid, _): MistakenLogits(operation: "LogSigmoid", kind: .logarithms)
    case (.other, _): nil
    }
  }
}

/// The activation at the end of a network, perhaps followed by operations that rearrange or clip
/// its results.
struct FinalActivation {
  /// The input of the activation.
  let input: ValueID
  /// The nodes after it that rearrange its results, last first.
  let arrangements: [Graph.Node]

  /// Traces the same rearrangements of a value other than the activation's results.
  func arranged(_ symbol: Symbol) throws -> Symbol {
    let builder = symbol.builder
    return try arrangements.reversed().reduce(symbol) { symbol, node in
      try builder.apply(node.operation, [symbol] + node.inputs.dropFirst().map(builder.symbol))[0]
    }
  }
}

/// Predictions that a loss would mistake for logits.
package struct MistakenLogits: Sendable, Hashable {
  /// What it is.
  package enum Kind: Sendable, Hashable {
    /// Probabilities.
    case probabilities
    /// Their logarithms.
    case logarithms
    /// Numbers that always lie from 0 to 1.
    case fractions
  }

  /// The operation that produces them, by its ONNX name.
  package let operation: String
  /// What it is.
  package let kind: Kind
}

extension Graph {
  /// The node that produces a value as its first output.
  fileprivate func producer(of value: ValueID) -> Node? {
    guard case .node(let number, output: 0) = values[value.index].origin else { return nil }
    return nodes[number]
  }

  /// Whether all elements of a value lie from 0 to 1 for any inputs.
  fileprivate func isFraction(_ value: ValueID) -> Bool {
    let range = valueRange(of: value)
    return range.lowerBound >= 0 && range.upperBound <= 1
  }

  /// The only element of a constant.
  private func number(_ value: ValueID) -> Double? {
    guard case .constant(let constant) = values[value.index].origin, constant.elementCount == 1
    else { return nil }
    return constant.doubles[0]
  }

  /// The value that a node clips on one side; nil if it does something else.
  fileprivate func clipped(by node: Node) -> ValueID? {
    guard node.function == .select, node.inputs.count == 3,
      number(node.inputs[0]) != nil
    else { return nil }
    return node.inputs[1]
  }

  /// Whether a value is α · x + β clipped to 0 … 1.
  fileprivate func isHardSigmoid(_ value: ValueID) -> Bool {
    let (line, bounds) = unclipped(value)
    guard bounds.contains(0), bounds.contains(1), let scaled = shifted(line).flatMap(producer)
    else { return false }
    return scaled.function == .multiply && scaled.inputs.contains { number($0) != nil }
      || scaled.function == .divide && number(scaled.inputs[1]) != nil
  }

  /// Whether a value is x + β clipped to 0 … `height`, as in relu6(x + 3) before the division by 6.
  private func isRamp(_ value: ValueID, to height: Double) -> Bool {
    let (line, bounds) = unclipped(value)
    return bounds.contains(0) && bounds.contains { abs($0 - height) <= 1e-6 * height }
      && shifted(line) != nil
  }

  /// A value before clipping, and the bounds.
  private func unclipped(_ value: ValueID) -> (ValueID, bounds: [Double]) {
    var (value, bounds) = (value, [Double]())
    while let node = producer(of: value) {
      if let inner = clipped(by: node), let bound = number(node.inputs[0]) {
        bounds.append(bound)
        value = inner
      } else if node.function == .relu {
        bounds.append(0)
        value = node.inputs[0]
      } else {
        break
      }
    }
    return (value, bounds)
  }

  /// The value to which a number was added.
  private func shifted(_ value: ValueID) -> ValueID? {
    guard let sum = producer(of: value), sum.function == .add else { return nil }
    return other(than: sum.inputs.compactMap(number), of: sum)
  }

  /// Of a node's two inputs, the one that isn't a constant number, if the other is.
  private func other(than numbers: [Double], of node: Node) -> ValueID? {
    guard numbers.count == 1, node.inputs.count == 2 else { return nil }
    return node.inputs.first { number($0) == nil }
  }

  /// The input of a function of one input.
  private func input(of function: ElementwiseFunction, _ value: ValueID) -> ValueID? {
    guard let node = producer(of: value), node.function == function else { return nil }
    return node.inputs[0]
  }

  /// The kind of end that a node is, if it neither moves nor clips.
  fileprivate func kind(of node: Node) -> NetworkEnd.Kind {
    switch node.operation {
    case let softmax as CrestGraph.Softmax: .softmax(axis: softmax.axis, of: node.inputs[0])
    case let softmax as CrestGraph.LogSoftmax: .logSoftmax(axis: softmax.axis)
    case Elementwise(.sigmoid): .sigmoid(of: node.inputs[0])
    case Elementwise(.exponential):
      if let inner = producer(of: node.inputs[0]),
        let softmax = inner.operation as? CrestGraph.LogSoftmax
      {
        .softmax(axis: softmax.axis, of: inner.inputs[0])
      } else {
        .other
      }
    case Elementwise(.logarithm):
      if let inner = producer(of: node.inputs[0]) {
        switch kind(of: inner) {
        case .softmax(let axis, _): .logSoftmax(axis: axis)
        case .sigmoid: .logSigmoid
        case .logSoftmax, .logSigmoid, .hardSigmoid, .fraction, .other: .other
        }
      } else {
        .other
      }
    case Elementwise(.negate):
      // log sigmoid(x) = -softplus(-x)
      if let inner = input(of: .softplus, node.inputs[0]),
        input(of: .negate, inner) != nil
      {
        .logSigmoid
      } else {
        .other
      }
    case Elementwise(.reciprocal): sigmoid(over: node.inputs[0])
    case Elementwise(.divide) where number(node.inputs[0]) == 1: sigmoid(over: node.inputs[1])
    case Elementwise(.divide):
      if let divisor = number(node.inputs[1]) {
        isRamp(node.inputs[0], to: divisor) ? .hardSigmoid : .other
      } else {
        softmax(writtenAs: node)
      }
    case Elementwise(.multiply):
      if let factor = node.inputs.lazy.compactMap(number).first,
        let ramp = other(than: [factor], of: node), isRamp(ramp, to: 1 / factor)
      {
        .hardSigmoid
      } else {
        .other
      }
    default: .other
    }
  }

  /// A sigmoid that is written out, 1 / (1 + e^(-x)), by what it divides by.
  private func sigmoid(over divisor: ValueID) -> NetworkEnd.Kind {
    guard let sum = producer(of: divisor), sum.function == .add,
      sum.inputs.compactMap(number) == [1], let power = other(than: [1], of: sum),
      let exponent = input(of: .exponential, power)
    else { return .other }
    if let x = input(of: .negate, exponent) { return .sigmoid(of: x) }
    guard let product = producer(of: exponent), product.function == .multiply,
      product.inputs.compactMap(number) == [-1], let x = other(than: [-1], of: product)
    else { return .other }
    return .sigmoid(of: x)
  }

  /// A softmax that is written out, e^x / Σ e^x.
  private func softmax(writtenAs node: Node) -> NetworkEnd.Kind {
    guard node.inputs.count == 2, let x = input(of: .exponential, node.inputs[0]),
      let sum = producer(of: node.inputs[1]),
      let reduction = sum.operation as? Reduce, reduction.kind == .sum,
      reduction.keepsDimensions, reduction.axes.count == 1, sum.inputs[0] == node.inputs[0]
    else { return .other }
    return .softmax(axis: reduction.axes[0], of: x)
  }
}
