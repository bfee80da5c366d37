import CrestGraph
import CrestTensor

/// The gradient of a batch normalisation as coefficients of each channel.
///
///     dx = dy · dyFactor + x · xFactor + shift
///
/// Inputs are those of `BatchNormTrainingGradient`; outputs are the gradients of scale and bias, and
/// dyFactor, xFactor and shift [C].
struct NormalizationGradientCoefficients: BoundedOperation, CompiledOperation {
  /// The operation that it stands for.
  var name: String { "BatchNormTrainingGradient" }
  let epsilon: Double

  func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    [ValueType](repeating: inputs[2], count: 5)
  }

  func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let results = BatchNormTrainingGradient(epsilon: epsilon).evaluate(inputs, random: random)
    let (dscale, dbias) = (results[1].reals, results[2].reals)
    let (scale, mean, variance) = (inputs[2].reals, inputs[3].reals, inputs[4].reals)
    let count = Double(inputs[0].type.shape.elementCount) / Double(max(scale.count, 1))
    let inverses = variance.map { 1 / ($0 + epsilon).squareRoot() }
    let dyFactor = zip(scale, inverses).map { $0 * $1 }
    let xFactor = scale.indices.map { -dyFactor[$0] * inverses[$0] * dscale[$0] / count }
    let shift = scale.indices.map { -xFactor[$0] * mean[$0] - dyFactor[$0] * dbias[$0] / count }
    return [dscale, dbias, dyFactor, xFactor, shift].map { ReferenceArray($0, inputs[2].type) }
  }
}

extension BatchNormTrainingGradient: AffineNormalization {
  func asAffine(_ inputs: [Symbol]) throws -> [Symbol] {
    let builder = inputs[0].builder
    let coefficients = try builder.apply(
      NormalizationGradientCoefficients(epsilon: epsilon), inputs)
    let dx = try builder.apply(
      ChannelAffine(hasRelu: false),
      [inputs[1], coefficients[2], coefficients[4], inputs[0], coefficients[3]])
    return dx + coefficients[..<2]
  }
}
