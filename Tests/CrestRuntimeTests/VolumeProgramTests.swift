import CrestGraph
import CrestRuntime
import CrestTensor
import Testing

@Suite struct `Convolutions and pools of volumes` {
  /// A program of one operation, and what the reference makes of the same inputs.
  private func run(
    _ operation: some GraphOperation, _ inputs: [Tensor]
  ) throws -> (program: Program, expected: ReferenceArray) {
    let builder = GraphBuilder()
    let types = inputs.map { ValueType($0.shape, $0.elementType) }
    let symbols = types.enumerated().map { builder.input("x\($0)", $1) }
    builder.output("y", try builder.apply(operation, symbols)[0])
    let graph = builder.result
    let program = try Program(
      graph, Program.Request(inputTypes: types, targetType: nil, mode: .inference),
      store: ParameterStore(graph, seed: 0), engine: Engine(threadCount: 2), loss: nil)
    try program.setInputs(inputs)
    try program.run(.forward, random: RandomKey(seed: 0, step: 0))
    let values = try Interpreter(graph).run(inputs: inputs.map(ReferenceArray.init), variables: [])
    return (program, values[graph.outputs[0].value.index])
  }

  private func areSame(_ result: Tensor, _ expected: ReferenceArray) -> Bool {
    result.shape == expected.shape
      && zip(result.doubles, expected.reals).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `the first of equals wins a window, and the first NaN before all`(seed: UInt64) throws {
    let random = Philox(seed: seed, stream: 1)
    let shape: Shape = [2, 3, 6, 5, 4]
    // Of few values, so that most windows have several winners.
    let x = Tensor(
      (0..<shape.elementCount).map { (place: Int) -> Float in
        let drawn = random.integer(below: 40, UInt64(place))
        return drawn == 0 ? .nan : drawn == 1 ? -.infinity : Float(drawn % 3)
      }, shape: shape)
    for attributes in [
      PoolAttributes(kernel: [2, 2, 2]),
      PoolAttributes(
        kernel: [3, 2, 3], strides: [1, 2, 1], padsBefore: [2, 1, 1], padsAfter: [1, 1, 2]),
      PoolAttributes(
        kernel: [2, 3, 2], strides: [2, 2, 3], dilations: [2, 1, 2], padsBefore: [0, 2, 1],
        padsAfter: [1, 0, 1], ceilMode: true),
    ] {
      let pooled = try run(MaxPool(attributes), [x])
      #expect(pooled.program.referenceNodes == [])
      #expect(areSame(pooled.program.outputs()[0], pooled.expected), "seed \(seed)")
      // Whole numbers, whose sums are exact in any order.
      let dy = Tensor(
        (0..<pooled.expected.shape.elementCount).map { Float($0 % 7) - 3 },
        shape: pooled.expected.shape)
      let gradient = try run(MaxPoolGradient(attributes), [x, dy])
      #expect(gradient.program.referenceNodes == [])
      #expect(areSame(gradient.program.outputs()[0], gradient.expected), "seed \(seed)")
    }
  }

  @Test func `a window of any depth is computed, one deeper than 64 on the reference`() throws {
    for (depth, byReference) in [(64, false), (65, true)] {
      let (x, filter) = (Shape([1, 1, 70, 2, 2]), Shape([1, 1, depth, 1, 2]))
      let inputs = [x, filter].map { shape in
        Tensor((0..<shape.elementCount).map { Float($0 % 5) - 2 }, shape: shape)
      }
      let attributes = ConvAttributes(
        strides: [1, 1, 1], dilations: [1, 1, 1], padsBefore: [0, 0, 0], padsAfter: [0, 0, 0])
      let result = try run(Conv(attributes), inputs)
      #expect(result.program.referenceNodes.map(\.operation) == (byReference ? ["Conv"] : []))
      #expect(areSame(result.program.outputs()[0], result.expected), "depth \(depth)")
    }
  }
}
