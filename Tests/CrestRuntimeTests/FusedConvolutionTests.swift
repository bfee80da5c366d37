import CrestGraph
import CrestRuntime
import CrestTensor
import Testing

/// What convolutions become: the kernel chosen for a shape, and what they take on around them.
@Suite struct FusedConvolutionTests {
  /// A network of one kind of block, its parameters drawn by name.
  private struct Net {
    let builder = GraphBuilder()
    private var count = 0

    mutating func parameter(_ shape: Shape, _ role: Graph.ParameterRole = .weight) throws -> Symbol
    {
      count += 1
      let spread: Float = role == .normalizationScale ? 0.2 : 0.4
      let centre: Float = role == .normalizationScale ? 1 : 0
      return try builder.parameter("p\(count)", shape, role: role) { random in
        Tensor(
          (0..<shape.elementCount).map {
            centre + (random.uniform(UInt64($0)) - 0.5) * 2 * spread
          }, shape: shape)
      }
    }

    mutating func conv(
      _ x: Symbol, _ filters: Int, kernel: Int = 3, stride: Int = 1, bias: Bool = false
    )
      throws -> Symbol
    {
      let filter = try parameter([filters, x.shape[1], kernel, kernel])
      let added = bias ? try parameter([filters], .bias) : nil
      let pads = [kernel / 2, kernel / 2]
      return try x.conv(
        filter, bias: added,
        ConvAttributes(strides: [stride, stride], padsBefore: pads, padsAfter: pads))
    }

    mutating func norm(_ x: Symbol) throws -> Symbol {
      let shape: Shape = [x.shape[1]]
      let zero = Tensor([Float](repeating: 0, count: shape.elementCount), shape: shape)
      let one = Tensor([Float](repeating: 1, count: shape.elementCount), shape: shape)
      count += 1
      let mean = try builder.statistic("mean\(count)", shape) { _ in zero }
      let variance = try builder.statistic("variance\(count)", shape) { _ in one }
      let result = try x.batchNormalized(
        scale: parameter(shape, .normalizationScale), bias: parameter(shape, .normalizationShift),
        runningMean: mean, runningVariance: variance)
      builder.update(mean, to: result.mean)
      builder.update(variance, to: result.variance)
      return result.y
    }
  }

  /// Blocks whose parts compilers join differently.
  enum Block: String, CaseIterable, CustomTestStringConvertible {
    case plain, withoutReLU, withBias, residual, projection, narrowing, preActivated, readTwice
    case normalizedInput, fiveTaps

    var testDescription: String { rawValue }
  }

  private func template(_ block: Block) throws -> Graph {
    var net = Net()
    var x = net.builder.input("x", ValueType([2, 3, 9, 8]))
    x = try net.norm(net.conv(x, 16)).relu()
    switch block {
    case .plain: x = try net.norm(net.conv(x, 18)).relu()
    case .withoutReLU: x = try net.conv(net.norm(net.conv(x, 16)), 16)
    case .withBias: x = try net.norm(net.conv(net.conv(x, 16, bias: true).relu(), 16, bias: true))
    case .residual:
      for _ in 0..<2 {
        let inner = try net.norm(net.conv(x, 16)).relu()
        x = try (net.norm(net.conv(inner, 16)) + x).relu()
      }
    case .projection:
      let inner = try net.norm(net.conv(x, 32)).relu()
      let shortcut = try net.norm(net.conv(x, 32, kernel: 1))
      x = try (net.norm(net.conv(inner, 32)) + shortcut).relu()
      x = try (net.norm(net.conv(x, 32)) + x).relu()
    case .narrowing:
      let inner = try net.norm(net.conv(x, 16, stride: 2)).relu()
      let shortcut = try net.norm(net.conv(x, 16, stride: 2))
      x = try (net.norm(net.conv(inner, 16)) + shortcut).relu()
    case .preActivated:
      let inner = try net.conv(net.norm(x).relu(), 16)
      x = try x + net.conv(net.norm(inner).relu(), 16)
    case .readTwice:
      let inner = try net.norm(net.conv(x, 16)).relu()
      x = try net.conv(inner, 16) * net.conv(inner, 16)
    case .fiveTaps:
      for _ in 0..<2 {
        let inner = try net.norm(net.conv(x, 16, kernel: 5)).relu()
        x = try (net.norm(net.conv(inner, 16, kernel: 5)) + x).relu()
      }
    case .normalizedInput: x = try net.conv(net.norm(net.norm(x)), 16)
    }
    x = try x.globalAveragePool().flattened()
    net.builder.output("logits", try x.gemm(net.parameter([5, x.shape[1]]), transposingB: true))
    return net.builder.result
  }

