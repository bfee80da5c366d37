import CrestTensor

extension GraphBuilder {
  /// Traces the gradients of a scalar with respect to values: the backward pass is a graph, too.
  ///
  /// Reverse mode: nodes between the values and `loss` are visited from the last to the first, each
  /// operation tracing what it passes on; a value read twice gets the sum. New nodes go to the
  /// backward stage, under the path of the node they come from.
  ///
  /// - Parameters:
  ///   - loss: A float value of shape `[]`, of this graph as all values.
  ///   - values: What to differentiate by.
  /// - Returns: A gradient for each of `values`, of its shape; nil where the loss doesn't depend on
  ///   it.
  /// - Throws: ``GraphError`` when an operation on the way has no gradient.
  public func gradients(of loss: Symbol, withRespectTo values: [Symbol]) throws -> [Symbol?] {
    for symbol in [loss] + values { require(symbol) }
    programmerError(unless: loss.shape == [], "the loss has shape \(loss.shape), not []")
    let graph = result
    let wanted = Set(values.map(\.id))
    var depends = wanted
    for node in graph.nodes where node.inputs.contains(where: depends.contains) {
      depends.formUnion(node.outputs)
    }

    var gradients: [Graph.ValueID: Symbol] = [:]
    if depends.contains(loss.id) { gradients[loss.id] = try loss.scalar(1) }
    for node in graph.nodes.reversed()
    where node.outputs.contains(where: { gradients[$0] != nil })
      && node.inputs.contains(where: depends.contains)
    {
      try placed(path: node.path, stage: .backward) {
        let parts = try node.operation.gradients(
          GradientContext(
            path: node.path, inputs: node.inputs.map(symbol), outputs: node.outputs.map(symbol),
            outputGradients: node.outputs.map { gradients[$0] },
            isNeeded: node.inputs.map(depends.contains)))
        programmerError(
          unless: parts.count == node.inputs.count,
          "\(node.operation.name) gave \(parts.count) gradients for \(node.inputs.count) inputs")
        for (input, part) in zip(node.inputs, parts) where depends.contains(input) {
          guard let part else { continue }
          programmerError(
            unless: part.shape == graph.type(of: input).shape,
            "\(node.operation.name) gave a gradient \(part.shape) for \(graph.type(of: input))")
          gradients[input] = try gradients[input].map { try $0 + part } ?? part
        }
      }
    }
    return values.map { gradients[$0.id] }
  }
}
