import CrestGraph
import CrestTensor

/// The refusals of what imported graphs need.
extension ShapeErrorTests {
  static let whole: [Failure] = [
    Failure("Add: expected a float or integer input, got bool [2]; cast it first") {
      _ = try value($0, [2], .bool) + value($0, [2], .bool)
    },
    Failure("Pow: expected a float or integer input, got bool [2]; cast it first") {
      _ = try value($0, [2], .bool).power(value($0, [2], .bool))
    },
    Failure(
      "Mod: expected an integer input, got float32 [2]; use the dividend's sign (fmod 1)"
    ) { _ = try value($0, [2]).remainder(value($0, [2])) },
    Failure("Mod: expected a float or integer input, got bool [2]; cast it first") {
      _ = try value($0, [2], .bool).remainder(value($0, [2], .bool), followsDividend: true)
    },
    Failure("OneHot: expected integer indices, got float32 [2]") {
      _ = try value($0, [2]).oneHot(depth: 3, on: value($0, []), off: value($0, []))
    },
    Failure("OneHot: expected a depth in 0...16777216, got -1") {
      _ = try value($0, [2], .int64).oneHot(depth: -1, on: value($0, []), off: value($0, []))
    },
    Failure("OneHot: expected an axis in -2..<2 of the result, got 2") {
      _ = try value($0, [2], .int64).oneHot(
        depth: 3, axis: 2, on: value($0, []), off: value($0, []))
    },
    Failure("OneHot: expected two scalars of one type, got float32 [1] and float32 [1]") {
      _ = try value($0, [2], .int64).oneHot(depth: 3, on: value($0, [1]), off: value($0, [1]))
    },
    Failure("GlobalMaxPool: expected an input [N, C, spatial…], got [2, 3]") {
      _ = try value($0, [2, 3]).globalMaxPool()
    },
    Failure(
      "Pad: expected a width before and after each axis of [2, 3], got [1] and [1]"
    ) { _ = try value($0, [2, 3]).padded(before: [1], after: [1], mode: .edge) },
    Failure(
      "Pad: expected axes of 1 to 16777216 elements to pad with mode reflect, got 0 padded to 1 "
        + "along axis 0"
    ) { _ = try value($0, [0, 3]).padded(before: [1, 0], after: [0, 0], mode: .reflect) },
    Failure(
      "Pad: expected axes of 1 to 16777216 elements to pad with mode wrap, got 3 padded to "
        + "1099511627779 along axis 0"
    ) { _ = try value($0, [3]).padded(before: [0], after: [1 << 40], mode: .wrap) },
    Failure(
      "And: expected boolean inputs, got bool [2], int64 [2]; compare or cast them first"
    ) { _ = try value($0, [2], .bool).and(value($0, [2], .int64)) },
    Failure("Not: expected a boolean input, got float32 [2]; compare or cast them first") {
      _ = try value($0, [2]).not()
    },
    Failure("Or: expected shapes that broadcast together, got [2] and [3]") {
      _ = try value($0, [2], .bool).or(value($0, [3], .bool))
    },
    Failure("Xor: expected 2 inputs, got 1") {
      _ = try $0.apply(Elementwise(.xor), [value($0, [2], .bool)])
    },
    Failure("Erf: expected a float input, got int32 [2]; cast it first") {
      _ = try value($0, [2], .int32).erf()
    },
    Failure("IsNaN: expected a float input, got int32 [2]") {
      _ = try value($0, [2], .int32).isNaN()
    },
    Failure(
      "LessMask: expected inputs of one element type, got float32 [2], int64 [2]; cast them first"
    ) { _ = try value($0, [2]).less(than: value($0, [2], .int64)) },
    Failure("CumSum: expected a float or integer input, got bool [2]; cast it first") {
      _ = try value($0, [2], .bool).cumulativeSum(axis: 0)
    },
    Failure("CumSum: expected an axis of [2], got 1") {
      _ = try value($0, [2]).cumulativeSum(axis: 1)
    },
  ]

