import CrestGraph
import CrestRuntime
import CrestTensor

/// A small network with one of everything the compiler treats specially: convolutions, batch norm, a
/// residual, pooling, dropout, a dense head.
enum SampleNet {
  static let classCount = 5

  /// The template, traced for two images of 3 × 8 × 8.
  static func template() throws -> Graph {
    let builder = GraphBuilder()
    var x = builder.input("x", ValueType([2, 3, 8, 8]))
    x = try builder.scoped("stem") { try normalized(conv(x, 8, builder), builder).relu() }
    let shortcut = x
    x = try builder.scoped("block") {
      try (normalized(conv(x, 8, builder), builder) + shortcut).relu()
    }
    x = try builder.scoped("pool") {
      try x.maxPool(PoolAttributes(kernel: [2, 2])).globalAveragePool()
    }
    x = try builder.scoped("head") {
      let features = try x.flattened().dropout(0.25)
      let weight = try builder.parameter(
        "weight", [classCount, 8], role: .weight, initialValue: normal(0.4, [classCount, 8]))
      let bias = try builder.parameter(
        "bias", [classCount], role: .bias, initialValue: normal(0.1, [classCount]))
      return try features.gemm(weight, bias, transposingB: true)
    }
    builder.output("logits", x)
    return builder.result
  }

  private static func conv(
    _ x: Symbol, _ channels: Int, _ builder: GraphBuilder
  ) throws -> Symbol {
    let shape: Shape = [channels, x.shape[1], 3, 3]
    let filter = try builder.parameter(
      "weight", shape, role: .weight, initialValue: normal(0.3, shape))
    return try x.conv(filter, ConvAttributes(padsBefore: [1, 1], padsAfter: [1, 1]))
  }

  private static func normalized(_ x: Symbol, _ builder: GraphBuilder) throws -> Symbol {
    try builder.scoped("norm") {
      let shape: Shape = [x.shape[1]]
      let mean = try builder.statistic("mean", shape, initialValue: constant(0, shape))
      let variance = try builder.statistic("variance", shape, initialValue: constant(1, shape))
      let result = try x.batchNormalized(
        scale: builder.parameter(
          "scale", shape, role: .normalizationScale, initialValue: constant(1, shape)),
        bias: builder.parameter(
          "shift", shape, role: .normalizationShift, initialValue: constant(0, shape)),
        runningMean: mean, runningVariance: variance)
      builder.update(mean, to: result.mean)
      builder.update(variance, to: result.variance)
      return result.y
    }
  }

  private static func constant(_ value: Float, _ shape: Shape) -> @Sendable (Philox) -> Tensor {
    { _ in Tensor([Float](repeating: value, count: shape.elementCount), shape: shape) }
  }

  /// Numbers around zero, good enough to tell values apart.
  private static func normal(_ spread: Float, _ shape: Shape) -> @Sendable (Philox) -> Tensor {
    { random in
      Tensor(
        (0..<shape.elementCount).map { (random.uniform(UInt64($0)) - 0.5) * 2 * spread },
        shape: shape)
    }
  }

  static let loss: Program.LossTrace = { prediction, target in
    try prediction.crossEntropy(labels: target)
  }

  /// A request for batches of `count`.
  static func request(
    _ count: Int, _ mode: Graph.ExecutionMode = .training, reads: Set<Capture> = [],
    isDiagnosing: Bool = false
  ) -> Program.Request {
    Program.Request(
      inputTypes: [ValueType([count, 3, 8, 8])], targetType: ValueType([count], .int64),
      mode: mode, reads: reads, isDiagnosing: isDiagnosing)
  }

  /// Images and labels of a batch, by number.
  static func batch(_ count: Int, number: UInt32 = 0) -> (images: Tensor, labels: Tensor) {
    let random = Philox(seed: 7, stream: 99, step: number)
    let elements = count * 3 * 8 * 8
    return (
      Tensor(
        (0..<elements).map { random.uniform(UInt64($0)) * 2 - 1 }, shape: [count, 3, 8, 8]),
      Tensor((0..<count).map { Int64(random.integer(below: classCount, UInt64($0 + 1 << 20))) })
    )
  }

  /// Trains by plain gradient descent for some steps; the whole store by bits, and the losses.
  static func train(
    steps: Int, batchCount: Int = 7, on engine: Engine
  ) throws -> (store: ParameterStore.Snapshot, losses: [Float]) {
    let graph = try template()
    let store = ParameterStore(graph, seed: 3)
    store.resetMoments(count: 1)
    let program = try Program(graph, request(batchCount), store: store, engine: engine, loss: loss)
    var losses: [Float] = []
    for step in 0..<steps {
      let (images, labels) = batch(batchCount, number: UInt32(step % 3))
      try program.setInputs([images])
      try program.setTarget(labels)
      for stage in Graph.Stage.allCases {
        try program.run(stage, random: RandomKey(seed: 3, step: UInt32(step)))
      }
      losses.append(program.loss)
      store.update(
        0..<store.withBuffer(.parameters, \.count), learningRate: 0.05, decay: .l2(1e-4),
        by: .sgd(momentum: 0.9, nesterov: false), on: engine)
    }
    return (store.snapshot(), losses)
  }
}
