import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Testing

/// Wires the batch of its trace in, as no layer should.
private struct FixedBatch: Layer {
  func trace(_ x: Symbol) throws -> Symbol {
    try x.reshaped(to: [x.shape[0], x.shape.elementCount / x.shape[0]])
  }
}

/// Folds the batch into the features.
private struct FoldedBatch: Layer {
  func trace(_ x: Symbol) throws -> Symbol { try x.reshaped(to: [2, -1]) }
}

/// Trades the batch for another axis.
private struct Swapped: Layer {
  func trace(_ x: Symbol) throws -> Symbol { try x.transposed([1, 0, 2]) }
}

@Suite struct ModelTests {
  private static func engine() throws -> Engine { try Engine(threadCount: 2) }

  private func image(_ shape: Shape, seed: UInt64 = 1) -> Tensor {
    let random = Philox(seed: seed, stream: 99)
    return Tensor(
      (0..<shape.elementCount).map { random.uniform(UInt64($0)) - 0.5 }, shape: shape)
  }

  /// What the graph computes by the reference in inference.
  private func reference(_ model: Model, _ batch: Tensor) throws -> [Double] {
    let builder = GraphBuilder()
    try builder.replay(
      model.graph, inputTypes: [model.inputs[0].batchType(batch.shape[0])], mode: .inference)
    let graph = builder.result
    let variables = try graph.variables.map { variable in
      let entry = try #require(model.store.entry(named: variable.name))
      return ReferenceArray(model.store.value(of: entry))
    }
    let values = try Interpreter(graph).run(inputs: [ReferenceArray(batch)], variables: variables)
    return values[graph.outputs[0].value.index].reals
  }

  /// A built-in model, an example's shape, and what it has for ten classes.
  static let builtIn: [(name: String, input: Shape, parameters: Int)] = [
    ("mlp", [1, 28, 28], 669_706),
    ("mlp", [5], 270_858),
    ("small-cnn", [1, 8, 8], 168_170),
    ("small-cnn", [3, 5, 7], 168_746),
    ("small-cnn", [1, 1, 1], 168_170),
    ("lenet", [1, 28, 28], 431_080),
    ("lenet", [1, 16, 16], 56_080),
    ("resnet20", [3, 32, 32], 269_722),
    ("resnet20", [1, 9, 9], 269_434),
    // torchvision's, with 10 classes.
    ("resnet18", [3, 64, 64], 11_181_642), ("resnet34", [3, 64, 64], 21_289_802),
    ("resnet50", [3, 64, 64], 23_528_522),
    // With a 3×3 convolution at the beginning.
    ("resnet18", [3, 32, 32], 11_173_962),
  ]

  @Test(arguments: builtIn)
  func `a built-in model predicts what its graph means`(
    name: String, input: Shape, parameters: Int
  ) throws {
    let model = try BuiltInModel.make(
      name, input: input, classes: 10, seed: 3, engine: Self.engine())
    #expect(model.store.parameterCount == parameters)
    #expect(model.outputShape == [10])
    // The reference is slow, so large examples are compared one at a time.
    let batch = image(Shape([input.elementCount > 1000 ? 1 : 3] + input.dimensions))
    let predicted = try model.predict(batch)
    #expect(predicted.shape == [batch.shape[0], 10])
    let expected = try reference(model, batch)
    let scale = expected.map(abs).max() ?? 0
    for (got, wanted) in zip(predicted.doubles, expected) {
      #expect(abs(got - wanted) <= 1e-5 * max(1, scale))
    }
  }

