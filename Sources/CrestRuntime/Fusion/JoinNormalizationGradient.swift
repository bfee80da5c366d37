import CrestGraph

extension NodeMerging {
  /// Lets a convolution whose result is the gradient of a normalisation's result compute the coefficients of the
  /// normalisation's gradient.
  mutating func joinNormalizationGradient(_ number: Int, _ node: Graph.Node) {
    let others = node.inputs.enumerated().filter { $0.offset != 1 }.map(\.element)
    guard let gradient = node.operation as? NormalizationGradientCoefficients,
      let (maker, operation) = convolution(making: node.inputs[1], in: node.stage),
      operation.statistics == nil, operation.gradients.count < FusedConvolution.mostGradients,
      areReady(others, before: maker)
    else { return }
    remove(number)
    extend(maker, operation, reads: others, writes: node.outputs) {
      $0.gradients.append(.init(epsilon: gradient.epsilon, reads: $1, writes: $2))
    }
  }
}
