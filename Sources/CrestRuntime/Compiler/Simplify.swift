import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with nodes that change nothing left out, transposes taken into products, and equal
  /// nodes computed once.
  func simplified() throws -> Graph {
    var known: [NodeKey: [Symbol]] = [:]
    return try rewritten { builder, node, inputs in
      if let same = try Self.reshaped(node, inputs, builder) { return same }
      if let simpler = try node.operation.simplified(inputs) { return simpler }
      guard !node.operation.isRandom else { return nil }
      let key = NodeKey(operation: AnyHashable(node.operation), inputs: inputs.map(\.id))
      // Nodes run in order of their stage, so an equal node of an earlier one is always ready.
      if let equal = known[key] { return equal }
      let outputs = try builder.apply(node.operation, inputs)
      known[key] = outputs
      return outputs
    }
  }

  /// What makes two nodes compute the same.
  private struct NodeKey: Hashable {
    let operation: AnyHashable
    let inputs: [ValueID]
  }

  /// The input of a reshape to its own shape; of a reshape of a reshape, one reshape.
  private static func reshaped(
    _ node: Node, _ inputs: [Symbol], _ builder: GraphBuilder
  ) throws -> [Symbol]? {
    guard node.operation.arrangement == .reshaped else { return nil }
    let type = try node.operation.outputTypes(for: inputs.map(\.type))[0]
    if type == inputs[0].type { return inputs }
    guard let before = builder.result.producer(of: inputs[0].id),
      before.operation.arrangement == .reshaped
    else { return nil }
    return [try builder.symbol(before.inputs[0]).reshaped(exactlyTo: type.shape)]
  }
}
