import CrestGraph
import CrestTensor

/// A batch normalisation as coefficients of each channel: what its statistics and parameters make of
/// x, without a pass over x.
///
///     factor = scale / √(variance + ε),   shift = bias - mean · factor
///
/// Inputs are x [N, C, …], scale and bias [C]; outputs are mean, variance, factor and shift [C].
struct NormalizationCoefficients: GraphOperation {
  /// The operation that it stands for.
  var name: String { "BatchNormTraining" }
  let epsilon: Double

  func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    [ValueType](repeating: inputs[1], count: 4)
  }

  func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .elements
  }

  /// Not followed: it is of a compiled program, and rows are followed before.
  func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    throw .unknown("is of a compiled program")
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

/// The gradient of a batch normalisation as coefficients of each channel.
///
///     dx = dy · dyFactor + x · xFactor + shift
///
/// Inputs are those of `BatchNormTrainingGradient`; outputs are the gradients of scale and bias, and
/// dyFactor, xFactor and shift [C].
struct NormalizationGradientCoefficients: GraphOperation {
  /// The operation that it stands for.
  var name: String { "BatchNormTrainingGradient" }
  let epsilon: Double

  func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    [ValueType](repeating: inputs[2], count: 5)
  }

  func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .elements
  }

  /// Not followed: it is of a compiled program, and rows are followed before.
  func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    throw .unknown("is of a compiled program")
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
