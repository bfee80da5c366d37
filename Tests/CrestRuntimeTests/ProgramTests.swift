import AllocationCounter
import CrestGraph
import CrestRuntime
import CrestTensor
import Testing

@Suite struct ProgramTests {
  private func compile(
    _ request: Program.Request, seed: UInt64 = 3, engine: Engine? = nil
  ) throws -> (program: Program, store: ParameterStore) {
    let graph = try SampleNet.template()
    let store = ParameterStore(graph, seed: seed)
    let engine = if let engine { engine } else { try Engine(threadCount: 2) }
    return (
      try Program(graph, request, store: store, engine: engine, loss: SampleNet.loss), store
    )
  }

  private func run(_ program: Program, count: Int, step: UInt32 = 0) throws {
    let (images, labels) = SampleNet.batch(count)
    try program.setInputs([images])
    try program.setTarget(labels)
    for stage in Graph.Stage.allCases {
      try program.run(stage, random: RandomKey(seed: 3, step: step))
    }
  }

  @Test func `more memory than the machine has is refused before it is taken`() throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([1]))
    builder.output("y", try x.expanded(to: [1 << 50]).exp())
    let graph = builder.result
    let error = #expect(throws: ProgramError.self) {
      try Program(
        graph,
        Program.Request(inputTypes: [ValueType([1])], targetType: nil, mode: .inference),
        store: ParameterStore(graph, seed: 0), engine: Engine(threadCount: 1), loss: nil)
    }
    guard case .tooLarge(let byteCount, let memory)? = error else {
      Issue.record("another error")
      return
    }
    #expect(byteCount >= 1 << 52)
    #expect(
      error?.description
        == "the values of a batch take \(byteCount) bytes, expected at most the \(memory) "
        + "that this process may take; use a smaller batch, model or input, or raise its limit")
  }

  @Test(arguments: Engine.InstructionSet.available)
  func `a training step agrees with the reference`(instructionSet: Engine.InstructionSet) throws {
    let graph = try SampleNet.template()
    let (program, store) = try compile(
      SampleNet.request(5, reads: [.predictions]),
      engine: Engine(threadCount: 2, instructionSet: instructionSet))
    let before = store.parameters.map { ReferenceArray(store.value(of: $0)) }
    let statistics = store.statistics.map { ReferenceArray(store.value(of: $0)) }
    try run(program, count: 5, step: 4)

    // The same step traced by hand and interpreted in double.
    let builder = GraphBuilder()
    try builder.replay(graph, inputTypes: [ValueType([5, 3, 8, 8])], mode: .training)
    let target = builder.input("target", ValueType([5], .int64))
    let logits = builder.symbol(builder.result.outputs[0].value)
    let loss = try logits.crossEntropy(labels: target).mean()
    var variables: [ReferenceArray] = []
    var parameters: [Symbol] = []
    for (number, variable) in builder.result.variables.enumerated() {
      if let place = store.parameters.firstIndex(where: { $0.name == variable.name }) {
        variables.append(before[place])
      } else if let place = store.statistics.firstIndex(where: { $0.name == variable.name }) {
        variables.append(statistics[place])
      }
      let index = try #require(
        builder.result.values.firstIndex { value in
          if case .variable(number) = value.origin { true } else { false }
        })
      if variable.role != nil {
        parameters.append(builder.symbol(builder.result.id(ofValue: index)))
      }
    }
    let gradients = try builder.gradients(of: loss, withRespectTo: parameters)
    let (images, labels) = SampleNet.batch(5)
    let values = try Interpreter(builder.result).run(
      inputs: [ReferenceArray(images), ReferenceArray(labels)], variables: variables,
      random: RandomKey(seed: 3, step: 4))

    let lossDifference = abs(Double(program.loss) - values[loss.id.index].reals[0])
    #expect(lossDifference < 1e-5)
    for (entry, gradient) in zip(store.parameters, gradients) {
      let expected = values[try #require(gradient).id.index].reals
      for (got, wanted) in zip(store.gradient(of: entry).doubles, expected) {
        let difference = abs(got - wanted)
        #expect(difference < 1e-4, "\(entry.name): \(got), not \(wanted)")
      }
    }
    for update in builder.result.updates {
      let name = builder.result.variables[update.variable].name
      let entry = try #require(store.entry(named: name))
      let expected = values[update.value.index].reals
      for (got, wanted) in zip(store.value(of: entry).doubles, expected) {
        let difference = abs(got - wanted)
        #expect(difference < 1e-5, "\(name): \(got), not \(wanted)")
      }
    }
  }

  @Test(arguments: Engine.InstructionSet.available)
  func `gives the same bits for any number of threads`(instructionSet: Engine.InstructionSet) throws
  {
    let alone = try SampleNet.train(
      steps: 6, on: Engine(threadCount: 1, instructionSet: instructionSet))
    let areFinite = alone.losses.allSatisfy { $0.isFinite }
    #expect(areFinite)
    for threadCount in [2, 3, 5, 8] {
      let together = try SampleNet.train(
        steps: 6, on: Engine(threadCount: threadCount, instructionSet: instructionSet))
      #expect(alone.losses == together.losses, "\(threadCount) threads")
      #expect(alone.store == together.store, "\(threadCount) threads")
    }
  }

  @Test func `learns three batches by heart`() throws {
    let losses = try SampleNet.train(steps: 60, on: Engine(threadCount: 2)).losses
    let (start, end) = (losses.prefix(3).reduce(0, +), losses.suffix(3).reduce(0, +))
    #expect(end < start / 2)
  }

  @Test(
    .enabled(if: allocation_counter_is_available() != 0, "counts allocations on glibc only"),
    .enabled(
      if: Engine.isOptimized, "unoptimised Swift boxes what release builds keep in registers"))
  func `stages allocate nothing after the first batch`() throws {
    let (program, store) = try compile(SampleNet.request(6, reads: [.predictions]))
    store.resetMoments(count: 1)
    try run(program, count: 6)
    let before = allocation_counter_value()
    for stage in Graph.Stage.allCases {
      try program.run(stage, random: RandomKey(seed: 3, step: 1))
    }
    let during = allocation_counter_value() - before
    #expect(during == 0)
    // The counter must see an allocation, or the line above proves nothing.
    let control = allocation_counter_value()
    let tensor = Tensor(zeros: [64])
    #expect(allocation_counter_value() > control, "no allocation seen for \(tensor)")
  }

  @Test func `a diagnosing program computes the same, without sharing memory or fusing`() throws {
    let (plain, plainStore) = try compile(SampleNet.request(4))
    let (whole, wholeStore) = try compile(SampleNet.request(4, isDiagnosing: true))
    try run(plain, count: 4)
    try run(whole, count: 4)
    #expect(plain.loss == whole.loss)
    #expect(plain.arenaByteCount < whole.arenaByteCount)
    let entry = try #require(plainStore.entry(named: "stem.weight"))
    let gradients = (plainStore.gradient(of: entry).doubles, wholeStore.gradient(of: entry).doubles)
    for (a, b) in zip(gradients.0, gradients.1) {
      let difference = abs(a - b)
      #expect(difference < 1e-6)
    }
    #expect(whole.firstNonFinite() == nil)
  }

  @Test func `chains of elementwise operations run as one step`() throws {
    // The running statistics: statistic · momentum + batch · (1 - momentum).
    let (program, _) = try compile(SampleNet.request(4))
    #expect(program.steps(of: .forward).contains("multiply+multiply+add"))
    let (whole, _) = try compile(SampleNet.request(4, isDiagnosing: true))
    #expect(!whole.steps(of: .forward).contains("multiply+multiply+add"))
  }

  @Test func `convolutions run channels-last with one rearrangement, of the input`() throws {
    let (program, _) = try compile(SampleNet.request(4, .inference))
    let copies = program.steps(of: .forward).filter { $0 == "copy" }
    #expect(copies.count == 1)
  }

  @Test func `every operation of the network is served by kernels`() throws {
    for mode in Graph.ExecutionMode.allCases {
      let (program, _) = try compile(SampleNet.request(4, mode))
      #expect(program.referenceNodes.isEmpty)
    }
  }

  @Test func `reads give what was declared, even inside a chain`() throws {
    let reads: Set<Capture> = [.predictions, .losses, .activation("block.norm")]
    let (program, _) = try compile(SampleNet.request(4, reads: reads))
    try run(program, count: 4)
    #expect(program.read(.predictions).shape == [4, 5])
    #expect(program.read(.losses).shape == [4])
    #expect(program.read(.activation("block.norm")).shape == [4, 8, 8, 8])
    let mean = program.read(.losses).doubles.reduce(0, +) / 4
    let difference = abs(mean - Double(program.loss))
    #expect(difference < 1e-6)
  }

  @Test func `inference uses running statistics and no dropout`() throws {
    let (program, store) = try compile(SampleNet.request(4, .inference, reads: [.predictions]))
    let before = store.snapshot()
    try run(program, count: 4, step: 1)
    let first = program.read(.predictions)
    try run(program, count: 4, step: 2)
    #expect(program.read(.predictions) == first)
    #expect(store.snapshot() == before)
  }

  @Test func `names the first layer whose result is not finite`() throws {
    let (program, store) = try compile(SampleNet.request(4, isDiagnosing: true))
    let entry = try #require(store.entry(named: "block.norm.scale"))
    store.write(Tensor([Float](repeating: 3e38, count: 8)), to: entry)
    try run(program, count: 4)
    let found = try #require(program.firstNonFinite())
    let norm = Program.NonFinite.Source.operation(
      "BatchNormTraining", path: "block.norm", stage: .forward)
    #expect(found.source == norm)
    store.write(Tensor([Float](repeating: .nan, count: 8)), to: entry)
    #expect(program.firstNonFinite()?.source == .parameter("block.norm.scale"))
  }

  @Test func `refuses what it was not compiled for`() throws {
    let (program, _) = try compile(SampleNet.request(4))
    expect("inputs: expected 1, got 0; give one tensor for each input of the model") {
      try program.setInputs([])
    }
    expect(
      """
      x: expected float32 [4, 3, 8, 8], got float32 [3, 3, 8, 8]; give a batch of the compiled \
      shape and type
      """
    ) { try program.setInputs([Tensor(zeros: [3, 3, 8, 8])]) }
    expect(
      """
      label 2 of the batch: expected a class from 0 to 4, got 5; give the model as many classes \
      as the data
      """
    ) { try program.setTarget(Tensor([0, 1, 5, 2] as [Int64])) }
    expect(
      """
      activation "neck": expected a layer of the model, one of stem.norm, stem, block.norm, \
      block, pool, head; correct the name
      """
    ) { _ = try compile(SampleNet.request(4, reads: [.activation("neck")])) }
  }

  @Test func `an index beyond a table is refused before it is looked up`() throws {
    let builder = GraphBuilder()
    let tokens = builder.input("tokens", ValueType([2, 3], .int64))
    let table = try builder.parameter("table", [7, 4], role: .weight) { _ in
      Tensor((0..<28).map(Float.init), shape: [7, 4])
    }
    builder.output("rows", try table.gathered(tokens))
    let program = try Program(
      builder.result,
      Program.Request(
        inputTypes: [ValueType([2, 3], .int64)], targetType: nil, mode: .inference),
      store: ParameterStore(builder.result, seed: 0), engine: Engine(threadCount: 1), loss: nil)
    try program.setInputs([Tensor([0, 6, -7, 1, 2, -1] as [Int64], shape: [2, 3])])
    try program.run(.forward, random: RandomKey(seed: 0, step: 0))
    #expect(program.outputs()[0].doubles.suffix(4) == [24, 25, 26, 27])
    for wrong in [7, -8] as [Int64] {
      let message =
        "tokens: expected indices from -7 to 6, got \(wrong) as element 1; give data made for this "
        + "model's table"
      expect(message) {
        try program.setInputs([Tensor([0, wrong, 0, 0, 0, 0], shape: [2, 3])])
      }
    }
  }

  /// Operations of indices that a graph computes from its input [2], and what says which is wrong.
  private static let lookups: [(String, @Sendable (Symbol, Symbol) throws -> Symbol)] = [
    ("Gather", { try $0.gathered($1) }),
    ("GatherElements", { try $0.gatheredElements($1) }),
    ("GatherND", { try $0.gatheredParts($1.unsqueezed(axes: [1])) }),
    ("ScatterElements", { try $0.scatteringElements($1.cast(to: .float32), at: $1) }),
    (
      "ScatterND",
      { try $0.scatteringParts($1.cast(to: .float32), at: $1.unsqueezed(axes: [1])) }
    ),
  ]

  @Test(arguments: lookups.map(\.0))
  func `an index that the graph computes and that names nothing ends the run`(name: String) throws {
    let lookup = try #require(Self.lookups.first { $0.0 == name }).1
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([2]))
    let y = try builder.placed(path: "head", stage: .forward) {
      let table = try builder.parameter("table", [3], role: .weight) { _ in
        Tensor([1, 2, 3] as [Float])
      }
      return try lookup(table, (x * 2).cast(to: .int64))
    }
    builder.output("y", y)
    let graph = builder.result
    let program = try Program(
      graph, Program.Request(inputTypes: [x.type], targetType: nil, mode: .inference),
      store: ParameterStore(graph, seed: 0), engine: Engine(threadCount: 1), loss: nil)
    let message = "layer \"head\" (\(name)): expected an index in -3..<3 as element 1, got 4"
    for round in 1...2 {
      try program.setInputs([Tensor([0.5, 2] as [Float])])
      expect(message + "; give data for which the model's indices are in range") {
        try program.run(.forward, random: RandomKey(seed: 0, step: UInt32(round)))
      }
      try program.setInputs([Tensor([0.5, -1.5] as [Float])])
      try program.run(.forward, random: RandomKey(seed: 0, step: 0))
    }
    expect(message) {
      _ = try Interpreter(graph).run(
        inputs: [ReferenceArray([0.5, 2], x.type)],
        variables: [ReferenceArray([1, 2, 3], ValueType([3]))])
    }
  }

  @Test func `whole numbers never reach the kernels of floats`() throws {
    let traces: [(String, @Sendable (Symbol) throws -> Symbol)] = [
      // The compiler makes the one of the other.
      ("Gemm", { try $0.matMul($0) }), ("Gemm", { try $0.gemm($0) }),
    ]
    for (name, trace) in traces {
      for type in [ElementType.int32, .int64, .uint8] {
        let builder = GraphBuilder()
        let x = builder.input("x", ValueType([2, 2], type))
        builder.output("y", try trace(x))
        let graph = builder.result
        let program = try Program(
          graph, Program.Request(inputTypes: [x.type], targetType: nil, mode: .inference),
          store: ParameterStore(graph, seed: 0), engine: Engine(threadCount: 1), loss: nil)
        #expect(program.referenceNodes.map(\.operation) == [name], "\(type)")
        let values = Tensor(wrapping: [1, 2, 3, 5], to: type, shape: [2, 2])
        try program.setInputs([values])
        try program.run(.forward, random: RandomKey(seed: 0, step: 0))
        let expected = try Interpreter(graph).run(inputs: [ReferenceArray(values)], variables: [])
        #expect(program.outputs() == [expected[graph.outputs[0].value.index].tensor], "\(name)")
      }
    }
  }

  /// A program of three logits for each of two rows, trained by a loss.
  private func trained(by loss: @escaping Program.LossTrace, _ type: ElementType = .float32) throws
    -> Program
  {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([2, 3], type))
    builder.output("y", try x * 2)
    let graph = builder.result
    return try Program(
      graph,
      Program.Request(
        inputTypes: [x.type], targetType: ValueType([2], .int64), mode: .training),
      store: ParameterStore(graph, seed: 0), engine: Engine(threadCount: 1), loss: loss)
  }

  @Test(arguments: [(3, 5), (-2, -1)] as [(Double, Int64)])
  func `a label that a loss computes must be a class`(shift: Double, label: Int64) throws {
    let program = try trained { try $0.crossEntropy(labels: $1 + shift) }
    try program.setInputs([Tensor(zeros: [2, 3])])
    try program.setTarget(Tensor([shift > 0 ? -3 : 2, shift > 0 ? 2 : 1] as [Int64]))
    try program.run(.forward, random: RandomKey(seed: 0, step: 0))
    expect(
      "CrossEntropyLabels: expected an index in 0..<3 as element 1, got \(label); give data for which the "
        + "model's indices are in range"
    ) { try program.run(.loss, random: RandomKey(seed: 0, step: 0)) }
  }

  @Test func `losses are floats`() {
    expect("loss: expected losses of float32, got int64 [2]; cast what the loss returns") {
      _ = try trained { _, target in target }
    }
  }

  private func expect(_ message: String, _ body: () throws -> Void) {
    do {
      try body()
      Issue.record("nothing was thrown instead of: \(message)")
    } catch {
      #expect("\(error)" == message)
    }
  }

  @Test func `the cache compiles a request once and forgets the one used longest ago`() throws {
    let graph = try SampleNet.template()
    let cache = Program.Cache(
      template: graph, store: ParameterStore(graph, seed: 0), engine: try Engine(threadCount: 1),
      loss: SampleNet.loss, capacity: 2)
    let first = try cache.program(SampleNet.request(2))
    let second = try cache.program(SampleNet.request(3))
    let firstAgain = try cache.program(SampleNet.request(2))
    #expect(firstAgain === first)
    _ = try cache.program(SampleNet.request(4))
    let firstStill = try cache.program(SampleNet.request(2))
    #expect(firstStill === first)
    let secondAnew = try cache.program(SampleNet.request(3))
    #expect(secondAnew !== second)
  }
}
