import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Foundation
import Testing

/// Layers beside PyTorch, as `Tests/Fixtures/make_layers.py` has them in float64.
@Suite("Layers beside PyTorch") struct LayerFixtureTests {
  /// What a case's name stands for.
  typealias Trace = @Sendable ([Symbol]) throws -> Symbol

  static func of(_ layer: some Layer) -> Trace { { try layer($0[0]) } }

  /// Each case of the file.
  static let layers: [String: Trace] = [
    "SiLU": of(SiLU()), "Mish": of(Mish()), "HardSwish": of(HardSwish()),
    "HardSigmoid": of(HardSigmoid()), "ReLU6": of(ReLU6()), "SELU": of(SELU()),
    "Softplus": of(Softplus()), "Softsign": of(Softsign()), "LeakyReLU": of(LeakyReLU(0.2)),
    "ELU": of(ELU(0.7)), "PReLU": of(PReLU()), "PReLU of all channels": of(PReLU(byChannel: false)),
    "GLU of sigmoid": of(GLU()), "GLU of linear": of(GLU(.linear)), "GLU of relu": of(GLU(.relu)),
    "GLU of gelu": of(GLU(.gelu)), "GLU of silu": of(GLU(.silu)), "GLU of axis 1": of(GLU(axis: 1)),
    "Embedding": of(Embedding(7, 4)), "LayerNorm": of(LayerNorm()),
    "LayerNorm of two axes": of(LayerNorm(axisCount: 2, epsilon: 1e-3)),
    "LayerNorm without bias": of(LayerNorm(bias: false)), "RMSNorm": of(RMSNorm()),
    "InstanceNorm": of(InstanceNorm()), "InstanceNorm of sequences": of(InstanceNorm()),
    "InstanceNorm without parameters": of(InstanceNorm(affine: false)),
    "GroupNorm": of(GroupNorm(3)),
    "Conv1D": of(Conv1D(4, kernel: 3)),
    "Conv1D, all of it": of(
      Conv1D(
        6, kernel: 3, stride: 2, padding: .explicit(before: 2, after: 2), dilation: 2, groups: 2,
        bias: false)),
    "Conv1D, causal": of(Conv1D(2, kernel: 3, padding: .causal, dilation: 2)),
    "Conv1D, same": of(Conv1D(2, kernel: 4, padding: .same)),
    "Conv3D": of(Conv3D(3, kernel: [2, 3, 2], stride: [1, 2, 1], padding: .all(1))),
    "ConvTranspose1D": of(ConvTranspose1D(2, kernel: 4, stride: 2)),
    "ConvTranspose1D, same": of(ConvTranspose1D(2, kernel: 4, stride: 2, padding: .same)),
    "ConvTranspose2D": of(
      ConvTranspose2D(6, kernel: 3, stride: 2, padding: .all(1, output: 1), groups: 2)),
    "DepthwiseConv2D": of(DepthwiseConv2D(kernel: 3, padding: .all(1), multiplier: 2)),
    "SeparableConv2D": of(SeparableConv2D(4, kernel: 3, stride: 2)),
    "MaxPool1D": of(MaxPool1D(3, stride: 2, padding: .explicit(before: 1, after: 1))),
    "AveragePool1D": of(
      AveragePool1D(3, stride: 2, padding: .explicit(before: 1, after: 1), countsPadding: true)),
    "AdaptiveAveragePool": of(AdaptiveAveragePool([3, 2])),
    "AdaptiveMaxPool": of(AdaptiveMaxPool([3, 2])), "AdaptiveConcatPool": of(AdaptiveConcatPool()),
    "GlobalMaxPool": { try GlobalMaxPool()($0[0]) },
    "GlobalAveragePool of sequences": of(GlobalAveragePool()),
    "Upsample, nearest": of(Upsample([2, 3])),
    "Upsample, linear": of(Upsample([2, 3], mode: .linear)),
    "Upsample, linearAlignedCorners": of(Upsample([2, 3], mode: .linearAlignedCorners)),
    "Upsample, cubic": of(Upsample([2, 3], mode: .cubic)), "PixelShuffle": of(PixelShuffle(2)),
    "ZeroPad2D": of(ZeroPad2D(top: 1, left: 2, bottom: 3, right: 4)), "Permute": of(Permute(2, 1)),
    "Reshape": of(Reshape([2, -1])), "SqueezeExcitation": of(SqueezeExcitation(2)),
    "LSTM, all steps": of(LSTM(4, output: .all)), "LSTM, last step": of(LSTM(3)),
    "LSTM, two layers, both directions": of(LSTM(2, layers: 2, bidirectional: true)),
    "LSTM, with lengths": {
      try LSTM(3, bidirectional: true, output: .all)($0[0], lengths: $0[1])
    },
    "GRU, all steps": of(GRU(4, output: .all)), "GRU, last step": of(GRU(3)),
    "GRU, two layers, both directions": of(GRU(2, layers: 2, bidirectional: true)),
    "GRU, with lengths": {
      try GRU(3, bidirectional: true, output: .all)($0[0], lengths: $0[1])
    },
    "RNN, all steps": of(RNN(4, output: .all)), "RNN, last step": of(RNN(3)),
    "RNN, two layers, both directions": of(RNN(2, layers: 2, bidirectional: true)),
    "RNN, with lengths": {
      try RNN(3, bidirectional: true, output: .all)($0[0], lengths: $0[1])
    },
    "RNN of ReLU": of(RNN(4, activation: .relu, output: .all)),
    "MultiHeadAttention": of(MultiHeadAttention(heads: 2)),
    "MultiHeadAttention, causal, without bias": of(
      MultiHeadAttention(heads: 4, causal: true, bias: false)),
    "MultiHeadAttention to others": { try MultiHeadAttention(heads: 2)($0[0], keys: $0[1]) },
    "MultiHeadAttention with a mask": { try MultiHeadAttention(heads: 2)($0[0], mask: $0[1]) },
    "MultiHeadAttention of grouped heads": of(MultiHeadAttention(heads: 4, keyHeads: 2)),
    "MultiHeadAttention, turned by halves": of(MultiHeadAttention(heads: 2, rotary: .init())),
    "MultiHeadAttention, turned by neighbours": of(
      MultiHeadAttention(heads: 2, rotary: .init(pairs: .neighbours))),
    "TransformerEncoderBlock, norm first": of(
      TransformerEncoderBlock(.init(heads: 2, feedForward: 12, activation: .gelu))),
    "TransformerEncoderBlock, norm last": of(
      TransformerEncoderBlock(.init(heads: 2, feedForward: 12, normalizesFirst: false))),
    "TransformerEncoderBlock with a mask": {
      try TransformerEncoderBlock(.init(heads: 2, feedForward: 12, normalizesFirst: false))(
        $0[0], mask: $0[1])
    },
    "TransformerDecoderBlock, norm first": {
      try TransformerDecoderBlock(.init(heads: 2, feedForward: 12))($0[0], memory: $0[1])
    },
    "TransformerDecoderBlock, norm last": {
      try TransformerDecoderBlock(.init(heads: 2, feedForward: 12, normalizesFirst: false))(
        $0[0], memory: $0[1])
    },
    "SinusoidalPositions": of(SinusoidalPositions()), "LearnedPositions": of(LearnedPositions()),
  ]

