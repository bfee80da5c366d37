import CrestGraph
import CrestTensor

/// What makes probabilities at the end of a network, perhaps before its results are arranged or clipped.
struct FinalActivation {
  /// What goes into the activation.
  let input: ValueID
  /// The nodes behind it that arrange its results, the last first.
  let arrangements: [Graph.Node]

  /// Traces the arrangements of something else than the activation's results.
  func arranged(_ symbol: Symbol) throws -> Symbol {
    let builder = symbol.builder
    return try arrangements.reversed().reduce(symbol) { symbol, node in
      try builder.apply(node.operation, [symbol] + node.inputs.dropFirst().map(builder.symbol))[0]
    }
  }
}

extension Graph {
  /// The node whose first output a value is.
  private func producer(of value: ValueID) -> Node? {
    guard case .node(let number, output: 0) = values[value.index].origin else { return nil }
    return nodes[number]
  }

  /// Whether a node holds a value within bounds.
  private func isClip(_ node: Node) -> Bool {
    guard case Elementwise(.select) = node.operation, node.inputs.count == 3,
      case .constant(let bound) = values[node.inputs[0].index].origin
    else { return false }
    return bound.elementCount == 1
  }

  /// The axis of the softmax or log-softmax that a value is the result of, perhaps transposed or clipped; nil when
  /// it is of neither.
  func softmaxAxis(of value: ValueID) -> Int? {
    var value = value
    // Where each axis of the value ends up.
    var places = Array(0..<values[value.index].type.shape.rank)
    while let node = producer(of: value) {
      switch node.operation {
      case let softmax as CrestGraph.Softmax: return places.firstIndex(of: softmax.axis)
      case let softmax as CrestGraph.LogSoftmax: return places.firstIndex(of: softmax.axis)
      case let transpose as CrestGraph.Transpose:
        places = places.map { transpose.permutation[$0] }
        value = node.inputs[0]
      default:
        guard isClip(node) else { return nil }
        value = node.inputs[1]
      }
    }
    return nil
  }

  /// The activation that a value is the result of, perhaps arranged or clipped; nil when it is of another operation.
  func final(_ activation: Loss.Activation, before value: ValueID) -> FinalActivation? {
    var (value, activation) = (value, activation)
    var arrangements: [Node] = []
    while let node = producer(of: value) {
      switch (node.operation, activation) {
      case (let softmax as CrestGraph.Softmax, .softmax(let axis)) where softmax.axis == axis:
        return FinalActivation(input: node.inputs[0], arrangements: arrangements)
      case (Elementwise(.sigmoid), .sigmoid):
        return FinalActivation(input: node.inputs[0], arrangements: arrangements)
      case (let transpose as CrestGraph.Transpose, .softmax(let axis)):
        activation = .softmax(axis: transpose.permutation[axis])
        arrangements.append(node)
        value = node.inputs[0]
      case (is CrestGraph.Transpose, .sigmoid), (is CrestGraph.Reshape, .sigmoid),
        (is CrestGraph.Flatten, .sigmoid), (is CrestGraph.Squeeze, .sigmoid),
        (is CrestGraph.Unsqueeze, .sigmoid):
        arrangements.append(node)
        value = node.inputs[0]
      default:
        guard isClip(node) else { return nil }
        value = node.inputs[1]
      }
    }
    return nil
  }

  /// The operation whose probabilities a value is some of, arranged or clipped; nil when there is none.
  func probabilities(behind value: ValueID) -> String? {
    var value = value
    while let node = producer(of: value) {
      switch node.operation {
      case is CrestGraph.Softmax, Elementwise(.sigmoid): return node.operation.name
      case is CrestGraph.Transpose, is CrestGraph.Reshape, is CrestGraph.Flatten,
        is CrestGraph.Squeeze, is CrestGraph.Unsqueeze, is CrestGraph.Slice, is CrestGraph.Gather:
        value = node.inputs[0]
      default:
        guard isClip(node) else { return nil }
        value = node.inputs[1]
      }
    }
    return nil
  }
}
