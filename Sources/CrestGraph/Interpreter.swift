import CrestTensor

/// Runs a graph by the reference meaning of its operations: the oracle for kernels and gradients.
package struct Interpreter: Sendable {
  private let graph: Graph

  /// An interpreter of `graph`.
  package init(_ graph: Graph) { self.graph = graph }

  /// Evaluates every value of the graph.
  ///
  /// - Parameters:
  ///   - inputs: A value for each input, in the graph's order.
  ///   - variables: A value for each variable, in the graph's order.
  ///   - random: The key of dropout.
  /// - Returns: All values, by number.
  /// - Throws: ``GraphError`` when an index that the graph computes names nothing.
  /// - Precondition: the values have the types the graph says.
  package func run(
    inputs: [ReferenceArray], variables: [ReferenceArray],
    random: RandomKey = RandomKey(seed: 0, step: 0)
  ) throws(GraphError) -> [ReferenceArray] {
    programmerError(
      unless: inputs.count == graph.inputs.count && variables.count == graph.variables.count,
      "\(inputs.count) inputs and \(variables.count) variables for \(graph.inputs.count) and "
        + "\(graph.variables.count)")
    let ports = Dictionary(
      uniqueKeysWithValues: zip(graph.inputs.map(\.value), inputs))
    var results: [ReferenceArray] = []
    results.reserveCapacity(graph.values.count)
    var pending: [ReferenceArray] = []
    for (index, value) in graph.values.enumerated() {
      switch value.origin {
      case .input:
        guard let given = ports[Graph.ValueID(index)] else {
          programmerError("input \(Graph.ValueID(index)) is not among the graph's inputs")
        }
        results.append(given)
      case .variable(let number): results.append(variables[number])
      case .constant(let tensor): results.append(ReferenceArray(tensor))
      case .node(let number, let output):
        let node = graph.nodes[number]
        if output == 0 {
          pending = try node.operation.evaluate(
            node.inputs.map { results[$0.index] }, random: random, path: node.path)
        }
        results.append(pending[output])
      }
      programmerError(
        unless: results[index].type.shape == value.type.shape,
        "value \(Graph.ValueID(index)) is \(results[index].type), not \(value.type)")
    }
    return results
  }
}
