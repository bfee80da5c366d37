import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with nodes of constants only replaced by their results.
  ///
  /// A result much larger than what it comes from (a scalar expanded over a batch) stays computed:
  /// the constant would cost more memory than the node costs time.
  func foldingConstants() throws -> Graph {
    // Far more than real models have; beyond it kernels are quicker than the reference.
    var budget = FoldingBudget(elementCount: 1 << 24)
    return try rewritten { builder, node, inputs in
      let constants = inputs.compactMap { builder.constantTensor($0) }
      guard constants.count == inputs.count else { return nil }
      let types = node.outputs.map { type(of: $0) }
      let given = constants.reduce(64) { $0 + $1.elementCount }
      guard types.allSatisfy({ $0.shape.elementCount <= given }) else { return nil }
      return try node.operation.folded(constants, types, &budget, path: node.path)?
        .map { builder.constant($0) }
    }
  }
}
