import CrestGraph

extension NodeMerging {
  /// Lets a convolution compute the coefficients of a normalisation of its result.
  mutating func joinStatistics(_ number: Int, _ node: Graph.Node) {
    guard let normalization = node.operation as? NormalizationCoefficients,
      let (maker, operation) = convolution(making: node.inputs[0], in: node.stage),
      operation.isPlain, areReady(node.inputs[1...], before: maker)
    else { return }
    remove(number)
    extend(maker, operation, reads: Array(node.inputs[1...]), writes: node.outputs) {
      $0.statistics = .init(epsilon: normalization.epsilon, reads: $1, writes: $2)
    }
  }
}
