import CrestGraph
import CrestTensor
import Testing

@Suite struct ReplayTests {
  /// A network with everything that depends on the mode or the batch size, traced at batch 2.
  private static func template(
    _ normalization: BatchNormalization = BatchNormalization(epsilon: 1e-3, momentum: 0.75)
  ) throws -> Graph {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([2, 3, 4, 4]))
    let filter = try builder.parameter("filter", [2, 3, 3, 3], role: .weight) { _ in
      Tensor(zeros: [2, 3, 3, 3])
    }
    let y = try builder.scoped("norm") {
      let ones = Tensor([1, 1] as [Float])
      let mean = try builder.statistic("mean", [2]) { _ in Tensor(zeros: [2]) }
      let variance = try builder.statistic("variance", [2]) { _ in ones }
      let normalized = try x.conv(filter).batchNormalized(
        scale: builder.constant(ones), bias: builder.constant(ones), runningMean: mean,
        runningVariance: variance, epsilon: normalization.epsilon,
        momentum: normalization.momentum, convention: normalization.convention)
      builder.update(mean, to: normalized.mean)
      builder.update(variance, to: normalized.variance)
      return normalized.y
    }
    builder.output("dropped", try y.dropout(0.5))
    builder.output("features", try y.reshaped(to: [0, -1]))
    builder.output("flat", try y.flattened())
    return builder.result
  }

  private static func replayed(
    _ template: Graph, batch: Int, _ mode: Graph.ExecutionMode
  ) throws -> (graph: Graph, results: [ReferenceArray], x: ReferenceArray) {
    let builder = GraphBuilder()
    try builder.replay(template, inputTypes: [ValueType([batch, 3, 4, 4])], mode: mode)
    let random = Philox(seed: 4, stream: 0)
    func draw(_ shape: Shape, _ start: Int) -> ReferenceArray {
      let reals = (0..<shape.elementCount).map { Double(random.uniform(UInt64(start + $0))) - 0.3 }
      return ReferenceArray(reals, ValueType(shape))
    }
    let x = draw([batch, 3, 4, 4], 1000)
    let statistics = [
      ReferenceArray([0.5, -1], ValueType([2])), ReferenceArray([2, 0.25], ValueType([2])),
    ]
    let results = try Interpreter(builder.result).run(
      inputs: [x], variables: [draw([2, 3, 3, 3], 0)] + statistics,
      random: RandomKey(seed: 9, step: 1))
    return (builder.result, results, x)
  }

  @Test(arguments: Graph.ExecutionMode.allCases)
  func `a graph traced at batch 2 runs at batch 5`(mode: Graph.ExecutionMode) throws {
    let (graph, results, _) = try Self.replayed(Self.template(), batch: 5, mode)
    let shapes = graph.outputs.map { results[$0.value.index].shape }
    #expect(shapes == [[5, 2, 2, 2], [5, 8], [5, 8]])
  }

  @Test func `a smaller batch gives what it gives within a larger one in inference`() throws {
    let template = try Self.template()
    let (graph, small, _) = try Self.replayed(template, batch: 1, .inference)
    let (_, large, _) = try Self.replayed(template, batch: 5, .inference)
    let features = graph.outputs[1].value.index
    #expect(small[features].reals == Array(large[features].reals.prefix(8)))
  }

  @Test func `training uses the batch's statistics and inference the running ones`() throws {
    let template = try Self.template()
    let (training, learned, _) = try Self.replayed(template, batch: 3, .training)
    let (inference, predicted, _) = try Self.replayed(template, batch: 3, .inference)
    let convolved = learned[try #require(training.nodes.first).outputs[0].index].reals
    let own = learned[training.outputs[1].value.index].reals
    let running = predicted[inference.outputs[1].value.index].reals
    let first = [0, 2, 4].flatMap { image in (0..<4).map { convolved[image * 4 + $0] } }
    let mean = first.reduce(0, +) / 12
    let variance = first.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 12
    #expect((own[0] - ((first[0] - mean) / (variance + 1e-3).squareRoot() + 1)).magnitude < 1e-12)
    #expect((running[0] - ((first[0] - 0.5) / 2.001.squareRoot() + 1)).magnitude < 1e-12)
  }

  @Test(arguments: BatchNormConvention.allCases)
  func `running statistics follow the batch in training only`(
    convention: BatchNormConvention
  ) throws {
    let template = try Self.template(
      BatchNormalization(epsilon: 1e-3, momentum: 0.75, convention: convention))
    let (inference, _, _) = try Self.replayed(template, batch: 3, .inference)
    #expect(inference.updates.isEmpty)

    let (training, results, _) = try Self.replayed(template, batch: 3, .training)
    #expect(
      training.updates.map { training.variables[$0.variable].name } == [
        "norm.mean", "norm.variance",
      ])
    let convolved = results[try #require(training.nodes.first).outputs[0].index].reals
    let first = [0, 2, 4].flatMap { image in (0..<4).map { convolved[image * 4 + $0] } }
    let mean = first.reduce(0, +) / 12
    let sum = first.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let variance = sum / (convention == .onnx ? 12 : 11)
    let updates = training.updates.map { results[$0.value.index].reals[0] }
    #expect((updates[0] - (0.5 * 0.75 + mean * 0.25)).magnitude < 1e-7)
    #expect((updates[1] - (2 * 0.75 + variance * 0.25)).magnitude < 1e-7)
  }

  @Test func `dropout zeroes in training and is gone in inference`() throws {
    let template = try Self.template()
    let (inference, predicted, _) = try Self.replayed(template, batch: 2, .inference)
    #expect(!inference.nodes.contains { $0.operation.isRandom })
    let kept = predicted[inference.outputs[0].value.index].reals
    #expect(kept == predicted[inference.outputs[1].value.index].reals)

    let (training, learned, _) = try Self.replayed(template, batch: 2, .training)
    let dropped = learned[training.outputs[0].value.index].reals
    let whole = learned[training.outputs[1].value.index].reals
    #expect(zip(dropped, whole).allSatisfy { $0 == 0 || $0 == $1 * 2 })
    #expect(dropped.contains(0) && dropped.contains { $0 != 0 })
  }

  @Test func `dropout's gradient draws the mask of the forward pass`() throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([64], .float64))
    let first = try x.dropout(0.5)
    let second = try x.dropout(0.5)
    let loss = try (first.sum() + second.sum() * 0)
    let dx = try #require(try builder.gradients(of: loss, withRespectTo: [x])[0])
    let results = try Interpreter(builder.result).run(
      inputs: [
        ReferenceArray([Double](repeating: 1, count: 64), ValueType([64], .float64))
      ], variables: [], random: RandomKey(seed: 3, step: 8))
    #expect(results[dx.id.index].reals == results[first.id.index].reals)
    #expect(results[first.id.index].reals != results[second.id.index].reals)
  }

  @Test func `a dropout traced after a replay draws from a stream of its own`() throws {
    let template = GraphBuilder()
    _ = try template.input("x", ValueType([4])).dropout(0.5).dropout(0.5)
    let builder = GraphBuilder()
    try builder.replay(template.result, inputTypes: [ValueType([4])], mode: .training)
    _ = try builder.symbol(builder.result.inputs[0].value).dropout(0.5)
    let streams = builder.result.nodes.compactMap { ($0.operation as? Dropout)?.stream }
    #expect(streams == [0, 1, 2].map { Philox.Stream.dropout + $0 })
  }
}