  static let choices: [Failure] = [
    Failure("Gather: expected int32 or int64 indices, got float32 [2]; cast them first") {
      _ = try value($0, [4, 3]).gathered(value($0, [2]))
    },
    Failure("Gather: expected an axis of [4, 3], got 2") {
      _ = try value($0, [4, 3]).gathered(value($0, [2], .int64), axis: 2)
    },
    Failure("Gather: expected an axis of [4, 3], got -1") {
      _ = try $0.apply(Gather(axis: -1), [value($0, [4, 3]), value($0, [2], .int64)])
    },
    Failure("Gather: expected indices in -4..<4, got 4") {
      _ = try value($0, [4, 3]).gathered($0.constant(Tensor([0, 4] as [Int64])))
    },
    Failure("Gather: expected elements to select from along axis 0, got none in [0, 3]") {
      _ = try value($0, [0, 3]).gathered(value($0, [2], .int64))
    },
    Failure(
      "Gather: expected an output whose element count fits in 64 bits, got [4611686018427387904, "
        + "4611686018427387904]"
    ) {
      _ = try value($0, [1, 1 << 62]).gathered(value($0, [1 << 62], .int64))
    },
    Failure("GatherGradient: expected a gradient [2, 3], got [2, 4]") {
      _ = try $0.apply(
        GatherGradient(Gather(axis: 0), inputShape: [4, 3]),
        [value($0, [2, 4]), value($0, [2], .int64)])
    },
    Failure(
      "GatherElements: expected indices of the rank of [2, 3], no larger along axes other than 1, "
        + "got [3, 1]"
    ) { _ = try value($0, [2, 3]).gatheredElements(value($0, [3, 1], .int64), axis: 1) },
    Failure(
      "GatherElements: expected indices of the rank of [2, 3], no larger along axes other than 0, "
        + "got [2]"
    ) { _ = try value($0, [2, 3]).gatheredElements(value($0, [2], .int64)) },
    Failure("GatherElements: expected indices in -3..<3, got -4") {
      _ = try value($0, [2, 3]).gatheredElements(
        $0.constant(Tensor([-4, 0] as [Int64], shape: [2, 1])), axis: 1)
    },
    Failure("GatherElementsGradient: expected a gradient [2, 1], got [2, 2]") {
      _ = try $0.apply(
        GatherGradient(GatherElements(axis: 1), inputShape: [2, 3]),
        [value($0, [2, 2]), value($0, [2, 1], .int64)])
    },
    Failure("ArgMax: expected an axis of [2, 3], got 2") {
      _ = try value($0, [2, 3]).argMax(axis: 2)
    },
    Failure("ArgMin: expected elements along axis 1, got none in [2, 0]") {
      _ = try value($0, [2, 0]).argMin(axis: 1)
    },
    Failure("ArgMin: expected a float or integer input, got bool [2]; cast it first") {
      _ = try value($0, [2], .bool).argMin()
    },
    Failure("Squeeze: expected axes of size 1, got [1] of [1, 3]") {
      _ = try value($0, [1, 3]).squeezed(axes: [1])
    },
    Failure("Squeeze: expected different axes of [1, 3], got [0, 0]") {
      _ = try value($0, [1, 3]).squeezed(axes: [0, -2])
    },
    Failure("Unsqueeze: expected different new axes in -3..<3 for [2], got [0, -3]") {
      _ = try value($0, [2]).unsqueezed(axes: [0, -3])
    },
    Failure("Unsqueeze: expected different new axes in -2..<2 for [2], got [2]") {
      _ = try value($0, [2]).unsqueezed(axes: [2])
    },
    Failure("Split: expected sizes that add up to the 4 of axis 1 of [2, 4], got [1, 2]") {
      _ = try value($0, [2, 4]).split(sizes: [1, 2], axis: -1)
    },
    Failure("Split: expected sizes that add up to the 4 of axis 1 of [2, 4], got [5, -1]") {
      _ = try value($0, [2, 4]).split(sizes: [5, -1], axis: 1)
    },
    Failure(
      "Split: expected sizes that add up to the 2 of axis 0 of [2, 4], got "
        + "[9223372036854775807, 9223372036854775807, 4]"
    ) { _ = try value($0, [2, 4]).split(sizes: [.max, .max, 4]) },
    Failure(
      "Split: expected parts of one size, the last of which may be smaller, of the 5 of axis 0 of "
        + "[5], got 4 parts"
    ) { _ = try value($0, [5]).split(count: 4) },
    Failure(
      "Split: expected parts of one size, the last of which may be smaller, of the 5 of axis 0 of "
        + "[5], got 0 parts"
    ) { _ = try value($0, [5]).split(count: 0) },
    Failure("Tile: expected a repeat of at least 0 for each axis of [2, 3], got [2]") {
      _ = try value($0, [2, 3]).tiled([2])
    },
    Failure(
      "Tile: expected an output whose element count fits in 64 bits, got [9223372036854775807, "
        + "1] times [2, 3]"
    ) { _ = try value($0, [2, 3]).tiled([.max, 1]) },
    Failure("LayerNormalization: expected an axis of [2], got 1") {
      _ = try $0.apply(
        LayerNormalization(axis: 1, epsilon: 0), [value($0, [2]), value($0, [2]), value($0, [2])])
    },
    Failure("LayerNormalization: expected a scale and a bias [3], got [3] and [2]") {
      _ = try $0.apply(
        LayerNormalization(axis: 1, epsilon: 0),
        [value($0, [2, 3]), value($0, [3]), value($0, [2])])
    },
    Failure("LayerNormalization: expected a finite epsilon of at least 0, got -1.0") {
      _ = try $0.apply(
        LayerNormalization(axis: 0, epsilon: -1), [value($0, [2]), value($0, [2]), value($0, [2])])
    },
    Failure("LayerNormalizationGradient: expected a gradient [2, 3], got [3, 2]") {
      _ = try $0.apply(
        LayerNormalizationGradient(LayerNormalization(axis: 1, epsilon: 0)),
        [value($0, [2, 3]), value($0, [3]), value($0, [3, 2])])
    },
    Failure("SharedDropout: expected axes of [2], got [1]") {
      _ = try $0.apply(
        SharedDropout(Dropout(rate: 0.5, stream: 1), axes: [1]), [value($0, [2])])
    },
    Failure("SharedDropout: expected different axes, got [0, -1]") {
      _ = try value($0, [2]).dropout(0.5, sharedAlong: [0, -1])
    },
    Failure("DropoutMask: expected a dropout rate in 0..<1, got 1.0") {
      _ = try $0.apply(DropoutMask(Dropout(rate: 1, stream: 1)), [value($0, [2])])
    },
    Failure("RandomNormalLike: expected a float input, got int64 [2]; cast it first") {
      _ = try value($0, [2], .int64).normalNoise()
    },
  ]

