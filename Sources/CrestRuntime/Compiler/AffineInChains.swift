import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with affine maps traced anew where an activation other than ReLU, or its slope, is all that reads
  /// them, so that each becomes a part of their pass over the image.
  ///
  /// A backward pass computes the map again from the image before it, which costs less than to keep its result.
  ///
  /// - Parameter joining: Whether to do so; if not, every value can be looked at.
  /// - Returns: An equal graph.
  /// - Throws: ``GraphError`` when the copy doesn't fit, which a fault of the pass alone can cause.
  func withAffineInChains(joining: Bool) throws -> Graph {
    guard joining else { return self }
    let readers = readersByValue()
    let wanted = Set(outputs.map(\.value) + updates.map(\.value))
    func isActivation(_ number: Int) -> Bool { nodes[number].function?.isSmoothActivation ?? false }
    let absorbed = Set(
      nodes.filter { node in
        guard let map = node.operation as? ChannelAffine, !map.hasRelu, node.inputs.count == 3
        else { return false }
        let value = node.outputs[0]
        return !wanted.contains(value) && (readers[value] ?? []).allSatisfy(isActivation)
      }.map { $0.outputs[0] })
    guard !absorbed.isEmpty else { return self }
    let traced = try rewritten { builder, node, inputs in
      guard let function = node.function, absorbed.contains(node.inputs[0]),
        let map = builder.result.producer(of: inputs[0].id)
      else { return nil }
      let parts = map.inputs.map(builder.symbol)
      let ones = [Int](repeating: 1, count: inputs[0].shape.rank - 2)
      func perChannel(_ part: Symbol) throws -> Symbol {
        try part.reshaped(exactlyTo: Shape(part.shape.dimensions + ones))
      }
      return [try (parts[0] * perChannel(parts[1]) + perChannel(parts[2]))(function)]
    }
    return try traced.rewritten { _, _, _ in nil }
  }
}

extension ElementwiseFunction {
  fileprivate var isSmoothActivation: Bool {
    switch self {
    case .gelu, .geluTanh, .geluSlope, .geluTanhSlope: true
    default: false
    }
  }
}
