/// A running statistic that batch norms alone update.
package struct BatchNormStatistic: Sendable, Hashable {
  /// Its name among the variables.
  package let name: String
  /// The fraction of it that a training step keeps: the product of the momenta of all batch norms that share it.
  package let kept: Double
}

extension Graph {
  /// The running statistics that are updated as s ← kept · s + what is measured of the batch, in the graph's order.
  ///
  /// Of a layer that is used more than once, each use goes on with what the one before made of the statistic.
  package var batchNormStatistics: [BatchNormStatistic] {
    updates.compactMap { update in
      var kept = 1.0
      var value = update.value
      while let node = producer(of: value), let operation = node.operation as? BatchNormalization,
        let place = node.outputs.firstIndex(of: value), place > 0
      {
        kept *= operation.momentum
        value = node.inputs[2 + place]
      }
      guard case .variable(update.variable) = values[value.index].origin, value != update.value
      else { return nil }
      return BatchNormStatistic(name: variables[update.variable].name, kept: kept)
    }
  }
}