  private static func convTransposed(
    _ builder: GraphBuilder, _ x: Shape, _ filter: Shape,
    _ attributes: ConvAttributes = ConvAttributes(), outputPadding: [Int]? = nil
  ) throws {
    _ = try value(builder, x).convTransposed(
      value(builder, filter), attributes, outputPadding: outputPadding)
  }

  static let transposedConvolutions: [Failure] = [
    Failure(
      "ConvTranspose: expected an input [N, C, spatial…] and a filter of the same rank, got [2, 3] "
        + "and [3, 1, 2]"
    ) { try convTransposed($0, [2, 3], [3, 1, 2]) },
    Failure(
      "ConvTranspose: expected 4 input channels, as the filter [4, 1, 2, 2] has, got 3 of "
        + "[1, 3, 5, 5]"
    ) { try convTransposed($0, [1, 3, 5, 5], [4, 1, 2, 2]) },
    Failure("ConvTranspose: expected groups that divide the filter's 4 input channels, got 3") {
      try convTransposed($0, [1, 4, 5, 5], [4, 1, 2, 2], ConvAttributes(groups: 3))
    },
    Failure("ConvTranspose: expected groups that divide the filter's 4 input channels, got 0") {
      try convTransposed($0, [1, 4, 5, 5], [4, 1, 2, 2], ConvAttributes(groups: 0))
    },
    Failure(
      "ConvTranspose: expected strides of at least 1, one for each of the spatial sizes [5], got "
        + "[1, 1]"
    ) { try convTransposed($0, [1, 1, 5], [1, 1, 2]) },
    Failure(
      "ConvTranspose: expected output padding of at least 0, one for each of the spatial sizes "
        + "[5, 5], got [0, -1]"
    ) { try convTransposed($0, [1, 1, 5, 5], [1, 1, 2, 2], outputPadding: [0, -1]) },
    Failure(
      "ConvTranspose: expected an output with elements whose count fits in 64 bits, got pads [3, "
        + "0] and [3, 0] of an output that is 6 before padding along spatial axis 0; give "
        + "smaller pads, strides or dilations"
    ) {
      try convTransposed(
        $0, [1, 1, 5, 5], [1, 1, 2, 2], ConvAttributes(padsBefore: [3, 0], padsAfter: [3, 0]))
    },
    Failure(
      "ConvTranspose: expected an output with elements whose count fits in 64 bits, got pads [0, "
        + "0] and [0, 0] of an output that is too large before padding along spatial axis 1; "
        + "give smaller pads, strides or dilations"
    ) {
      try convTransposed(
        $0, [1, 1, 5, 5], [1, 1, 2, 2], ConvAttributes(strides: [1, .max]))
    },
    Failure(
      "ConvTranspose: expected an output whose element count fits in 64 bits, got [1, 1, 6, 6] "
        + "and an output padding of [9223372036854775807, 0]"
    ) { try convTransposed($0, [1, 1, 5, 5], [1, 1, 2, 2], outputPadding: [.max, 0]) },
    Failure("ConvTranspose: expected a bias [2], one for each output channel, got [3]") {
      _ = try value($0, [1, 3, 5, 5]).convTransposed(
        value($0, [3, 2, 2, 2]), bias: value($0, [3]))
    },
  ]

