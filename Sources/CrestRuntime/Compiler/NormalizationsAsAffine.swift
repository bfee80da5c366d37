import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with batch normalisations cut into coefficients of their channels and the affine maps
  /// that apply these, and with what follows an affine map joined to it: the sum of a residual
  /// block and a ReLU.
  ///
  /// The coefficients are computed by the producer of x, and the maps by the readers of their results, so
  /// that no normalisation takes a pass of its own over the images.
  ///
  /// - Parameter joining: Whether what follows is joined; if not, every value can be looked at.
  /// - Returns: An equal graph.
  /// - Throws: ``GraphError`` when the copy doesn't fit, which a fault of the pass alone can cause.
  func withNormalizationsAsAffine(joining: Bool) throws -> Graph {
    let cut = try rewritten { _, node, inputs in
      try (node.operation as? any AffineNormalization)?.asAffine(inputs)
    }
    return joining ? try cut.joiningAffine() : cut
  }

  private func joiningAffine() throws -> Graph {
    let readers = readersByValue()
    let wanted = Set(outputs.map(\.value) + updates.map(\.value))
    return try rewritten { builder, node, inputs in
      // The affine map that makes an input, when this node alone reads it.
      func affine(_ place: Int) -> (operation: ChannelAffine, inputs: [Symbol])? {
        guard readers[node.inputs[place]]?.count == 1, !wanted.contains(node.inputs[place]),
          let producer = builder.result.producer(of: inputs[place].id),
          let map = producer.operation as? ChannelAffine, !map.hasRelu,
          producer.stage == node.stage
        else { return nil }
        return (map, producer.inputs.map(builder.symbol))
      }
      switch node.function {
      case .relu:
        guard let map = affine(0) else { return nil }
        return try builder.apply(ChannelAffine(hasRelu: true), map.inputs)
      case .add where inputs[0].type == inputs[1].type && inputs[0].shape.rank >= 2:
        for (place, other) in [(1, 0), (0, 1)] {
          guard let map = affine(place), map.inputs.count == 3 else { continue }
          if let second = affine(other), second.inputs.count == 3 {
            // Both sides of a block with a projection.
            let shift = try map.inputs[2] + second.inputs[2]
            return try builder.apply(
              ChannelAffine(hasRelu: false),
              [map.inputs[0], map.inputs[1], shift] + second.inputs[..<2])
          }
          let ones = builder.constant(
            Tensor([Float](repeating: 1, count: map.inputs[1].shape[0]), shape: map.inputs[1].shape)
          )
          return try builder.apply(
            ChannelAffine(hasRelu: false), map.inputs + [inputs[other], ones])
        }
        return nil
      default: return nil
      }
    }
  }
}

/// A normalisation, or its gradient, that is an affine map of each channel once the map's coefficients are known.
protocol AffineNormalization: GraphOperation {
  /// Traces the coefficients and the map; gives what the operation gives.
  func asAffine(_ inputs: [Symbol]) throws -> [Symbol]
}