  @Test(arguments: [(56, 853_018), (110, 1_727_962)])
  func `deeper residual networks have the paper's size`(depth: Int, parameters: Int) throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([2, 3, 32, 32]))
    let y = try ResNet(depth: depth, classes: 10)(x)
    let counts = builder.result.variables.filter { $0.role != nil }
      .map(\.type.shape.elementCount)
    #expect(counts.reduce(0, +) == parameters)
    #expect(y.shape == [2, 10])
    #expect(BuiltInModel.names.contains("resnet\(depth)"))
  }

  @Test func `names of parameters are those of the layers`() throws {
    let model = try BuiltInModel.make(
      "resnet20", input: [3, 32, 32], classes: 10, engine: Self.engine())
    let names = model.store.parameters.map(\.name)
    #expect(
      names.prefix(6) == [
        "conv.weight", "norm.weight", "norm.bias", "blocks.0.conv1.weight",
        "blocks.0.norm1.weight", "blocks.0.norm1.bias",
      ])
    #expect(names.suffix(2) == ["dense.weight", "dense.bias"])
    #expect(
      model.store.statistics.map(\.name).prefix(2) == ["norm.running_mean", "norm.running_var"])
  }

  @Test func `the seed alone decides the first weights`() throws {
    let engine = try Self.engine()
    let snapshots = try [1, 1, 2].map { seed in
      try BuiltInModel.make("lenet", input: [1, 16, 16], classes: 3, seed: seed, engine: engine)
        .store.snapshot()
    }
    #expect(snapshots[0] == snapshots[1])
    #expect(snapshots[0] != snapshots[2])
  }

  @Test func `the summary lists layers, sizes and totals`() throws {
    let model = try Model(input: [1, 6, 6], engine: Self.engine()) {
      Conv2D(4, kernel: 3, bias: false)
      BatchNorm()
      ReLU()
      Flatten()
      Dense(1000)
    }
    #expect(
      try model.summary() == """
        layer       operations          output     parameters
        conv2d      Conv                [4, 4, 4]          36
        batch_norm  BatchNormalization  [4, 4, 4]           8
        relu        Relu                [4, 4, 4]           0
        flatten     Flatten             [64]                0
        dense       Gemm                [1000]         65,000

        input       input float32 [1, 6, 6]
        output      [1000]
        parameters  65,044
        statistics  8
        kernels     every operation has one
        """)
  }

  @Test func `the summary names what runs on the reference`() throws {
    // Kernels compute in float32.
    let wide = AnyLayer { x in try x.cast(to: .float64).relu().cast(to: .float32) }
    let summary = try Model(wide, input: [8], engine: Self.engine()).summary()
    #expect(
      summary.hasSuffix(
        "kernels     missing, run on the slow reference: Relu (anylayer, forward)"),
      "\(summary)")
  }

  @Test func `the examples of the documentation can be traced`() throws {
    let engine = try Self.engine()
    let plain = try Model(input: [1, 28, 28], engine: engine) {
      Conv2D(32, kernel: 3, padding: .same)
      ReLU()
      GlobalAveragePool()
      Dense(10)
    }
    #expect(plain.outputShape == [10])
    let residual = try Model(input: [32, 9, 9], engine: engine) {
      Residual {
        Conv2D(64, kernel: 3, stride: 2, padding: .all(1), bias: false)
        BatchNorm()
      } shortcut: {
        Conv2D(64, kernel: 1, stride: 2, bias: false)
        BatchNorm()
      }
      ReLU()
    }
    #expect(residual.outputShape == [64, 5, 5])
  }

  @Test func `two inputs make one prediction`() throws {
    let model = try Model(
      inputs: [Model.Input(name: "a", shape: [2]), Model.Input(name: "b", shape: [2])],
      engine: Self.engine()
    ) { try $0[0] - $0[1] }
    let y = try model.predict([
      Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]),
      Tensor([1, 0, 1, 0] as [Float], shape: [2, 2]),
    ])
    #expect(y == Tensor([0, 2, 2, 4] as [Float], shape: [2, 2]))
    #expect(
      #expect(throws: ModelError.self) { try model.predict(y) }?.description
        == "inputs: expected 2, got 1; give one tensor for each input of the model")
  }

  /// A batch that a model of [1, 4, 4] can't take.
  static let badBatches = [
    Tensor(zeros: [2, 4, 4]), Tensor(zeros: [2, 1, 5, 4]), Tensor(zeros: [0, 1, 4, 4]),
    Tensor(zeros: [2, 1, 4, 4], elementType: .uint8), Tensor(zeros: []),
  ]

  @Test(arguments: badBatches.indices)
  func `a batch of another type is refused`(index: Int) throws {
    let model = try Model(GlobalAveragePool(), input: [1, 4, 4], engine: Self.engine())
    let batch = Self.badBatches[index]
    let error = #expect(throws: ModelError.self) { try model.predict(batch) }
    #expect(
      error?.description == "input: expected float32 [N, 1, 4, 4] with the same N above 0 for each "
        + "input, got \(batch)")
  }

  /// What is asked of the built-in models, and what the error says.
  static let refusals: [(name: String, input: Shape, classes: Int, message: String)] = [
    (
      "lenet", [1, 8, 8], 10,
      "model lenet can't take examples of shape [1, 8, 8]: layer \"conv2\" (Conv): expected a "
        + "padded input of at least 5 × 5, the kernel's extent, got 2 × 2 (2 × 2 before "
        + "padding); give larger inputs, more padding or a smaller kernel; small-cnn takes "
        + "images of any size, mlp examples of any shape"
    ),
    (
      "resnet20", [13], 10,
      "model resnet20 can't take examples of shape [13]: layer \"conv\" (Conv2D): expected images "
        + "[N, C, H, W], got [2, 13]; give the model's input as [channels, height, width]; "
        + "small-cnn takes images of any size, mlp examples of any shape"
    ),
    ("mlp", [4], 0, "model: expected at least 1 class, got 0"),
    (
      "mlp", [4, 0], 2, "model: expected examples with at least one element, got shape [4, 0]"
    ),
    (
      "resnet19", [3, 32, 32], 10,
      "model: expected one of mlp, small-cnn, lenet, resnet20, resnet56, resnet110, resnet18, resnet34, "
        + "resnet50, airbench94, resnet9, wide-resnet16-4, wide-resnet28-10, densenet-bc100, "
        + "mobilenet-v3-small, efficientnet-b0, convnext-atto, vit-tiny, unet, got "
        + "\"resnet19\""
    ),
  ]

  @Test(arguments: refusals)
  func `a model that can't be made says why`(
    name: String, input: Shape, classes: Int, message: String
  ) {
    let error = #expect(throws: ModelError.self) {
      try BuiltInModel.make(name, input: input, classes: classes)
    }
    #expect(error?.description == message)
  }

  @Test func `a layer that wires the batch size in is found when the model is made`() {
    let layers: [any Layer] = [FixedBatch(), FoldedBatch(), Swapped()]
    for layer in layers {
      #expect(throws: ModelError.self, "\(layer)") {
        try Model(Sequential([layer]), input: [2, 2])
      }
    }
    #expect(
      #expect(throws: ModelError.self) { try Model(FoldedBatch(), input: [2, 2]) }?.description
        == "model: expected a graph whose outputs follow the batch size along axis 0, got an "
        + "output [2, 6] for 3 examples; write -1 for the batch where a layer reshapes")
  }

  /// What checkpoints hold of the network they are of: one that another build wrote must still fit.
  @Test(arguments: [
    ("mlp", "xxh64:202ae8b151683b61"), ("small-cnn", "xxh64:54b68686ddf96f60"),
  ])
  func `the fingerprint of a built-in network stays`(name: String, fingerprint: String) throws {
    let model = try BuiltInModel.make(name, input: [1, 8, 8], classes: 10)
    #expect(model.graph.fingerprint == fingerprint)
  }
}

/// A layer of a closure, for tests.
private struct AnyLayer: Layer {
  let body: @Sendable (Symbol) throws -> Symbol

  init(_ body: @escaping @Sendable (Symbol) throws -> Symbol) { self.body = body }

  func trace(_ x: Symbol) throws -> Symbol { try body(x) }
}