  /// A value of the file and the gradient of the loss by it.
  struct Value: Sendable, Decodable {
    let shape: [Int]
    let type: String?
    let values: [Double]
    let gradient: [Double]

    var elementType: ElementType {
      switch type {
      case "int64": .int64
      case "bool": .bool
      default: .float32
      }
    }

    var array: ReferenceArray {
      let valueType = ValueType(Shape(shape), elementType)
      return elementType.isFloat
        ? ReferenceArray(values, valueType)
        : ReferenceArray(integers: values.map { Int64($0) }, valueType)
    }
  }

  /// A layer as PyTorch computes it.
  struct Case: Sendable, Decodable, CustomTestStringConvertible {
    let name: String
    let inputs: [Value]
    let parameters: [String: Value]
    let shape: [Int]
    let output: [Double]

    var testDescription: String { name }

    /// The graph of y, and of the gradients of Σ y · cos(index) by float inputs and parameters, in the order of names.
    func graph() throws -> Graph {
      let trace = try #require(LayerFixtureTests.layers[name], "no layer for \(name)")
      let builder = GraphBuilder()
      let symbols = inputs.enumerated().map { number, input in
        builder.input("input\(number)", input.array.type)
      }
      let y = try trace(symbols)
      builder.output("y", y)
      let graph = builder.result
      #expect(
        graph.variables.map(\.name).sorted() == parameters.keys.sorted(), "names of parameters")
      let weights = (0..<y.shape.elementCount).map { cos(Double($0)) }
      builder.stage = .loss
      let loss = try (y * builder.constant(Tensor(rounding: weights, to: .float32, shape: y.shape)))
        .sum()
      var variables: [String: Symbol] = [:]
      for input in graph.nodes.flatMap(\.inputs) {
        guard case .variable(let number) = graph.values[input.index].origin else { continue }
        variables[graph.variables[number].name] = builder.symbol(input)
      }
      let ordered = variables.sorted { $0.key < $1.key }.map(\.value)
      let wanted = zip(symbols, inputs).filter { $1.elementType.isFloat }.map(\.0)
      let gradients = try builder.gradients(of: loss, withRespectTo: wanted + ordered)
      for (number, gradient) in gradients.enumerated() {
        builder.output("gradient\(number)", try #require(gradient))
      }
      return builder.result
    }

