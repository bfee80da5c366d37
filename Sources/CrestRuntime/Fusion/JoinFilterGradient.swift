import CrestGraph

extension NodeMerging {
  /// Lets the gradient of a convolution's input compute that of its filter too, by the same tiles of dy.
  mutating func joinFilterGradient(_ number: Int, _ node: Graph.Node) {
    guard let fused = node.operation as? FusedFilterGradient else { return }
    let (x, dy) = (node.inputs[0], node.inputs[1])
    let shapes = (x: graph.type(of: x).shape, filter: fused.gradient.filterShape)
    for reader in readers(of: dy).prefix(while: { $0 < number }) {
      guard
        let (maker, operation) = convolution(making: self[reader].outputs[0], in: node.stage),
        operation.attributes == fused.gradient.attributes, operation.inputShape == shapes.x,
        operation.tile == fused.tile, operation.filterGradient == nil,
        self[maker].inputs[0] == dy, graph.type(of: self[maker].inputs[1]).shape == shapes.filter,
        areReady([x], before: maker)
      else { continue }
      remove(number)
      extend(maker, operation, reads: [x], writes: node.outputs) {
        $0.filterGradient = .init(shape: shapes.filter, x: FusedImage(at: $1), write: $2)
      }
      return
    }
  }
}
