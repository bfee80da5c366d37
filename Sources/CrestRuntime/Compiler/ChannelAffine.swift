import CrestGraph
import CrestTensor

/// A sum of one or two values, each scaled by channel, shifted, and cut off below zero if `hasRelu`.
///
///     y = x · scale + shift (+ second · secondScale)
///
/// Inputs are x [N, C, …], scale and shift [C], and of a second value it and its scale. What reads y
/// may compute it while it reads: this is what batch normalisations, the sums of residual blocks
/// and their gradients become.
struct ChannelAffine: BoundedOperation, CompiledOperation {
  let hasRelu: Bool

  func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] { [inputs[0]] }

  func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let shape = inputs[0].type.shape
    let spatial = shape.dimensions.dropFirst(2).reduce(1, *)
    let relu = ElementwiseFunction.relu.real
    let values = inputs[0].reals.indices.map { element -> Double in
      let channel = element / spatial % shape[1]
      var value = inputs[0].reals[element] * inputs[1].reals[channel] + inputs[2].reals[channel]
      if inputs.count > 3 { value += inputs[3].reals[element] * inputs[4].reals[channel] }
      return hasRelu ? relu([value]) : value
    }
    return [ReferenceArray(values, inputs[0].type)]
  }
}

extension BatchNormInference: AffineNormalization {
  func asAffine(_ inputs: [Symbol]) throws -> [Symbol] {
    let (scale, bias, mean, variance) = (inputs[1], inputs[2], inputs[3], inputs[4])
    let factor = try scale / (variance + variance.scalar(epsilon)).squareRoot()
    let shift = try bias - mean * factor
    return try scale.builder.apply(ChannelAffine(hasRelu: false), [inputs[0], factor, shift])
  }
}