    /// y and the gradients, in the order of the graph's outputs.
    var expected: [(what: String, values: [Double])] {
      [("y", output)]
        + inputs.filter { $0.elementType.isFloat }.map { ("gradient of an input", $0.gradient) }
        + parameters.sorted { $0.key < $1.key }.map { ("gradient of \($0.key)", $0.value.gradient) }
    }

    /// Compares, by the size of the largest element.
    func expect(_ results: [[Double]], within tolerance: Double) {
      #expect(results.count == expected.count)
      for (found, (what, values)) in zip(results, expected) {
        #expect(found.count == values.count, "\(name): \(what)")
        let scale = max(1e-3, values.map(abs).max() ?? 0)
        let worst = zip(found, values).map { abs($0 - $1) }.max() ?? 0
        #expect(worst <= tolerance * scale, "\(name): \(what) differs by \(worst) of \(scale)")
      }
    }
  }

  /// How a parameter starts.
  struct Start: Sendable, Decodable, CustomTestStringConvertible {
    let layer: String
    let parameter: String
    let mean: Double
    let deviation: Double
    let least: Double
    let most: Double

    var testDescription: String { parameter }
  }

  struct File: Sendable, Decodable {
    let cases: [Case]
    let starts: [Start]
  }

  static let file: File? = {
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/layers/layers.json")
    return try? JSONDecoder().decode(File.self, from: Data(contentsOf: url))
  }()

  @Test func `are all in the file`() throws {
    let file = try #require(Self.file)
    #expect(Set(file.cases.map(\.name)) == Set(Self.layers.keys))
    #expect(file.cases.count >= 80)
  }

  @Test(arguments: file?.cases ?? [])
  func `give the same outputs and gradients by the reference`(example: Case) throws {
    let graph = try example.graph()
    let values = try Interpreter(graph).run(
      inputs: example.inputs.map(\.array),
      variables: graph.variables.map { variable in
        try #require(example.parameters[variable.name]).array
      })
    // The weights of the sum and what's constant are rounded to float32.
    example.expect(graph.outputs.map { values[$0.value.index].reals }, within: 3e-6)
  }

  @Test(arguments: file?.cases ?? [])
  func `give the same outputs and gradients by the kernels`(example: Case) throws {
    let graph = try example.graph()
    let store = ParameterStore(graph, seed: 0)
    for entry in store.parameters {
      let value = try #require(example.parameters[entry.name])
      store.write(Tensor(rounding: value.values, to: .float32, shape: entry.shape), to: entry)
    }
    let program = try Program(
      graph,
      Program.Request(
        inputTypes: example.inputs.map(\.array.type), targetType: nil, mode: .inference),
      store: store, engine: Engine(threadCount: 2), loss: nil)
    #expect(program.referenceNodes == [])
    try program.setInputs(example.inputs.map(\.array.tensor))
    for stage in Graph.Stage.allCases {
      try program.run(stage, random: RandomKey(seed: 0, step: 0))
    }
    example.expect(program.outputs().map(\.doubles), within: 1e-5)
  }

  /// The layers whose parameters start as PyTorch's.
  static let starting: [String: (Trace, ValueType)] = [
    "Embedding": (of(Embedding(50, 40)), ValueType([2], .int64)),
    "LayerNorm": (of(LayerNorm()), ValueType([2, 16])),
    "LSTM": (of(LSTM(30)), ValueType([2, 3, 20])), "GRU": (of(GRU(30)), ValueType([2, 3, 20])),
    "RNN": (of(RNN(30)), ValueType([2, 3, 20])),
    "MultiHeadAttention": (of(MultiHeadAttention(heads: 4)), ValueType([2, 3, 32])),
    "PReLU": (of(PReLU()), ValueType([2, 8, 3])),
  ]

  @Test(arguments: file?.starts ?? [])
  func `start as PyTorch's do`(start: Start) throws {
    let (trace, type) = try #require(Self.starting[start.layer])
    let builder = GraphBuilder()
    _ = try trace([builder.input("x", type)])
    let variables = builder.result.variables
    let number = try #require(variables.firstIndex { $0.name == start.parameter })
    let values = (0..<20).flatMap { (seed: UInt64) -> [Double] in
      let random = Philox(seed: seed, stream: Philox.Stream.parameters + UInt32(number))
      return variables[number].initialValue(random).doubles
    }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    // Five standard errors of a mean and of a deviation, of both samples.
    let error = 5 * start.deviation * (2 / count).squareRoot()
    #expect(abs(mean - start.mean) <= error + 1e-7, "mean \(mean)")
    #expect(abs(deviation - start.deviation) <= error + 1e-7, "deviation \(deviation)")
    // Bounds of a uniform distribution; those of a normal one vary by much more.
    let slack = start.layer == "Embedding" ? 1 : 0.02 * (start.most - start.least)
    #expect(abs((values.min() ?? 0) - start.least) <= slack + 1e-7)
    #expect(abs((values.max() ?? 0) - start.most) <= slack + 1e-7)
  }
}
