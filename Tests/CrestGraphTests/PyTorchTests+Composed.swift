import CrestGraph
import CrestTensor

/// Traces of what is composed of other operations, and of what imported graphs need.
extension PyTorchTests {
  static let activations: [String: Trace] = [
    "erf": { try $0[0].erf() },
    "leakyRelu": { try $0[0].leakyRelu(slope: 0.1) },
    "parametricRelu": { try $0[0].parametricRelu(slope: $0[1].unsqueezed(axes: [1])) },
    "elu": { try $0[0].elu(alpha: 0.5) },
    // PyTorch's constants have more digits than ONNX's.
    "selu": { try $0[0].selu(alpha: 1.6732632423543772, gamma: 1.0507009873554805) },
    "celu": { try $0[0].celu(alpha: 0.5) },
    "thresholdedRelu": { try $0[0].thresholdedRelu(alpha: 0.5) },
    "hardSigmoid": { try $0[0].hardSigmoid(alpha: 1 / 6) },
    "hardSwish": { try $0[0].hardSwish() },
    "softsign": { try $0[0].softsign() },
    "mish": { try $0[0].mish() },
    "gelu": { try $0[0].gelu() },
    "geluTanh": { try $0[0].gelu(.tanh) },
    "clipped": { try $0[0].clipped(minimum: -1, maximum: 0.5) },
    "layerNormalized": {
      try $0[0].layerNormalized(scale: $0[1], bias: $0[2], axis: -2, epsilon: 1e-3)
    },
    "instanceNormalized": {
      try $0[0].instanceNormalized(scale: $0[1], bias: $0[2], epsilon: 1e-3)
    },
    "groupNormalized": {
      try $0[0].groupNormalized(groups: 2, scale: $0[1], bias: $0[2], epsilon: 1e-3)
    },
  ]

  static let reductions: [String: Trace] = [
    "l1Norm": { try $0[0].l1Norm(axes: [1]) },
    "l2Norm": { try $0[0].l2Norm(axes: [-1]) },
    "sumOfSquares": { try $0[0].sumOfSquares(axes: [0, 2], keepingDimensions: true) },
    "logSum": { try $0[0].logSum(axes: [1]) },
    "logSumExp": { try $0[0].logSumExp(axes: [0, -1]) },
    "globalMaxPool": { try $0[0].globalMaxPool() },
    "likelihood": {
      try $0[0].negativeLogLikelihood(
        of: whole($0[0], [2, -100, 0, 1], [2, 2]), weights: classWeights($0[0]), ignoredLabel: -100)
    },
    "likelihoodEach": {
      try $0[0].negativeLogLikelihood(
        of: whole($0[0], [2, 0, 1], [3]), weights: classWeights($0[0]), ignoredLabel: 1,
        reduction: .none)
    },
    "softmaxCrossEntropy": {
      try $0[0].softmaxCrossEntropy(of: whole($0[0], [2, 0, 1], [3]), reduction: .sum).loss
    },
  ]

  static let choices: [String: Trace] = [
    "remainder": { try $0[0].remainder($0[1], followsDividend: true) },
    "reflected": {
      try $0[0].padded(before: [0, 0, 0, 2], after: [0, 0, 1, 1], mode: .reflect)
    },
    "repeatedEdges": {
      try $0[0].padded(before: [0, 0, 0, 2], after: [0, 0, 1, -1], mode: .edge)
    },
    "wrapped": { try $0[0].padded(before: [0, 0, 1, 2], after: [0, 0, 0, 1], mode: .wrap) },
    "gathered": { try $0[0].gathered(whole($0[0], [1, 3, 1, 0], [2, 2])) },
    "gatheredElements": {
      try $0[0].gatheredElements(whole($0[0], [0, 2, -1, 1, 1, 0], [2, 3]), axis: -1)
    },
    "split": { try $0[0].split(sizes: [1, 3], axis: 1)[1] },
    "convTransposed": {
      try $0[0].convTransposed(
        $0[1], bias: $0[2],
        ConvAttributes(
          strides: [2, 3], dilations: [1, 2], padsBefore: [1, 0], padsAfter: [1, 0], groups: 2),
        outputPadding: [1, 2])
    },
    "convTransposed1": {
      try $0[0].convTransposed(
        $0[1], ConvAttributes(strides: [2], dilations: [1], padsBefore: [1], padsAfter: [1]))
    },
    "tiled": { try $0[0].tiled([2, 3]) },
    "cumulativeSum": { try $0[0].cumulativeSum(axis: -1) },
    "lowerTriangle": { try $0[0].triangle(isUpper: false, diagonal: -1) },
    "upperTriangle": { try $0[0].triangle(diagonal: 1) },
  ]

  static let recurrent: [String: Trace] = [
    "lstm": { inputs in
      let result = try inputs[0].lstm(
        Symbol.RecurrentInputs(
          weight: inputs[1], recurrentWeight: inputs[2], bias: inputs[3], initialState: inputs[4]),
        initialCell: inputs[5], Symbol.RecurrentAttributes(direction: .bidirectional))
      return try flat([result.steps, result.hidden, result.cell])
    },
    "lstmWithEverything": { inputs in
      let result = try inputs[0].lstm(
        Symbol.RecurrentInputs(
          weight: inputs[1], recurrentWeight: inputs[2], bias: inputs[3],
          sequenceLengths: inputs[0].builder.constant(Tensor([3, 1, 2] as [Int32])),
          initialState: inputs[5]),
        initialCell: inputs[6], peepholes: inputs[4],
        Symbol.RecurrentAttributes(direction: .bidirectional, clip: 0.7), couplesForget: true)
      return try flat([result.steps, result.hidden, result.cell])
    },
    "gru": { inputs in
      let result = try inputs[0].gru(
        Symbol.RecurrentInputs(
          weight: inputs[1], recurrentWeight: inputs[2], bias: inputs[3], initialState: inputs[4]),
        isLinearBeforeReset: true)
      return try flat([result.steps, result.hidden])
    },
    "gruResetFirst": { inputs in
      let result = try inputs[0].gru(
        Symbol.RecurrentInputs(weight: inputs[1], recurrentWeight: inputs[2], bias: inputs[3]),
        Symbol.RecurrentAttributes(direction: .reverse, isBatchFirst: true))
      return try flat([result.steps, result.hidden])
    },
    "rnn": { inputs in
      let result = try inputs[0].rnn(
        Symbol.RecurrentInputs(
          weight: inputs[1], recurrentWeight: inputs[2], bias: inputs[3], initialState: inputs[4]),
        Symbol.RecurrentAttributes(direction: .bidirectional), activations: [.relu, .relu])
      return try flat([result.steps, result.hidden])
    },
  ]

  private static func classWeights(_ x: Symbol) -> Symbol {
    x.builder.constant(Tensor([0.5, 2, 1.25]))
  }

  private static func whole(_ x: Symbol, _ elements: [Int64], _ shape: Shape) -> Symbol {
    x.builder.constant(Tensor(elements, shape: shape))
  }

  /// All elements in one vector.
  private static func flat(_ values: [Symbol]) throws -> Symbol {
    let vectors = try values.map { try $0.reshaped(to: [-1]) }
    return try vectors[0].concatenated(with: [Symbol](vectors.dropFirst()), axis: 0)
  }
}
