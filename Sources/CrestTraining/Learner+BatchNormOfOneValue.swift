import CrestGraph
import CrestLayers
import CrestTensor

extension Learner {
  /// The layers in which a batch norm would see one value a channel in training, were a batch of one example.
  var normalizationsOfOneValue: [String] {
    // Of a fixed size, no batch is smaller.
    guard (model.template.fixedBatchSize ?? 1) == 1 else { return [] }
    let types = model.inputs.map { $0.batchType(1) }
    // A graph that takes no batch of one example is refused when it is given one.
    guard let graph = try? model.template.graph(for: types),
      let values = try? GraphBuilder().replay(graph, inputTypes: types, mode: .inference)
    else { return [] }
    return graph.nodes.compactMap { node in
      guard node.operation is BatchNormalization, let shape = values[node.inputs[0]]?.shape,
        shape.elementCount == shape[1]
      else { return nil }
      if case .variable(let number) = graph.values[node.inputs[3].index].origin,
        frozen.contains(graph.variables[number].name)
      {
        return nil
      }
      return node.path
    }
  }
}
