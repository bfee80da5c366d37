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
    for node in graph.nodes {
      /// The parameter that an input is, transposed or not, and the axis of it that an axis of the input is.
      func parameter(_ place: Int, axis: (Int) -> Int) -> (name: String, axis: Int)? {
        let value = node.inputs[place]
        let axis = axis(graph.type(of: value).shape.rank)
        if case .variable(let number) = graph.values[value.index].origin {
          return (graph.variables[number].name, axis)
        }
        return transposed[value].map { ($0.name, $0.permutation[axis]) }
      }
      func note(_ parameter: (name: String, axis: Int)?) {
        guard let parameter, weights.contains(parameter.name) else { return }
        if outputAxes[parameter.name] == nil { outputAxes[parameter.name] = parameter.axis }
      }
      switch node.operation {
      case let transpose as Transpose:
        if let found = parameter(0, axis: { _ in 0 }), transposed[node.inputs[0]] == nil {
          transposed[node.outputs[0]] = (found.name, transpose.permutation)
        }
      case is Gather, is GatherND, is GatherElements:
        if let table = parameter(0, axis: { _ in 0 }) { tables.insert(table.name) }
      case is Conv:
        if let filter = parameter(1, axis: { _ in 0 }) { filters.insert(filter.name) }
      case is ConvTranspose:
        let filter = parameter(1) { _ in 1 }
        if let filter { filters.insert(filter.name) }
        note(filter)
      case let gemm as Gemm:
        note(parameter(1) { _ in gemm.transposesB ? 0 : 1 })
        note(parameter(0) { _ in gemm.transposesA ? 1 : 0 })
      case is MatMul:
        if graph.type(of: node.inputs[1]).shape.rank > 1 { note(parameter(1) { $0 - 1 }) }
        if graph.type(of: node.inputs[0]).shape.rank > 1 { note(parameter(0) { $0 - 2 }) }
      default: break
      }
    }
  }

  /// The axis along which a weight has its outputs: 0, but for matrices that the data are multiplied by from the left and
  /// filters of transposed convolutions.
  package func outputAxis(of name: String) -> Int { outputAxes[name] ?? 0 }
}
