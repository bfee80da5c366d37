import CrestTensor

extension Graph {
  /// The names of the parameters, in the order in which the data pass through them.
  ///
  /// Ties are in declared order, which may be arbitrary in a file.
  package var parametersByDepth: [String] {
    var data = Set(inputs.map(\.value))
    let meetsData = nodes.map { node in
      let meets = node.inputs.contains(where: data.contains)
      if meets { data.formUnion(node.outputs) }
      return meets
    }
    // A weight may be sliced or transposed before the data meet it.
    var first: [ValueID: Int] = [:]
    for (place, node) in nodes.enumerated().reversed() {
      let meeting =
        meetsData[place] ? place : node.outputs.compactMap { first[$0] }.min() ?? nodes.count
      for input in node.inputs { first[input] = min(first[input] ?? meeting, meeting) }
    }
    var meetings = [Int](repeating: nodes.count, count: variables.count)
    for (index, value) in values.enumerated() {
      guard case .variable(let number) = value.origin else { continue }
      meetings[number] = first[id(ofValue: index)] ?? nodes.count
    }
    return variables.indices.filter { variables[$0].role != nil }
      .sorted { (meetings[$0], $0) < (meetings[$1], $1) }
      .map { variables[$0].name }
  }
}

/// What optimisers need to know of how a graph uses its parameters.
package struct ParameterUses: Sendable {
  /// Tables from which rows are chosen by their index, such as embeddings.
  package private(set) var tables: Set<String> = []
  /// Filters of convolutions, transposed ones included.
  package private(set) var filters: Set<String> = []
  /// The last weight of two or more dimensions that the data pass through: the network's head, in most networks.
  package let lastWeight: String?
  private var outputAxes: [String: Int] = [:]

  /// What `graph` uses its parameters for.
  package init(of graph: Graph) {
    let weights = Set(
      graph.variables.filter { $0.role == .weight && $0.type.shape.rank > 1 }.map(\.name))
    lastWeight = graph.parametersByDepth.last(where: weights.contains)
    var transposed: [Graph.ValueID: (name: String, permutation: [Int])] = [:]
    /// The parameter that a value is, and for each of its axes that of the parameter.
    func parameter(_ value: Graph.ValueID) -> (name: String, permutation: [Int])? {
      guard case .variable(let number) = graph.values[value.index].origin else {
        return transposed[value]
      }
      return (graph.variables[number].name, Array(0..<graph.type(of: value).shape.rank))
    }
    for node in graph.nodes {
      // The second input of a product is its weight as a rule, and is noted before the first.
      for place in node.inputs.indices.reversed() {
        guard let (name, permutation) = parameter(node.inputs[place]) else { continue }
        switch node.operation.weightUse(place, rank: permutation.count) {
        case .table: tables.insert(name)
        case .filter(let axis):
          filters.insert(name)
          if weights.contains(name), outputAxes[name] == nil {
            outputAxes[name] = permutation[axis]
          }
        case .matrix(let axis):
          if weights.contains(name), outputAxes[name] == nil {
            outputAxes[name] = permutation[axis]
          }
        case nil: break
        }
      }
      if case .transposed(let order) = node.operation.arrangement,
        case .variable(let number) = graph.values[node.inputs[0].index].origin
      {
        transposed[node.outputs[0]] = (graph.variables[number].name, order)
      }
    }
  }

  /// The axis along which a weight has its outputs: 0, but for matrices that the data are multiplied by from the left and
  /// filters of transposed convolutions.
  package func outputAxis(of name: String) -> Int { outputAxes[name] ?? 0 }
}
