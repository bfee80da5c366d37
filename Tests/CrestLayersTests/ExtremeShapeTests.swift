import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Testing

/// Sizes that programs get wrong first: networks of them train as the reference says, or say what is
/// wrong.
@Suite struct ExtremeShapeTests {
  struct Network: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let input: Shape
    var batches = [1, 2, 5]
    let layers: @Sendable () -> Sequential
  }

  static let networks = [
    Network(testDescription: "one pixel of one channel", input: [1, 1, 1]) {
      Sequential {
        Conv2D(1, kernel: 1)
        BatchNorm()
        ReLU()
        GlobalAveragePool()
        Dense(2)
      }
    },
    Network(testDescription: "windows larger than the image", input: [1, 2, 3]) {
      Sequential {
        Conv2D(3, kernel: 5, padding: .same)
        ReLU()
        MaxPool(3, padding: .same)
        Flatten()
        Dense(2)
      }
    },
    Network(testDescription: "strides larger than the image", input: [3, 5, 7]) {
      Sequential {
        Conv2D(5, kernel: 3, stride: [9, 11])
        BatchNorm()
        // One pixel of one example is normalised to 0, where the slope of a ReLU hangs on the last bit.
        Sigmoid()
        AveragePool(1, stride: 4)
        Flatten()
        Dense(3)
      }
    },
    Network(testDescription: "odd sizes and channels", input: [3, 7, 5]) {
      Sequential {
        Conv2D(17, kernel: 3, padding: .same, bias: false)
        BatchNorm()
        ReLU()
        Residual {
          Conv2D(17, kernel: 3, padding: .same, bias: false)
          BatchNorm()
        }
        ReLU()
        AveragePool(2)
        Flatten()
        Dense(3)
      }
    },
    Network(testDescription: "a channel a group", input: [7, 5, 3]) {
      Sequential {
        Conv2D(7, kernel: 3, stride: 2, padding: .same, groups: 7)
        ReLU()
        Conv2D(21, kernel: 2, padding: .all(1), dilation: 2, groups: 7)
        GlobalAveragePool()
        Dense(2)
      }
    },
    Network(testDescription: "a shortcut of one pixel", input: [3, 1, 1]) {
      Sequential {
        Residual {
          Conv2D(8, kernel: 3, stride: 2, padding: .same)
          BatchNorm()
        } shortcut: {
          SubsampledShortcut(channels: 8, stride: 2)
        }
        Flatten()
        Dense(2)
      }
    },
    Network(testDescription: "one feature and one class", input: [1]) {
      Sequential {
        Dense(1)
        BatchNorm()
        Sigmoid()
        Dense(1)
      }
    },
    Network(testDescription: "no feature", input: [0]) { Sequential { Dense(2) } },
    Network(testDescription: "no example", input: [2, 5, 3], batches: [0]) {
      Sequential {
        Conv2D(3, kernel: 3, padding: .same)
        ReLU()
        MaxPool(2)
        Flatten()
        Dense(2)
      }
    },
  ]

  /// What a step of training gives: the predictions, the loss, and by name gradients and statistics.
  private struct Step {
    var predictions: [Double]
    var loss: Double
    var variables: [String: [Double]]
  }

  @Test(arguments: networks, Engine.InstructionSet.available)
  func `a step of training agrees with the reference`(
    _ network: Network, instructionSet: Engine.InstructionSet
  ) throws {
    for count in network.batches {
      let model = try Model(
        network.layers(), input: network.input, seed: 3,
        engine: Engine(threadCount: 2, instructionSet: instructionSet))
      let random = Philox(seed: 5, stream: 0)
      let batchType = model.inputs[0].batchType(count)
      let batch = Tensor(
        (0..<batchType.shape.elementCount).map { random.uniform(UInt64($0)) - 0.5 },
        shape: batchType.shape)
      let classes = model.outputShape[0]
      let labels = Tensor((0..<count).map { Int64($0 % classes) }, shape: [count])
      let expected = try reference(model, batch, labels)
      let actual = try step(model, batch, labels)

      let context = "\(count) examples"
      check(actual.predictions, expected.predictions, "predictions of \(context)")
      check([actual.loss], [expected.loss], "loss of \(context)")
      #expect(actual.variables.keys.sorted() == expected.variables.keys.sorted())
      for (name, values) in expected.variables {
        check(actual.variables[name] ?? [], values, "\(name) of \(context)")
      }
    }
  }

  private func check(_ actual: [Double], _ expected: [Double], _ context: String) {
    #expect(actual.count == expected.count, "\(context)")
    for (actual, expected) in zip(actual, expected) {
      let agrees =
        expected.isFinite
        ? abs(actual - expected) <= 1e-4 * max(1, abs(expected))
        : actual == expected || (actual.isNaN && expected.isNaN)
      #expect(agrees, "\(context): \(actual), not \(expected)")
    }
  }

  private func step(_ model: Model, _ batch: Tensor, _ labels: Tensor) throws -> Step {
    let program = try model.cache(loss: .crossEntropy()).program(
      Program.Request(
        inputTypes: [ValueType(batch.shape)], targetType: ValueType(labels.shape, .int64),
        mode: .training, reads: [.predictions]))
    try program.setInputs([batch])
    try program.setTarget(labels)
    for stage in Graph.Stage.allCases {
      try program.run(stage, random: RandomKey(seed: 1, step: 0))
    }
    let store = model.store
    let parameters = store.parameters.map { ($0.name, store.gradient(of: $0).doubles) }
    let statistics = store.statistics.map { ($0.name, store.value(of: $0).doubles) }
    return Step(
      predictions: program.read(.predictions).doubles, loss: Double(program.loss),
      variables: Dictionary(parameters + statistics) { first, _ in first })
  }

  /// The same step by the interpreter, from the model's present variables.
  private func reference(_ model: Model, _ batch: Tensor, _ labels: Tensor) throws -> Step {
    let builder = GraphBuilder()
    try builder.replay(model.graph, inputTypes: [ValueType(batch.shape)], mode: .training)
    let target = builder.input("target", ValueType(labels.shape, .int64))
    let prediction = builder.symbol(builder.result.outputs[0].value)
    let loss = try prediction.crossEntropy(labels: target).mean()
    let traced = builder.result
    let parameters = traced.values.indices.compactMap { index -> (String, Symbol)? in
      guard case .variable(let number) = traced.values[index].origin,
        traced.variables[number].role != nil
      else { return nil }
      return (traced.variables[number].name, builder.symbol(traced.id(ofValue: index)))
    }
    let gradients = try builder.gradients(of: loss, withRespectTo: parameters.map(\.1))
    let graph = builder.result
    let values = try Interpreter(graph).run(
      inputs: [ReferenceArray(batch), ReferenceArray(labels)],
      variables: graph.variables.map { variable in
        let entry = try #require(model.store.entry(named: variable.name))
        return ReferenceArray(model.store.value(of: entry))
      }, random: RandomKey(seed: 1, step: 0))
    var variables: [String: [Double]] = [:]
    for ((name, symbol), gradient) in zip(parameters, gradients) {
      variables[name] =
        gradient.map { values[$0.id.index].reals }
        ?? [Double](repeating: 0, count: symbol.shape.elementCount)
    }
    for update in graph.updates {
      variables[graph.variables[update.variable].name] = values[update.value.index].reals
    }
    return Step(
      predictions: values[prediction.id.index].reals, loss: values[loss.id.index].reals[0],
      variables: variables)
  }

  /// A layer, the input it is given, and what is said of it.
  static let refusals = [
    LayerRefusal(
      layer: Conv2D(1, kernel: 3), input: [1, 2, 5],
      message:
        "layer \"conv2d\" (Conv): expected a padded input of at least 3 × 3, the kernel's "
        + "extent, got 2 × 5 (2 × 5 before padding); give larger inputs, more padding or a "
        + "smaller kernel"),
    LayerRefusal(
      layer: MaxPool(2), input: [1, 0, 4],
      message: "layer \"max_pool\" (MaxPool): expected a padded input of at least 2 × 2, the "
        + "kernel's extent, got 0 × 4 (0 × 4 before padding); give larger inputs, more padding "
        + "or a smaller kernel"),
    LayerRefusal(
      layer: Dense(1 << 40), input: [1 << 40],
      message: "layer \"dense\" (weight): expected a shape whose element count fits in 64 bits, "
        + "got [1099511627776, 1099511627776]; use fewer units or channels, or a smaller input"),
    LayerRefusal(
      layer: Conv2D(1 << 40, kernel: [1 << 20, 1 << 20]), input: [1, 4, 4],
      message: "layer \"conv2d\" (weight): expected a shape whose element count fits in 64 bits, "
        + "got [1099511627776, 1, 1048576, 1048576]; use fewer units or channels, or a smaller "
        + "input"),
    LayerRefusal(
      layer: Conv2D(1, kernel: 3, padding: .same, dilation: Size2D(1 << 62)), input: [1, 4, 4],
      message:
        "layer \"conv2d\" (Conv2D): expected a kernel whose extent fits in 64 bits, got kernel "
        + "sizes [3, 3], dilations [4611686018427387904, 4611686018427387904]"),
    LayerRefusal(
      layer: AveragePool(2, padding: .all(.max)), input: [1, 4, 4],
      message:
        "layer \"average_pool\" (AveragePool): expected pads and dilations whose sizes fit in 64 "
        + "bits, got pads [9223372036854775807, 9223372036854775807] and [9223372036854775807, "
        + "9223372036854775807], dilations [1, 1]"),
    LayerRefusal(
      layer: MaxPool(2, padding: .explicit(top: -1, left: 0, bottom: 0, right: 0)),
      input: [1, 4, 4],
      message:
        "layer \"max_pool\" (MaxPool): expected pads before of at least 0, one for each of the "
        + "spatial sizes [4, 4], got [-1, 0]"),
  ]

  @Test(arguments: refusals)
  func `sizes that do not fit are refused by name`(_ refusal: LayerRefusal) {
    do {
      _ = try Model(Sequential([refusal.layer]), input: refusal.input)
      Issue.record("not refused")
    } catch {
      #expect("\(error)" == refusal.message)
    }
  }

  /// Powers of two and what a dense layer of them takes: within an `Int`, and beyond it.
  @Test(arguments: [(30, 20, 1 << 53), (31, 30, Int.max)])
  func `parameters beyond the memory are refused before any is taken`(
    features: Int, units: Int, least: Int
  ) throws {
    let error = #expect(throws: ModelError.self) {
      _ = try Model(input: [1 << features]) { Dense(1 << units, bias: false) }
    }
    guard case .parametersTooLarge(let byteCount, let memory)? = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(byteCount == least)
    #expect(
      error?.description
        == "model: parameters and gradients take \(byteCount) bytes, expected at most the \(memory) "
        + "that this process may take; use fewer units or channels, or a smaller input, or raise its limit"
    )
  }

  /// Images whose bytes overflow an `Int` though their elements don't, and a batch that is only too large.
  @Test(
    arguments: [([1, 1 << 30, 1 << 30], 2), ([1, 1 << 10, 1 << 10], 1 << 40)] as [(Shape, Int)])
  func `a batch beyond the memory is refused before any is taken`(
    input: Shape, count: Int
  ) throws {
    let model = try Model(input: input) {
      Conv2D(1, kernel: 3, padding: .same, bias: false)
      BatchNorm()
      ReLU()
    }
    let cache = model.cache(loss: nil)
    let error = #expect(throws: ProgramError.self) {
      _ = try cache.program(
        Program.Request(
          inputTypes: [model.inputs[0].batchType(count)], targetType: nil, mode: .inference))
    }
    guard case .tooLarge? = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
  }
}
