import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with batch normalisations cut into coefficients of their channels and the affine maps
  /// that apply these, and with what follows an affine map taken into it: the sum of a residual
  /// block and a ReLU.
  ///
  /// The coefficients are had where x is made, the maps are applied where their results are read, so
  /// that no pass over the images is a normalisation's own.
  ///
  /// - Parameter joining: Whether what follows is taken in; if not, every value can be looked at.
  /// - Returns: An equal graph.
  /// - Throws: ``GraphError`` when the copy doesn't fit, which a fault of the pass alone can cause.
  func withNormalizationsAsAffine(joining: Bool) throws -> Graph {
    let cut = try rewritten { builder, node, inputs in
      switch node.operation {
      case let norm as BatchNormTraining:
        let coefficients = try builder.apply(
          NormalizationCoefficients(epsilon: norm.epsilon), inputs)
        let y = try builder.apply(
          ChannelAffine(hasRelu: false), [inputs[0], coefficients[2], coefficients[3]])
        return y + coefficients[..<2]
      case let norm as BatchNormTrainingGradient:
        let coefficients = try builder.apply(
          NormalizationGradientCoefficients(epsilon: norm.epsilon), inputs)
        let dx = try builder.apply(
          ChannelAffine(hasRelu: false),
          [inputs[1], coefficients[2], coefficients[4], inputs[0], coefficients[3]])
        return dx + coefficients[..<2]
      case let norm as BatchNormInference:
        let (scale, bias, mean, variance) = (inputs[1], inputs[2], inputs[3], inputs[4])
        let factor = try scale / (variance + variance.scalar(norm.epsilon)).squareRoot()
        let shift = try bias - mean * factor
        return try builder.apply(ChannelAffine(hasRelu: false), [inputs[0], factor, shift])
      default: return nil
      }
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
      switch node.operation {
      case Elementwise(.relu):
        guard let map = affine(0) else { return nil }
        return try builder.apply(ChannelAffine(hasRelu: true), map.inputs)
      case Elementwise(.add)
      where inputs[0].type == inputs[1].type && inputs[0].shape.rank >= 2:
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
