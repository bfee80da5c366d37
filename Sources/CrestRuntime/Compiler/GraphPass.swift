import CrestGraph
import CrestTensor

extension Graph {
  /// The nodes that outputs and updates depend on.
  var neededNodes: Set<Int> {
    var needed: Set<Int> = []
    var pending = outputs.map(\.value) + updates.map(\.value)
    while let value = pending.popLast() {
      guard case .node(let number, _) = values[value.index].origin,
        needed.insert(number).inserted
      else { continue }
      pending += nodes[number].inputs
    }
    return needed
  }

  /// The graph without nodes that nothing depends on, each remaining one as `rewrite` says.
  ///
  /// - Parameter rewrite: What stands in for a node, given the graph being built and the new
  ///   symbols of its inputs; nil to keep it.
  /// - Returns: The new graph, with the same inputs, variables, outputs and updates.
  /// - Throws: ``GraphError``, or what `rewrite` throws.
  func rewritten(
    _ rewrite: (GraphBuilder, Node, [Symbol]) throws -> [Symbol]?
  ) throws -> Graph {
    let builder = GraphBuilder()
    try builder.copy(
      self, inputTypes: inputs.map { type(of: $0.value) }, keepsUpdates: true, nodes: neededNodes
    ) { node, inputs in try rewrite(builder, node, inputs) }
    return builder.result
  }

  /// The nodes that read each value, of those that outputs and updates depend on.
  func readersByValue() -> [ValueID: [Int]] {
    var readers: [ValueID: [Int]] = [:]
    for number in neededNodes {
      for input in nodes[number].inputs { readers[input, default: []].append(number) }
    }
    return readers
  }
}
