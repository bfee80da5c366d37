import CrestGraph
import CrestRuntime
import CrestTensor
import Testing

/// What is composed of several operations runs on kernels, forward and backward.
@Suite struct ComposedLayerTests {
  typealias Trace = @Sendable ([Symbol]) throws -> [Symbol]

  private static let layers: [(String, [Shape], Trace)] = [
    (
      "LSTM", [[5, 3, 4], [2, 24, 4], [2, 24, 6], [2, 48], [2, 3, 6], [2, 3, 6], [2, 18]],
      { inputs in
        let result = try inputs[0].lstm(
          Symbol.RecurrentInputs(
            weight: inputs[1], recurrentWeight: inputs[2], bias: inputs[3],
            sequenceLengths: inputs[0].builder.constant(Tensor([5, 2, 0] as [Int64])),
            initialState: inputs[4]),
          initialCell: inputs[5], peepholes: inputs[6],
          Symbol.RecurrentAttributes(direction: .bidirectional, clip: 0.9))
        return [result.steps, result.hidden, result.cell]
      }
    ),
    (
      "GRU", [[5, 3, 4], [1, 18, 4], [1, 18, 6], [1, 36]],
      { inputs in
        let result = try inputs[0].gru(
          Symbol.RecurrentInputs(weight: inputs[1], recurrentWeight: inputs[2], bias: inputs[3]),
          Symbol.RecurrentAttributes(isBatchFirst: true))
        return [result.steps, result.hidden]
      }
    ),
    (
      "layer norm", [[4, 3, 10], [10], [10]],
      { [try $0[0].layerNormalized(scale: $0[1], bias: $0[2])] }
    ),
    (
      "group norm", [[2, 4, 3, 3], [4], [4]],
      { [try $0[0].groupNormalized(groups: 2, scale: $0[1], bias: $0[2])] }
    ),
    (
      "instance norm", [[2, 4, 3, 3], [4], [4]],
      { [try $0[0].instanceNormalized(scale: $0[1], bias: $0[2])] }
    ),
    ("SELU", [[40]], { [try $0[0].selu()] }),
    ("GELU", [[40]], { [try $0[0].gelu()] }),
    ("GELU by tanh", [[40]], { [try $0[0].gelu(.tanh)] }),
    (
      "GELU of a batch norm", [[2, 4, 3, 3], [4], [4]],
      { inputs in
        let statistics = ([0, 1] as [Float]).map { value in
          inputs[0].builder.constant(Tensor([Float](repeating: value, count: 4)))
        }
        return [
          try inputs[0].batchNormalized(
            scale: inputs[1], bias: inputs[2], runningMean: statistics[0],
            runningVariance: statistics[1], epsilon: 1e-5, momentum: 0.9, convention: .onnx
          ).y.gelu()
        ]
      }
    ),
    ("clip", [[40]], { [try $0[0].clipped(minimum: -0.5, maximum: 0.25)] }),
    ("parametric ReLU", [[4, 5], [5]], { [try $0[0].parametricRelu(slope: $0[1])] }),
    (
      "transposed convolution", [[2, 3, 4, 4], [3, 2, 3, 3], [2]],
      {
        let attributes = ConvAttributes(
          strides: [2, 2], padsBefore: [1, 1], padsAfter: [1, 1])
        return [try $0[0].convTransposed($0[1], bias: $0[2], attributes, outputPadding: [1, 1])]
      }
    ),
  ]

  /// GELU as exporters write it, and what is not it.
  private static let products: [(String, isGelu: Bool, @Sendable (Symbol) throws -> Symbol)] = [
    ("PyTorch's", true, { x in try x * ((x / 2.0.squareRoot()).erf() + 1) * 0.5 }),
    ("Keras's", true, { x in try x * 0.5 * (1 + (x * 0.5.squareRoot()).erf()) }),
    ("TensorFlow's", true, { x in try x * (0.5 * (1 + (0.5.squareRoot() * x).erf())) }),
    ("half of the other factor", true, { x in try x / 2 * (1 + (x / 2.0.squareRoot()).erf()) }),
    (
      "one of a product", true,
      { x in
        let y = try x * 3
        return try y * ((y / 2.0.squareRoot()).erf() + 1) * 0.5
      }
    ),
    (
      "a root rounded to float", true,
      { x in
        try x * ((x / Double(Float(2).squareRoot())).erf() + 1) * 0.5
      }
    ),
    ("another factor", false, { x in try x * ((x / 2.0.squareRoot()).erf() + 1) * 0.25 }),
    ("another root", false, { x in try x * ((x / 1.5).erf() + 1) * 0.5 }),
    ("another sum", false, { x in try x * ((x / 2.0.squareRoot()).erf() + 2) * 0.5 }),
    ("another value", false, { x in try (x + 1) * ((x / 2.0.squareRoot()).erf() + 1) * 0.5 }),
    ("a square", false, { x in try x * x * ((x / 2.0.squareRoot()).erf() + 1) * 0.5 }),
    ("no factor", false, { x in try x * ((x / 2.0.squareRoot()).erf() + 1) }),
  ]

