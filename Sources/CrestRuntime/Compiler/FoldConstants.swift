import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with nodes of constants only replaced by their results.
  ///
  /// A result much larger than what it comes from (a scalar expanded over a batch) stays computed:
  /// the constant would cost more memory than the node costs time.
  func foldingConstants() throws -> Graph {
    try rewritten { builder, node, inputs in
      let constants = inputs.compactMap { builder.result.constant($0.id) }
      guard constants.count == inputs.count, !node.operation.isRandom else { return nil }
      let results = try node.operation.evaluate(
        constants.map(ReferenceArray.init), random: RandomKey(seed: 0, step: 0), path: node.path)
      let given = constants.reduce(64) { $0 + $1.elementCount }
      guard results.allSatisfy({ $0.shape.elementCount <= given }) else { return nil }
      return results.map { builder.constant($0.tensor) }
    }
  }
}
