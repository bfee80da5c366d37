import CrestGraph
import CrestTensor
import Testing

/// Every way in which a graph can't be built, with its exact message.
@Suite struct ShapeErrorTests {
  /// A trace that must fail.
  struct Failure: Sendable, CustomTestStringConvertible {
    let message: String
    let trace: @Sendable (GraphBuilder) throws -> Void

    init(_ message: String, _ trace: @escaping @Sendable (GraphBuilder) throws -> Void) {
      self.message = message
      self.trace = trace
    }

    var testDescription: String { message }
  }

  @Test(
    arguments: elementwise + movement + products + convolutions + pools + norms + losses + whole
      + choices + transposedConvolutions + composed + recurrent + arrangements)
  func `what doesn't fit is refused with a message that helps`(failure: Failure) {
    let builder = GraphBuilder()
    let error = #expect(throws: GraphError.self) {
      try failure.trace(builder)
    }
    #expect(error?.description == failure.message)
  }

  @Test func `a message names the layer by its path`() {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([2, 3]))
    let error = #expect(throws: GraphError.self) {
      _ = try builder.scoped("block") { try builder.scoped("dense") { try x.matMul(x) } }
    }
    #expect(
      error?.description
        == "layer \"block.dense\" (MatMul): expected matrices […, m, k] and […, k, n], got [2, 3] "
        + "and [2, 3]")
  }

  static func value(
    _ builder: GraphBuilder, _ shape: Shape, _ type: ElementType = .float32
  ) -> Symbol {
    builder.input("x", ValueType(shape, type))
  }

  private static let elementwise: [Failure] = [
    Failure("Add: expected 2 inputs, got 1") {
      _ = try $0.apply(Elementwise(.add), [value($0, [2])])
    },
    Failure("Relu: expected 1 input, got 2") {
      _ = try $0.apply(Elementwise(.relu), [value($0, [2]), value($0, [2])])
    },
    Failure("Gemm: expected 2 to 3 inputs, got 1") {
      _ = try $0.apply(Gemm(), [value($0, [2])])
    },
    Failure(
      "Mul: expected shapes that broadcast together, got [2, 3] and [2]"
    ) { _ = try value($0, [2, 3]) * value($0, [2]) },
    Failure(
      "Sub: expected inputs of one element type, got float32 [2], float64 [2]; "
        + "cast them first"
    ) { _ = try value($0, [2]) - value($0, [2], .float64) },
    Failure("Exp: expected a float input, got int64 [2]; cast it first") {
      _ = try value($0, [2], .int64).exp()
    },
    Failure("ReduceMean: expected different axes of [2, 3], got [2]") {
      _ = try value($0, [2, 3]).mean(axes: [2])
    },
    Failure("ReduceMax: expected different axes of [2, 3], got [1, -1]") {
      _ = try value($0, [2, 3]).max(axes: [1, -1])
    },
    Failure("ReduceMin: expected different axes of [2, 3], got [-1]") {
      _ = try $0.apply(
        Reduce(.min, axes: [-1], keepsDimensions: false), [value($0, [2, 3])])
    },
    Failure("Dropout: expected a dropout rate in 0..<1, got 1.0") {
      _ = try value($0, [2]).dropout(1)
    },
    Failure("Dropout: expected a dropout rate in 0..<1, got nan") {
      _ = try value($0, [2]).dropout(.nan)
    },
    Failure(
      "parameter: expected a unique name, got \"weight\" for the second time; name the layers "
        + "differently"
    ) { builder in
      for _ in 0..<2 {
        _ = try builder.parameter("weight", [1], role: .weight) { _ in Tensor(zeros: [1]) }
      }
    },
  ]

  private static let movement: [Failure] = [
    Failure("Expand: expected a shape that broadcasts to [2, 3], got [2]") {
      _ = try value($0, [2]).expanded(to: [2, 3])
    },
    Failure("Reshape: expected 6 elements, as [2, 3] has, got [4, -1]") {
      _ = try value($0, [2, 3]).reshaped(to: [4, -1])
    },
    Failure("Reshape: expected 6 elements, as [2, 3] has, got [1, 2, 0]") {
      _ = try value($0, [2, 3]).reshaped(to: [1, 2, 0])
    },
    Failure("Transpose: expected each axis of [2, 3] once, got [0, 0]") {
      _ = try value($0, [2, 3]).transposed([0, 0])
    },
    Failure("Flatten: expected an axis in -2...2 of [2, 3], got 3") {
      _ = try value($0, [2, 3]).flattened(axis: 3)
    },
    Failure("Concat: expected 1 input or more, got 0") {
      _ = try $0.apply(Concat(axis: 0), [])
    },
    Failure("Concat: expected an axis of [2, 3], got 2") {
      _ = try value($0, [2, 3]).concatenated(with: [], axis: 2)
    },
    Failure("Concat: expected an axis of [2, 3], got -1") {
      _ = try $0.apply(Concat(axis: -1), [value($0, [2, 3])])
    },
    Failure(
      "Concat: expected shapes that differ along axis 0 only, got [2, 3], [2, 4]"
    ) { _ = try value($0, [2, 3]).concatenated(with: [value($0, [2, 4])], axis: 0) },
    Failure(
      "Slice: expected as many ends, axes and steps as the 2 starts, got 1, 2, 2"
    ) { _ = try value($0, [2, 3]).sliced(starts: [0, 0], ends: [1]) },
    Failure("Slice: expected an axis of [2, 3], got 2") {
      _ = try value($0, [2, 3]).sliced(starts: [0], ends: [1], axes: [2])
    },
    Failure("Slice: expected different axes of [2, 3], got [1, 1]") {
      _ = try value($0, [2, 3]).sliced(starts: [0, 0], ends: [1, 1], axes: [1, -1])
    },
    Failure("Slice: expected steps that are not 0, got [0]") {
      _ = try value($0, [2, 3]).sliced(starts: [0], ends: [1], steps: [0])
    },
    Failure(
      "SliceGradient: expected a gradient [1, 3] of a part of [2, 3], got [2, 3]"
    ) {
      let slice = Slice(starts: [0], ends: [1], axes: [0], steps: [1])
      _ = try $0.apply(SliceGradient(slice, inputShape: [2, 3]), [value($0, [2, 3])])
    },
    Failure(
      "Pad: expected a width before and after each axis of [2, 3], got [1] and [1]"
    ) { _ = try value($0, [2, 3]).padded(before: [1], after: [1]) },
    Failure(
      "Pad: expected widths that leave sizes of at least 0 of [2], got [-2] and [-1]; a negative "
        + "width removes elements"
    ) { _ = try value($0, [2]).padded(before: [-2], after: [-1]) },
    Failure(
      "Pad: expected widths that leave sizes of at least 0 of [2], got [\(Int.max)] and [0]; a "
        + "negative width removes elements"
    ) { _ = try value($0, [2]).padded(before: [.max], after: [0]) },
    Failure("Pad: expected an integer to pad int64 [2] with, got 0.5") {
      _ = try value($0, [2], .int64).padded(before: [1], after: [1], value: 0.5)
    },
  ]

  private static let products: [Failure] = [
    Failure(
      "MatMul: expected matrices […, m, k] and […, k, n], got [2, 3] and [4, 5]"
    ) { _ = try value($0, [2, 3]).matMul(value($0, [4, 5])) },
    Failure(
      "Gemm: expected matrices [m, k] and [n, k], got [2, 3] and [3, 5]"
    ) { _ = try value($0, [2, 3]).gemm(value($0, [3, 5]), transposingB: true) },
    Failure(
      "Gemm: expected a third input that broadcasts to [2, 5], got [2]"
    ) { _ = try value($0, [2, 3]).gemm(value($0, [3, 5]), value($0, [2])) },
  ]

  private static func conv(
    _ builder: GraphBuilder, _ x: Shape, _ filter: Shape,
    _ attributes: ConvAttributes = ConvAttributes()
  ) throws {
    _ = try value(builder, x).conv(value(builder, filter), attributes)
  }

  private static let convolutions: [Failure] = [
    Failure(
      "Conv: expected an input [N, C, spatial…] and a filter of the same rank, "
        + "got [3, 8, 8] and [4, 3, 3, 3]"
    ) { try conv($0, [3, 8, 8], [4, 3, 3, 3]) },
    Failure(
      "Conv: expected 3 input channels, as the filter [4, 3, 3, 3] has 3, got 1 of "
        + "[2, 1, 8, 8]"
    ) { try conv($0, [2, 1, 8, 8], [4, 3, 3, 3]) },
    Failure(
      "Conv: expected 6 input channels, as the filter [4, 3, 3, 3] has 3 in each "
        + "of 2 groups, got 3 of [2, 3, 8, 8]"
    ) { try conv($0, [2, 3, 8, 8], [4, 3, 3, 3], ConvAttributes(groups: 2)) },
    Failure(
      "Conv: expected groups that divide the filter's 4 output channels, got 3"
    ) { try conv($0, [2, 9, 8, 8], [4, 3, 3, 3], ConvAttributes(groups: 3)) },
    Failure(
      "Conv: expected a padded input of at least 5 × 5, the kernel's extent, got 2 × 2 (2 × 2 "
        + "before padding); give larger inputs, more padding or a smaller kernel"
    ) { try conv($0, [64, 6, 2, 2], [16, 6, 5, 5]) },
    Failure(
      "Conv: expected a padded input of at least 5 × 3, the kernel's extent, got 4 × 4 (2 × 2 "
        + "before padding); give larger inputs, more padding or a smaller kernel"
    ) {
      try conv(
        $0, [1, 1, 2, 2], [1, 1, 3, 3],
        ConvAttributes(dilations: [2, 1], padsBefore: [1, 1], padsAfter: [1, 1]))
    },
    Failure(
      "Conv: expected strides of at least 1, one for each of the spatial sizes [4, 4], "
        + "got [0, 1]"
    ) { try conv($0, [1, 1, 4, 4], [1, 1, 3, 3], ConvAttributes(strides: [0, 1])) },
    Failure(
      "Conv: expected strides of at least 1, one for each of the spatial sizes [4], got "
        + "[1, 1]"
    ) { try conv($0, [1, 1, 4], [1, 1, 3]) },
    Failure(
      "Conv: expected dilations of at least 1, one for each of the spatial sizes [4, 4], got "
        + "[1, -1]"
    ) { try conv($0, [1, 1, 4, 4], [1, 1, 3, 3], ConvAttributes(dilations: [1, -1])) },
    Failure(
      "Conv: expected pads before of at least 0, one for each of the spatial sizes [4, 4], got "
        + "[-1, 0]"
    ) { try conv($0, [1, 1, 4, 4], [1, 1, 3, 3], ConvAttributes(padsBefore: [-1, 0])) },
    Failure(
      "Conv: expected kernel sizes of at least 1, one for each of the spatial sizes [4, 4], got "
        + "[0, 3]"
    ) { try conv($0, [1, 1, 4, 4], [1, 1, 0, 3]) },
    Failure(
      "Conv: expected pads and dilations whose sizes fit in 64 bits, got pads [0, 0] and [0, 0], "
        + "dilations [\(Int.max), 1]"
    ) { try conv($0, [1, 1, 4, 4], [1, 1, 3, 3], ConvAttributes(dilations: [.max, 1])) },
    Failure(
      "Conv: expected an output whose element count fits in 64 bits, got [1, 1, "
        + "4611686018427387906, 4611686018427387906]"
    ) {
      let pad = 1 << 62
      try conv(
        $0, [1, 1, 4, 4], [1, 1, 3, 3],
        ConvAttributes(padsBefore: [pad, pad], padsAfter: [0, 0]))
    },
    Failure("Conv: expected a bias [4], one for each output channel, got [3]") {
      _ = try value($0, [2, 3, 8, 8]).conv(value($0, [4, 3, 3, 3]), bias: value($0, [3]))
    },
    Failure(
      "ConvInputGradient: expected a gradient [1, 2, 2, 2], got [1, 2, 3, 3]"
    ) {
      _ = try $0.apply(
        ConvInputGradient(ConvAttributes(), inputShape: [1, 1, 4, 4]),
        [value($0, [1, 2, 3, 3]), value($0, [2, 1, 3, 3])])
    },
    Failure(
      "ConvFilterGradient: expected a gradient [1, 2, 2, 2], got [1, 2, 3, 3]"
    ) {
      _ = try $0.apply(
        ConvFilterGradient(ConvAttributes(), filterShape: [2, 1, 3, 3]),
        [value($0, [1, 1, 4, 4]), value($0, [1, 2, 3, 3])])
    },
  ]

  private static let pools: [Failure] = [
    Failure(
      "MaxPool: expected a padded input of at least 3 × 3, the kernel's extent, got 2 × 4 (2 × 4 "
        + "before padding); give larger inputs, more padding or a smaller kernel"
    ) { _ = try value($0, [1, 1, 2, 4]).maxPool(PoolAttributes(kernel: [3, 3])) },
    Failure("AveragePool: expected an input [N, C, spatial…], got [2, 3]") {
      _ = try value($0, [2, 3]).averagePool(PoolAttributes(kernel: []))
    },
    Failure(
      "AveragePool: expected pads smaller than the kernel's extent, [2], got [2] and [0]"
    ) {
      _ = try value($0, [1, 1, 4]).averagePool(
        PoolAttributes(kernel: [2], padsBefore: [2], padsAfter: [0]))
    },
    Failure(
      "MaxPool: expected kernel sizes of at least 1, one for each of the spatial sizes [4, 4], "
        + "got [2]"
    ) { _ = try value($0, [1, 1, 4, 4]).maxPool(PoolAttributes(kernel: [2])) },
    Failure(
      "MaxPool: expected a kernel whose tap count fits in 64 bits, got [4294967296, 4294967296]"
    ) {
      _ = try value($0, [1, 1, 4, 4]).maxPool(PoolAttributes(kernel: [1 << 32, 1 << 32]))
    },
    Failure("MaxPoolGradient: expected a gradient [1, 1, 2], got [1, 1, 4]") {
      _ = try $0.apply(
        MaxPoolGradient(PoolAttributes(kernel: [2])),
        [value($0, [1, 1, 4]), value($0, [1, 1, 4])])
    },
    Failure("AveragePoolGradient: expected a gradient [1, 1, 2], got [1, 1, 4]") {
      _ = try $0.apply(
        AveragePoolGradient(PoolAttributes(kernel: [2]), inputShape: [1, 1, 4]),
        [value($0, [1, 1, 4])])
    },
    Failure("GlobalAveragePool: expected an input [N, C, spatial…], got [2, 3]") {
      _ = try value($0, [2, 3]).globalAveragePool()
    },
  ]

  private static func normalized(
    _ builder: GraphBuilder, _ x: Shape, channels: Int,
    epsilon: Double = 1e-5, momentum: Double = 0.9, convention: BatchNormConvention = .onnx
  ) throws -> Symbol {
    let each = value(builder, [channels])
    return try value(builder, x).batchNormalized(
      scale: each, bias: each, runningMean: each, runningVariance: each, epsilon: epsilon,
      momentum: momentum, convention: convention
    ).y
  }

  private static func replayed(
    _ builder: GraphBuilder, _ x: Shape, _ convention: BatchNormConvention
  ) throws {
    let template = GraphBuilder()
    _ = try template.scoped("norm") {
      try normalized(template, [2, 3, 1], channels: 3, convention: convention)
    }
    let types = [ValueType([3]), ValueType(x)]
    try builder.replay(template.result, inputTypes: types, mode: .training)
  }

  private static let norms: [Failure] = [
    Failure("BatchNormalization: expected an input [N, C, …], got [4]") {
      _ = try normalized($0, [4], channels: 4)
    },
    Failure(
      "BatchNormalization: expected [3] for each of the other inputs, as [2, 3, 4] "
        + "has 3 channels, got [4], [4], [4], [4]"
    ) { _ = try normalized($0, [2, 3, 4], channels: 4) },
    Failure(
      "BatchNormalization: expected a finite epsilon of at least 0, got -1.0"
    ) { _ = try normalized($0, [2, 3], channels: 3, epsilon: -1) },
    Failure("BatchNormalization: expected a momentum in 0...1, got 1.5") {
      _ = try normalized($0, [2, 3], channels: 3, momentum: 1.5)
    },
    Failure(
      "layer \"norm\" (BatchNormalization): expected more than one value per channel when "
        + "training, got [1, 3, 1]; use larger batches, or the convention .onnx, whose variance of one value "
        + "is 0"
    ) { try replayed($0, [1, 3, 1], .torch) },
    Failure(
      "layer \"norm\" (BatchNormTraining): expected at least one value per channel when training, "
        + "got [0, 3, 1]"
    ) { try replayed($0, [0, 3, 1], .onnx) },
    Failure("layer \"norm\" (BatchNormalization): expected an input [N, C, …], got [3]") {
      try replayed($0, [3], .onnx)
    },
    Failure(
      "BatchNormalization: expected a graph replayed for training or inference, got one for "
        + "both; differentiate what GraphBuilder.replay returns"
    ) {
      let y = try normalized($0, [2, 3], channels: 3)
      _ = try $0.gradients(of: y.sum(), withRespectTo: [$0.symbol($0.result.inputs[1].value)])
    },
    Failure(
      "BatchNormTraining: expected a loss that depends on the normalised output "
        + "only, got one that depends on the mean or variance of the batch; keep the running "
        + "statistics out of the loss"
    ) {
      let x = value($0, [2, 3])
      let each = value($0, [3])
      let outputs = try $0.apply(BatchNormTraining(epsilon: 0), [x, each, each])
      _ = try $0.gradients(of: outputs[1].sum(), withRespectTo: [x])
    },
    Failure("BatchNormTrainingGradient: expected a gradient [2, 3], got [3, 3]") {
      let each = value($0, [3])
      _ = try $0.apply(
        BatchNormTrainingGradient(epsilon: 0),
        [value($0, [2, 3]), value($0, [3, 3]), each, each, each])
    },
    Failure("Softmax: expected an axis of [2, 3], got 2") {
      _ = try value($0, [2, 3]).softmax(axis: 2)
    },
    Failure("LogSoftmax: expected an axis of [2, 3], got -1") {
      _ = try $0.apply(Softmax(.log, axis: -1), [value($0, [2, 3])])
    },
    Failure("SoftmaxGradient: expected a gradient [2, 3], got [3]") {
      _ = try $0.apply(SoftmaxGradient(axis: 1), [value($0, [2, 3]), value($0, [3])])
    },
    Failure(
      "MaxPoolGradient: expected an operation with a gradient, got MaxPoolGradient, which has "
        + "none; don't let the loss depend on parameters through it"
    ) {
      let x = value($0, [1, 1, 4])
      let y = try x.maxPool(PoolAttributes(kernel: [2]))
      let dx = try $0.apply(MaxPoolGradient(PoolAttributes(kernel: [2])), [x, y])[0]
      _ = try $0.gradients(of: dx.sum(), withRespectTo: [x])
    },
  ]

  private static let losses: [Failure] = [
    Failure(
      "CrossEntropyLabels: expected int64 labels [4] for logits [4, 10], got int64 "
        + "[5]"
    ) { _ = try value($0, [4, 10]).crossEntropy(labels: value($0, [5], .int64)) },
    Failure(
      "CrossEntropyLabels: expected int64 labels [4] for logits [4, 10], got float32 "
        + "[4]"
    ) { _ = try value($0, [4, 10]).crossEntropy(labels: value($0, [4])) },
    Failure(
      "CrossEntropyLabels: expected logits [N, C, …] of at least one class, got [4]"
    ) { _ = try value($0, [4]).crossEntropy(labels: value($0, [], .int64)) },
    Failure(
      "CrossEntropyLabels: expected a label smoothing in 0...1, got 1.1"
    ) { _ = try value($0, [4, 2]).crossEntropy(labels: value($0, [4], .int64), smoothing: 1.1) },
    Failure("CrossEntropyLabelsGradient: expected a gradient [4], got [4, 2]") {
      _ = try $0.apply(
        CrossEntropyLabelsGradient(smoothing: 0),
        [value($0, [4, 2]), value($0, [4], .int64), value($0, [4, 2])])
    },
    Failure(
      "CrossEntropyProbabilities: expected target probabilities [4, 10], like the logits, got [4]"
    ) { _ = try value($0, [4, 10]).crossEntropy(probabilities: value($0, [4])) },
    Failure("CrossEntropyProbabilitiesGradient: expected a gradient [4], got [2]") {
      _ = try $0.apply(
        CrossEntropyProbabilitiesGradient(smoothing: 0),
        [value($0, [4, 2]), value($0, [4, 2]), value($0, [2])])
    },
    Failure(
      "squaredError: expected targets float32 [4, 1], like the predictions, got float32 [4]; "
        + "reshape or cast one of them"
    ) { _ = try value($0, [4, 1]).squaredError(value($0, [4])) },
    Failure(
      "binaryCrossEntropy: expected targets float32 [4], like the predictions, got int64 [4]; "
        + "reshape or cast one of them"
    ) { _ = try value($0, [4]).binaryCrossEntropy(ofLogitsWith: value($0, [4], .int64)) },
  ]
}