  static let composed: [Failure] = [
    Failure("Clip: expected a bound float32 [], got float32 [1]") {
      _ = try value($0, [2]).clipped(minimum: value($0, [1]))
    },
    Failure("Clip: expected a bound float32 [], got int64 []") {
      _ = try value($0, [2]).clipped(maximum: value($0, [], .int64))
    },
    Failure("PRelu: expected a slope that broadcasts to float32 [2, 3], got float32 [4, 2, 3]") {
      _ = try value($0, [2, 3]).parametricRelu(slope: value($0, [4, 2, 3]))
    },
    Failure("Trilu: expected matrices […, rows, columns], got [3]") {
      _ = try value($0, [3]).triangle()
    },
    Failure("LayerNormalization: expected an axis of [2, 3], got 2") {
      _ = try value($0, [2, 3]).layerNormalized(scale: value($0, [3]), axis: 2)
    },
    Failure(
      "LayerNormalization: expected a bias that broadcasts to float32 [2, 3], got float32 [2]"
    ) {
      _ = try value($0, [2, 3]).layerNormalized(scale: value($0, [3]), bias: value($0, [2]))
    },
    Failure("LayerNormalization: expected a finite epsilon of at least 0, got nan") {
      _ = try value($0, [2, 3]).layerNormalized(scale: value($0, [3]), epsilon: .nan)
    },
    Failure("InstanceNormalization: expected an input [N, C, spatial…], got [2, 3]") {
      _ = try value($0, [2, 3]).instanceNormalized(scale: value($0, [3]), bias: value($0, [3]))
    },
    Failure(
      "InstanceNormalization: expected a scale and a bias float32 [3], got float32 [3] and "
        + "float32 [4]"
    ) {
      _ = try value($0, [2, 3, 4]).instanceNormalized(scale: value($0, [3]), bias: value($0, [4]))
    },
    Failure("GroupNormalization: expected groups that divide the 3 channels of [2, 3, 4], got 2") {
      _ = try value($0, [2, 3, 4]).groupNormalized(
        groups: 2, scale: value($0, [3]), bias: value($0, [3]))
    },
    Failure(
      "NegativeLogLikelihoodLoss: expected int32 or int64 labels [2, 4] for [2, 3, 4], got "
        + "int64 [2]"
    ) { _ = try value($0, [2, 3, 4]).negativeLogLikelihood(of: value($0, [2], .int64)) },
    Failure(
      "NegativeLogLikelihoodLoss: expected float log-probabilities [N, C, …], got float32 [3]"
    ) { _ = try value($0, [3]).negativeLogLikelihood(of: value($0, [3], .int64)) },
    Failure("NegativeLogLikelihoodLoss: expected weights float32 [3], got float32 [2]") {
      _ = try value($0, [2, 3]).negativeLogLikelihood(
        of: value($0, [2], .int64), weights: value($0, [2]))
    },
    Failure("ConstantOfShape: expected a value of one element, got float32 [2]") {
      _ = try $0.filled([3], with: Tensor(zeros: [2]))
    },
    Failure(
      "Range: expected a start, limit and step of one element and one number type, got int64 [], "
        + "float32 [], int64 []"
    ) {
      _ = try $0.range(
        from: Tensor(scalar: 0 as Int64), to: Tensor(scalar: 3 as Float),
        by: Tensor(scalar: 1 as Int64))
    },
    Failure("Range: expected a step that is not 0, got [0, 3, 0]") {
      _ = try range($0, 0, 3, 0)
    },
    Failure("Range: expected finite numbers and a step that is not 0, got [0.0, inf, 1.0]") {
      _ = try $0.range(
        from: Tensor(scalar: 0.0), to: Tensor(scalar: Double.infinity), by: Tensor(scalar: 1.0))
    },
    Failure("Range: expected at most 16777216 numbers, got 1.8446744073709552e+19") {
      _ = try range($0, .min, .max, 1)
    },
  ]

