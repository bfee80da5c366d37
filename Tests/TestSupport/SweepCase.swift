public import CrestGraph
public import CrestRuntime
import CrestTensor

/// An operation at sizes that networks use, to be measured alone.
public struct SweepCase: Sendable {
  /// The types of the inputs.
  public let inputs: [ValueType]
  /// Multiply-adds that the operation's formula has; nil where moving the bytes is what takes time.
  public var products: Double?
  /// The height of a convolution's windows.
  public var kernel = 1
  /// What its name and shapes don't say, as in `bᵀ`.
  public var variant = ""
  /// Which kernels convolutions may take.
  public var convolutions = Engine.ConvolutionAlgorithms.fastest
  /// Traces the operation.
  public let trace: @Sendable (GraphBuilder, [Symbol]) throws -> [Symbol]

  init(
    _ inputs: [ValueType], trace: @escaping @Sendable (GraphBuilder, [Symbol]) throws -> [Symbol]
  ) {
    self.inputs = inputs
    self.trace = trace
  }

  init(
    _ operation: some GraphOperation, _ shapes: Shape..., products: Double? = nil,
    variant: String = ""
  ) {
    self.init(shapes.map { ValueType($0) }) { try $0.apply(operation, $1) }
    self.products = products
    self.variant = variant
  }

  /// The shapes of the inputs, as in `[32, 16, 32, 32] [16, 16, 3, 3]`, and the variant.
  public var sizes: String {
    (inputs.map { "\($0.shape)" } + (variant.isEmpty ? [] : [variant])).joined(separator: " ")
  }

  /// All that is measured.
  public static func all() throws -> [SweepCase] {
    try convolutions() + products + elementwise + rows + images
  }

  /// The convolutions of the compared networks and one of each other kind, and both gradients of each.
  private static func convolutions() throws -> [SweepCase] {
    func padded(_ stride: Int = 1, groups: Int = 1) -> ConvAttributes {
      ConvAttributes(
        strides: [stride, stride], padsBefore: [1, 1], padsAfter: [1, 1], groups: groups)
    }
    let layers: [(ConvAttributes, Shape, Shape)] = [
      (padded(), [32, 3, 32, 32], [16, 3, 3, 3]), (padded(), [32, 16, 32, 32], [16, 16, 3, 3]),
      (padded(), [32, 32, 16, 16], [32, 32, 3, 3]), (padded(), [32, 64, 8, 8], [64, 64, 3, 3]),
      (padded(2), [32, 16, 32, 32], [32, 16, 3, 3]),
      (padded(2), [32, 32, 16, 16], [64, 32, 3, 3]),
      (ConvAttributes(), [32, 1, 28, 28], [20, 1, 5, 5]),
      (ConvAttributes(), [32, 20, 12, 12], [50, 20, 5, 5]),
      (ConvAttributes(), [32, 64, 16, 16], [128, 64, 1, 1]),
      (padded(groups: 32), [32, 32, 32, 32], [32, 1, 3, 3]),
    ]
    return try layers.flatMap { attributes, x, filter in
      let y = try Conv(attributes).outputTypes(for: [ValueType(x), ValueType(filter)])[0].shape
      let products = Double(y.elementCount) * Double(filter.elementCount / filter[0])
      let isWinograd =
        (3...5).contains(filter[2]) && attributes.strides == [1, 1] && attributes.groups == 1
      let choices: [Engine.ConvolutionAlgorithms] =
        isWinograd ? [.fastest, .accurate, .direct] : [.fastest]
      return choices.flatMap { choice in
        [
          SweepCase(Conv(attributes), x, filter, products: products),
          SweepCase(
            ConvInputGradient(attributes, inputShape: x), y, filter, products: products),
          SweepCase(
            ConvFilterGradient(attributes, filterShape: filter), x, y, products: products),
        ].map { each in
          var each = each
          (each.convolutions, each.kernel) = (choice, filter[2])
          return each
        }
      }
    }
  }

  private static let products: [SweepCase] = [
    (128, 512, 784), (128, 512, 512), (128, 10, 512), (512, 512, 512), (2048, 192, 768),
  ].flatMap { m, n, k in
    let count = Double(m) * Double(n) * Double(k)
    return [
      SweepCase(
        Gemm(transposesB: true), Shape([m, k]), Shape([n, k]), products: count, variant: "bᵀ"),
      SweepCase(Gemm(), Shape([m, k]), Shape([k, n]), products: count),
      SweepCase(
        Gemm(transposesA: true), Shape([k, m]), Shape([k, n]), products: count, variant: "aᵀ"),
    ]
  }

  private static let activations: Shape = [32, 16, 32, 32]

  private static let elementwise: [SweepCase] = [
    SweepCase(Elementwise(.relu), activations),
    SweepCase(Elementwise(.add), activations, activations),
    SweepCase(Elementwise(.exponential), activations), SweepCase(Elementwise(.tanh), activations),
    SweepCase(Elementwise(.sigmoid), activations), SweepCase(Elementwise(.logarithm), activations),
    SweepCase([ValueType(activations), ValueType(activations), ValueType([16, 1, 1])]) {
      [try ($1[0] * $1[2] + $1[1]).relu()]
    },
    SweepCase(Dropout(rate: 0.5, stream: Philox.Stream.dropout), activations),
    SweepCase(Cast(to: .int32), activations, variant: "to int32"),
    SweepCase(Cast(to: .float16), activations, variant: "to float16"),
    SweepCase(Transpose([0, 2, 3, 1]), activations), SweepCase(Transpose([1, 0]), [1024, 768]),
  ]

  private static let rows: [SweepCase] = [[128, 10], [128, 1000], [2048, 64]].flatMap {
    (shape: Shape) in
    let labels = ValueType([shape[0]], .int64)
    return [
      SweepCase(Softmax(axis: 1), shape), SweepCase(SoftmaxGradient(axis: 1), shape, shape),
      SweepCase(Softmax(.log, axis: 1), shape),
      SweepCase(SoftmaxGradient(.log, axis: 1), shape, shape),
      SweepCase([ValueType(shape), labels]) { try $0.apply(CrossEntropyLabels(), $1) },
      SweepCase([ValueType(shape), labels, ValueType([shape[0]])]) {
        try $0.apply(CrossEntropyLabelsGradient(smoothing: 0), $1)
      },
    ]
  }

  private static let images: [SweepCase] = {
    let pool = PoolAttributes(kernel: [2, 2])
    let (x, y): (Shape, Shape) = ([128, 20, 24, 24], [128, 20, 12, 12])
    return [
      SweepCase(MaxPool(pool), x), SweepCase(MaxPoolGradient(pool), x, y),
      SweepCase(AveragePool(pool), x), SweepCase(AveragePoolGradient(pool, inputShape: x), y),
      SweepCase(GlobalAveragePool(), [128, 64, 8, 8]),
      SweepCase(Reduce(.sum, axes: [0], keepsDimensions: false), [4096, 512]),
      SweepCase(Reduce(.max, axes: [1], keepsDimensions: false), [4096, 512]),
      SweepCase(BatchNormTraining(epsilon: 1e-5), activations, [16], [16]),
      SweepCase(
        BatchNormTrainingGradient(epsilon: 1e-5), activations, activations, [16], [16], [16]),
    ]
  }()
}
