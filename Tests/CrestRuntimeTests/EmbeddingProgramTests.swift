import CrestGraph
import CrestRuntime
import CrestTensor
import Testing

/// A network of tokens: rows of a table, their mean, a dense layer to one of three classes.
@Suite struct `A network with an embedding` {
  private static func template() throws -> Graph {
    let builder = GraphBuilder()
    let tokens = builder.input("tokens", ValueType([8, 6], .int64))
    let table = try builder.parameter("table", [50, 16], role: .weight) { random in
      Tensor((0..<800).map { random.uniform(UInt64($0)) - 0.5 }, shape: [50, 16])
    }
    let weight = try builder.parameter("weight", [16, 3], role: .weight) { random in
      Tensor((0..<48).map { random.uniform(UInt64($0)) - 0.5 }, shape: [16, 3])
    }
    let mean = try table.gathered(tokens).mean(axes: [1])
    builder.output("y", try (mean + mean.normalNoise() * 0.01).dropout(0.1).matMul(weight))
    return builder.result
  }

  private static func train(on engine: Engine) throws -> (losses: [Float], values: [[Float]]) {
    let graph = try template()
    let store = ParameterStore(graph, seed: 3)
    let request = Program.Request(
      inputTypes: [ValueType([8, 6], .int64)], targetType: ValueType([8], .int64), mode: .training)
    let program = try Program(
      graph, request, store: store, engine: engine, loss: { try $0.crossEntropy(labels: $1) })
    #expect(program.referenceNodes == [])
    store.resetMoments(count: 1)
    // Squares, of which every fifth counts from the end; some rows are named several times.
    let tokens = (0..<48).map { (place: Int) -> Int64 in
      Int64(place * place % 50) - (place % 5 == 4 ? 50 : 0)
    }
    try program.setInputs([Tensor(tokens, shape: [8, 6])])
    try program.setTarget(Tensor([0, 1, 2, 0, 1, 2, 0, 1] as [Int64]))
    var losses: [Float] = []
    for step in 0..<40 {
      for stage in Graph.Stage.allCases {
        try program.run(stage, random: RandomKey(seed: 1, step: UInt32(step)))
      }
      losses.append(program.loss)
      store.update(
        0..<store.withBuffer(.parameters, \.count), learningRate: 0.5, decay: .l2(0),
        by: .sgd(momentum: 0.5, nesterov: false), on: engine)
    }
    return (losses, store.parameters.map { store.value(of: $0).array(as: Float.self) })
  }

  @Test(arguments: Engine.InstructionSet.available)
  func `trains without any work on the reference, with the same bits on any number of threads`(
    instructionSet: Engine.InstructionSet
  ) throws {
    let alone = try Self.train(on: Engine(threadCount: 1, instructionSet: instructionSet))
    #expect(alone.losses[39] < 0.5 * alone.losses[0], "\(alone.losses)")
    for threadCount in [2, 5] {
      let together = try Self.train(
        on: Engine(threadCount: threadCount, instructionSet: instructionSet))
      #expect(together.losses == alone.losses, "\(threadCount) threads")
      #expect(together.values == alone.values, "\(threadCount) threads")
    }
  }

  @Test func `draws other noise in each step, and none in inference`() throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([500]))
    builder.output("y", try x.normalNoise())
    let graph = builder.result
    func noise(_ mode: Graph.ExecutionMode, step: UInt32) throws -> [Float] {
      let program = try Program(
        graph, Program.Request(inputTypes: [x.type], targetType: nil, mode: mode),
        store: ParameterStore(graph, seed: 0), engine: Engine(threadCount: 1), loss: nil)
      try program.setInputs([Tensor([Float](repeating: .nan, count: 500))])
      try program.run(.forward, random: RandomKey(seed: 4, step: step))
      return program.outputs()[0].array(as: Float.self)
    }
    let (first, second) = try (noise(.training, step: 0), noise(.training, step: 1))
    #expect(zip(first, second).allSatisfy { $0 != $1 })
    #expect(try noise(.training, step: 0) == first)
    #expect(try noise(.inference, step: 0) == [Float](repeating: 0, count: 500))
  }
}