  private static func range(
    _ builder: GraphBuilder, _ start: Int64, _ limit: Int64, _ step: Int64
  ) throws -> Symbol {
    try builder.range(
      from: Tensor(scalar: start), to: Tensor(scalar: limit), by: Tensor(scalar: step))
  }

  private static func inputs(
    _ builder: GraphBuilder, weight: Shape = [1, 8, 3], recurrent: Shape = [1, 8, 2],
    bias: Shape? = nil, lengths: ValueType? = nil, state: Shape? = nil
  ) -> Symbol.RecurrentInputs {
    Symbol.RecurrentInputs(
      weight: value(builder, weight), recurrentWeight: value(builder, recurrent),
      bias: bias.map { value(builder, $0) },
      sequenceLengths: lengths.map { value(builder, $0.shape, $0.elementType) },
      initialState: state.map { value(builder, $0) })
  }

  static let recurrent: [Failure] = [
    Failure("LSTM: expected a float input [T, B, I], got float32 [4, 3]") {
      _ = try value($0, [4, 3]).lstm(inputs($0))
    },
    Failure("RNN: expected a float input [B, T, I], got int64 [4, 3, 2]") {
      _ = try value($0, [4, 3, 2], .int64).rnn(
        inputs($0), Symbol.RecurrentAttributes(isBatchFirst: true))
    },
    Failure("LSTM: expected a recurrent weight [1, 4 · H, H], got float32 [8, 2]") {
      _ = try value($0, [5, 4, 3]).lstm(inputs($0, recurrent: [8, 2]))
    },
    Failure("LSTM: expected a weight float32 [1, 8, 3], got float32 [1, 8, 4]") {
      _ = try value($0, [5, 4, 3]).lstm(inputs($0, weight: [1, 8, 4]))
    },
    Failure("LSTM: expected a weight float32 [2, 8, 3], got float32 [1, 8, 3]") {
      _ = try value($0, [5, 4, 3]).lstm(
        inputs($0), Symbol.RecurrentAttributes(direction: .bidirectional))
    },
    Failure("GRU: expected a recurrent weight float32 [1, 6, 2], got float32 [1, 8, 2]") {
      _ = try value($0, [5, 4, 3]).gru(inputs($0, weight: [1, 6, 3]))
    },
    Failure("LSTM: expected a bias float32 [1, 16], got float32 [1, 8]") {
      _ = try value($0, [5, 4, 3]).lstm(inputs($0, bias: [1, 8]))
    },
    Failure("LSTM: expected an initial state float32 [1, 4, 2], got float32 [4, 1, 2]") {
      _ = try value($0, [5, 4, 3]).lstm(inputs($0, state: [4, 1, 2]))
    },
    Failure("LSTM: expected integer sequence lengths [4], got float32 [4]") {
      _ = try value($0, [5, 4, 3]).lstm(inputs($0, lengths: ValueType([4])))
    },
    Failure("LSTM: expected at least one step, got [0, 4, 3]") {
      _ = try value($0, [0, 4, 3]).lstm(inputs($0))
    },
    Failure("LSTM: expected a clip of at least 0, got nan") {
      _ = try value($0, [5, 4, 3]).lstm(inputs($0), Symbol.RecurrentAttributes(clip: .nan))
    },
    Failure("LSTM: expected 3 activations, 3 for each direction, got 2") {
      _ = try value($0, [5, 4, 3]).lstm(inputs($0), activations: [.sigmoid, .tanh])
    },
    Failure("LSTM: expected an initial cell state float32 [1, 4, 2], got float32 [4, 2]") {
      _ = try value($0, [5, 4, 3]).lstm(inputs($0), initialCell: value($0, [4, 2]))
    },
    Failure("LSTM: expected peepholes float32 [1, 6], got float32 [1, 8]") {
      _ = try value($0, [5, 4, 3]).lstm(inputs($0), peepholes: value($0, [1, 8]))
    },
  ]
}