  private func request(isDiagnosing: Bool = false, reads: Set<Capture> = []) -> Program.Request {
    Program.Request(
      inputTypes: [ValueType([4, 3, 9, 8])], targetType: ValueType([4], .int64), mode: .training,
      reads: reads, isDiagnosing: isDiagnosing)
  }

  private static let images = Tensor(
    (0..<4 * 3 * 72).map { element in
      Philox(seed: 7, stream: 99, step: 1).uniform(UInt64(element)) * 2 - 1
    }, shape: [4, 3, 9, 8])
  private static let labels = Tensor([0, 3, 1, 4] as [Int64])

  /// A step of training: the loss, every gradient, and the running statistics.
  private func step(
    _ template: Graph, _ request: Program.Request, _ engine: Engine
  ) throws -> (loss: Float, values: [String: Tensor], program: Program) {
    let store = ParameterStore(template, seed: 5)
    let program = try Program(template, request, store: store, engine: engine) {
      try $0.crossEntropy(labels: $1)
    }
    try program.setInputs([Self.images])
    try program.setTarget(Self.labels)
    for stage in Graph.Stage.allCases {
      try program.run(stage, random: RandomKey(seed: 3, step: 1))
    }
    var values: [String: Tensor] = [:]
    for entry in store.parameters { values[entry.name] = store.gradient(of: entry) }
    for entry in store.statistics { values[entry.name] = store.value(of: entry) }
    return (program.loss, values, program)
  }

  @Test(arguments: Block.allCases, Engine.InstructionSet.available)
  func `joined steps compute what single ones do`(
    block: Block, instructionSet: Engine.InstructionSet
  ) throws {
    let template = try template(block)
    let engine = try Engine(threadCount: 2, instructionSet: instructionSet)
    let exact = try Engine(
      threadCount: 2, instructionSet: instructionSet, convolutions: .direct)
    let joined = try step(template, request(), engine)
    let single = try step(template, request(isDiagnosing: true), exact)
    #expect(abs(joined.loss - single.loss) < 1e-5)
    for (name, wanted) in single.values {
      let got = try #require(joined.values[name])
      let scale = wanted.doubles.map(abs).max() ?? 0
      for (a, b) in zip(got.doubles, wanted.doubles) {
        let difference = abs(a - b)
        #expect(difference <= 2e-4 * scale + 1e-6, "\(name): \(a), not \(b)")
      }
    }
  }

  @Test(arguments: Block.allCases)
  func `joined steps give the same bits for any number of threads`(block: Block) throws {
    let template = try template(block)
    let alone = try step(template, request(), Engine(threadCount: 1)).values
    for threadCount in [2, 3, 5] {
      let together = try step(template, request(), Engine(threadCount: threadCount)).values
      #expect(alone == together, "\(threadCount) threads")
    }
  }