  @Test(arguments: products.indices)
  func `a GELU composed by others runs as one operation`(number: Int) throws {
    let (name, isGelu, trace) = Self.products[number]
    let builder = GraphBuilder()
    let type = ValueType([5, 7])
    builder.output("y", try trace(builder.input("x", type)))
    let program = try Program(
      builder.result, Program.Request(inputTypes: [type], targetType: nil, mode: .inference),
      store: ParameterStore(builder.result, seed: 0), engine: Engine(threadCount: 1), loss: nil)
    let steps = program.steps(of: .forward).joined()
    #expect(steps.contains("gelu") == isGelu, "\(name): \(steps)")
    #expect(steps.contains("erf") != isGelu, "\(name): \(steps)")
    let values = (0..<35).map { Float($0) / 5 - 3.5 }
    try program.setInputs([Tensor(values, shape: type.shape)])
    try program.run(.forward, random: RandomKey(seed: 1, step: 0))
    let input = ReferenceArray(Tensor(values, shape: type.shape))
    let expected = try Interpreter(builder.result).run(inputs: [input], variables: [])
    for (got, wanted) in zip(
      program.outputs()[0].doubles, expected[builder.result.outputs[0].value.index].reals)
    {
      #expect((got - wanted).magnitude <= 1e-6 * max(1, wanted.magnitude), "\(name)")
    }
  }

  @Test(arguments: layers.map(\.0))
  func `a composed layer runs on kernels and agrees with the reference`(name: String) throws {
    let (_, shapes, trace) = try #require(Self.layers.first { $0.0 == name })
    // Traced first and differentiated once replayed, as a training step is.
    let template = GraphBuilder()
    let symbols = shapes.enumerated().map { template.input("input\($0)", ValueType($1)) }
    let values = shapes.enumerated().map { number, shape in
      let random = Philox(seed: 9, stream: UInt32(number))
      let uniform = (0..<shape.elementCount).map { 2 * random.uniform(UInt64($0)) - 1 }
      return Tensor(uniform, shape: shape)
    }
    for (number, output) in try trace(symbols).enumerated() {
      template.output("output\(number)", output)
    }
    let builder = GraphBuilder()
    let copies = try builder.replay(
      template.result, inputTypes: shapes.map { ValueType($0) }, mode: .training)
    builder.stage = .loss
    var loss: Symbol?
    for port in template.result.outputs {
      let output = try #require(copies[port.value])
      let part = try (output * output).sum()
      loss = try loss.map { try $0 + part } ?? part
    }
    let inputs = try symbols.map { try #require(copies[$0.id]) }
    let gradients = try builder.gradients(of: try #require(loss), withRespectTo: inputs)
    for (number, gradient) in gradients.enumerated() {
      builder.output("gradient\(number)", try #require(gradient))
    }

    let program = try Program(
      builder.result,
      Program.Request(inputTypes: shapes.map { ValueType($0) }, targetType: nil, mode: .training),
      store: ParameterStore(builder.result, seed: 0), engine: Engine(threadCount: 2), loss: nil)
    #expect(program.referenceNodes.isEmpty, "\(program.referenceNodes)")
    try program.setInputs(values)
    for stage in Graph.Stage.allCases {
      try program.run(stage, random: RandomKey(seed: 1, step: 0))
    }
    let expected = try Interpreter(builder.result).run(
      inputs: values.map { ReferenceArray($0) }, variables: [])
    for (port, result) in zip(builder.result.outputs, program.outputs()) {
      let reference = expected[port.value.index].reals
      let scale = max(reference.map(\.magnitude).max() ?? 0, 1)
      for (got, wanted) in zip(result.doubles, reference) {
        #expect(
          (got - wanted).magnitude <= 2e-5 * scale, "\(port.name): \(got), not \(wanted), seed 9")
      }
    }
  }
}
