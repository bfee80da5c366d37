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
    case softmax(axis: Int, of: Graph.ValueID)
    /// Logarithms of probabilities along an axis.
    case logSoftmax(axis: Int)
    /// Independent probabilities, from a sigmoid and its input.
    case sigmoid(of: Graph.ValueID)
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
    case arranged(Graph.Node, Arrangement)
    case clipped
  }

  private let moves: [Move]
  /// What produces the predictions.
  let kind: Kind

  /// The end of a graph at `output`.
  init(of output: Graph.ValueID, in graph: Graph) {
    var value = output
    var moves: [Move] = []
    var kind = Kind.other
    while let node = graph.producer(of: value), !graph.isHardSigmoid(value) {
      if let clipped = graph.clipped(by: node) {
        moves.append(.clipped)
        value = clipped
      } else if let arrangement = node.operation.arrangement, arrangement != .repeated {
        moves.append(.arranged(node, arrangement))
        value = node.inputs[0]
      } else {
        kind = graph.kind(of: node)
        break
      }
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
      case .arranged(_, .transposed(let permutation)):
        guard let place = permutation.firstIndex(of: axis) else { return nil }
        axis = place
      case .clipped: continue
      case .arranged: return nil
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
      case .arranged(let node, .transposed): arrangements.append(node)
      case .arranged(let node, .reshaped) where activation == .sigmoid: arrangements.append(node)
      case .clipped: continue
      case .arranged: return nil
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
  let input: Graph.ValueID
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

/// What the numbers that a network predicts are.
package enum OutputForm: Sendable, Hashable {
  /// Logits, or values.
  case numbers
  /// Probabilities.
  case probabilities
  /// Logarithms of probabilities.
  case logarithms
}

extension Graph {
  /// What the first output is.
  ///
  /// - Precondition: there is one.
  package var outputForm: OutputForm {
    guard let output = outputs.first else { programmerError("the graph has no output") }
    return switch NetworkEnd(of: output.value, in: self).kind {
    case .softmax, .sigmoid, .hardSigmoid, .fraction: .probabilities
    case .logSoftmax, .logSigmoid: .logarithms
    case .other: .numbers
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
  /// Whether all elements of a value lie from 0 to 1 for any inputs.
  fileprivate func isFraction(_ value: ValueID) -> Bool {
    let range = valueRange(of: value)
    return range.lowerBound >= 0 && range.upperBound <= 1
  }

  /// The only element of a constant.
  private func number(_ value: ValueID) -> Double? {
    guard let constant = constant(value), constant.elementCount == 1 else { return nil }
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
    if let softmax = node.operation as? CrestGraph.Softmax {
      return switch softmax.kind {
      case .plain: .softmax(axis: softmax.axis, of: node.inputs[0])
      case .log: .logSoftmax(axis: softmax.axis)
      }
    }
    return switch node.function {
    case .sigmoid: .sigmoid(of: node.inputs[0])
    case .exponential: exponential(of: node.inputs[0])
    case .logarithm: logarithm(of: node.inputs[0])
    case .negate: negative(of: node.inputs[0])
    case .reciprocal: sigmoid(over: node.inputs[0])
    case .divide: quotient(node)
    case .multiply: product(node)
    default: .other
    }
  }

  private func exponential(of value: ValueID) -> NetworkEnd.Kind {
    guard let inner = producer(of: value), inner.function == nil,
      case .logSoftmax(let axis) = kind(of: inner)
    else { return .other }
    return .softmax(axis: axis, of: inner.inputs[0])
  }

  private func logarithm(of value: ValueID) -> NetworkEnd.Kind {
    // Of a logarithm none has a name; a file may have any number of them.
    guard let inner = producer(of: value), inner.function != .logarithm else { return .other }
    return switch kind(of: inner) {
    case .softmax(let axis, _): .logSoftmax(axis: axis)
    case .sigmoid: .logSigmoid
    case .logSoftmax, .logSigmoid, .hardSigmoid, .fraction, .other: .other
    }
  }

  /// As log sigmoid(x) = -softplus(-x).
  private func negative(of value: ValueID) -> NetworkEnd.Kind {
    guard let inner = input(of: .softplus, value), input(of: .negate, inner) != nil else {
      return .other
    }
    return .logSigmoid
  }

  private func quotient(_ node: Node) -> NetworkEnd.Kind {
    if number(node.inputs[0]) == 1 { return sigmoid(over: node.inputs[1]) }
    guard let divisor = number(node.inputs[1]) else { return softmax(writtenAs: node) }
    return isRamp(node.inputs[0], to: divisor) ? .hardSigmoid : .other
  }

  private func product(_ node: Node) -> NetworkEnd.Kind {
    guard let factor = node.inputs.lazy.compactMap(number).first,
      let ramp = other(than: [factor], of: node), isRamp(ramp, to: 1 / factor)
    else { return .other }
    return .hardSigmoid
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
      let divisor = producer(of: node.inputs[1]), let sum = divisor.sum,
      sum.keepsDimensions, sum.axes.count == 1, divisor.inputs[0] == node.inputs[0]
    else { return .other }
    return .softmax(axis: sum.axes[0], of: x)
  }
}