  @Test(arguments: Block.allCases)
  func `fused nodes mean what their kernels compute`(block: Block) throws {
    let template = try template(block)
    let engine = try Engine(threadCount: 2)
    let (loss, values, program) = try step(template, request(), engine)
    let graph = program.compiledGraph
    let single = try step(template, request(isDiagnosing: true), engine).program.compiledGraph
    #expect(graph.nodes.count < single.nodes.count)
    for node in graph.nodes {
      let types = try node.operation.outputTypes(for: node.inputs.map(graph.type(of:)))
      #expect(types == node.outputs.map(graph.type(of:)), "\(node.operation.name)")
    }
    let store = ParameterStore(template, seed: 5)
    let reference = try Interpreter(graph).run(
      inputs: [Self.images, Self.labels].map { ReferenceArray($0) },
      variables: graph.variables.map { variable in
        ReferenceArray(store.value(of: try #require(store.entry(named: variable.name))))
      })
    for output in graph.outputs {
      let wanted = reference[output.value.index].reals
      let got =
        switch output.name.split(separator: ".").last.flatMap({ Int($0) }) {
        case let number? where output.name.hasPrefix("gradient"):
          try #require(values[graph.variables[number].name]).doubles
        default: output.name == "loss" ? [Double(loss)] : wanted
        }
      let scale = wanted.map(abs).max() ?? 0
      for (a, b) in zip(got, wanted) {
        let difference = abs(a - b)
        #expect(difference <= 2e-4 * scale + 1e-6, "\(output.name): \(a), not \(b)")
      }
    }
  }

  @Test func `normalisations of a residual block take no pass of their own`() throws {
    let program = try step(template(.residual), request(), Engine(threadCount: 1)).program
    let passes = [
      "NormalizationCoefficients", "NormalizationGradientCoefficients", "ChannelAffine",
    ]
    let alone = program.kernelUses.filter { passes.contains($0.name) }
    // The first convolution has three channels and runs directly, so its statistics and its gradient
    // are passes; and a mean reads the last block's result, and gives its gradient.
    #expect(
      alone.map(\.name) == [
        "NormalizationCoefficients", "ChannelAffine", "NormalizationGradientCoefficients",
        "ChannelAffine",
      ])
    let joins = program.kernelUses.filter { $0.name.contains("reluMask") }
    #expect(joins.count == 1, "only the last gradient comes from no convolution")
  }

  @Test func `both gradients of a convolution are one step, unless the program is looked into`()
    throws
  {
    func gradients(isDiagnosing: Bool) throws -> [String] {
      try step(
        template(.residual), request(isDiagnosing: isDiagnosing), Engine(threadCount: 1)
      ).program.steps(of: .backward).filter { $0.hasPrefix("Conv") }
    }
    // The image's own gradient is not wanted, so the first convolution has that of its filters only.
    let joined = try gradients(isDiagnosing: false)
    #expect(Set(joined) == ["ConvGradients winograd 4×4", "ConvFilterGradient direct"])
    let single = try gradients(isDiagnosing: true)
    #expect(single.count == 2 * joined.count - 1)
    #expect(single.allSatisfy { !$0.hasPrefix("ConvGradients") })
  }

  @Test(arguments: [
    (3, 16, 32, 3, 1, "direct"), (16, 16, 32, 3, 1, "winograd 4×4"),
    (64, 64, 8, 3, 1, "winograd 4×4"), (64, 64, 2, 3, 1, "winograd 2×2"),
    (16, 32, 32, 3, 2, "direct"), (20, 50, 12, 5, 1, "winograd 2×2"), (64, 128, 8, 1, 1, "product"),
    (1, 20, 28, 5, 1, "direct"), (32, 32, 16, 5, 2, "direct"), (32, 32, 16, 7, 1, "direct"),
    (64, 128, 8, 1, 2, "direct"), (1, 1, 8, 3, 1, "direct"), (512, 512, 7, 3, 1, "winograd 4×4"),
  ])
  func `a kernel is chosen by shape`(
    channels: Int, filters: Int, size: Int, kernel: Int, stride: Int, expected: String
  ) throws {
    var net = Net()
    let x = net.builder.input("x", ValueType([2, channels, size, size]))
    net.builder.output("y", try net.conv(x, filters, kernel: kernel, stride: stride))
    func chosen(_ engine: Engine) throws -> [String] {
      try Program(
        net.builder.result,
        Program.Request(
          inputTypes: [ValueType([2, channels, size, size])], targetType: nil, mode: .inference),
        store: ParameterStore(net.builder.result, seed: 0), engine: engine, loss: nil
      ).steps(of: .forward).filter { $0.hasPrefix("Conv") }
    }
    #expect(try chosen(Engine(threadCount: 1)) == ["Conv \(expected)"])
    let direct = try chosen(Engine(threadCount: 1, convolutions: .direct))
    #expect(direct == ["Conv \(expected.hasPrefix("winograd") ? "direct" : expected)"])
    let accurate = try chosen(Engine(threadCount: 1, convolutions: .accurate))
    #expect(!accurate[0].contains("4×4"))
    #expect(kernel == 3 || accurate == direct, "F(2, 5) has six points")
  }

  @Test func `what callbacks read is not taken into a step`() throws {
    var net = Net()
    let x = net.builder.input("x", ValueType([2, 3, 9, 8]))
    let normalized = try net.builder.scoped("norm") { try net.norm(net.conv(x, 16)) }
    let y = try net.conv(normalized.relu(), 16).globalAveragePool().flattened()
    net.builder.output("logits", y)
    let read = try step(
      net.builder.result, request(reads: [.activation("norm")]), Engine(threadCount: 2)
    ).program.read(.activation("norm"))
    let values = read.doubles
    let mean = values.reduce(0, +) / Double(values.count)
    #expect(read.shape == [4, 16, 9, 8])
    #expect(values.contains { $0 < 0 } && abs(mean) < 1)
  }
}
