import CrestGraph
import CrestTensor

/// A batch normalisation as coefficients of each channel: what its statistics and parameters make of
/// x, without a pass over x.
///
///     factor = scale / √(variance + ε),   shift = bias - mean · factor
///
/// Inputs are x [N, C, …], scale and bias [C]; outputs are mean, variance, factor and shift [C].
struct NormalizationCoefficients: BoundedOperation, CompiledOperation {
  /// The operation that it stands for.
  var name: String { "BatchNormTraining" }
  let epsilon: Double

  func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    [ValueType](repeating: inputs[1], count: 4)
  }

  func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let results = BatchNormTraining(epsilon: epsilon).evaluate(inputs, random: random)
    let (mean, variance) = (results[1].reals, results[2].reals)
    let factor = zip(inputs[1].reals, variance).map { $0 / ($1 + epsilon).squareRoot() }
    let shift = inputs[2].reals.indices.map { inputs[2].reals[$0] - mean[$0] * factor[$0] }
    return results.dropFirst()
      + [factor, shift].map { ReferenceArray($0, inputs[1].type) }
  }
}

extension BatchNormTraining: AffineNormalization {
  func asAffine(_ inputs: [Symbol]) throws -> [Symbol] {
    let builder = inputs[0].builder
    let coefficients = try builder.apply(NormalizationCoefficients(epsilon: epsilon), inputs)
    let y = try builder.apply(
      ChannelAffine(hasRelu: false), [inputs[0], coefficients[2], coefficients[3]])
    return y + coefficients[..<2]
  }
}
