import CrestData
import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

/// A graph that there is for batches of one size only.
private struct FixedBatch: GraphTemplate {
  let sample: Graph
  let size: Int
  var fixedBatchSize: Int? { size }
  var leavesFinalActivationToLoss: Bool { false }

  init(_ graph: Graph, size: Int) throws {
    let builder = GraphBuilder()
    let types = graph.inputs.map { port in
      let type = graph.type(of: port.value)
      return ValueType(Shape([size] + type.shape.dropFirst()), type.elementType)
    }
    try builder.replay(graph, inputTypes: types, mode: .inference)
    sample = builder.result
    self.size = size
  }

  func graph(for inputTypes: [ValueType]) throws -> Graph {
    precondition(inputTypes.allSatisfy { $0.shape.first == size }, "\(inputTypes) for \(size)")
    return sample
  }
}

@Suite struct `Examples beside each other` {
  private static func model(_ trace: (Symbol) throws -> Symbol) throws -> Model {
    try Model(inputs: [.init(shape: [4])], engine: Engine(threadCount: 1)) { inputs in
      try Dense(3)(trace(inputs[0]))
    }
  }

  @Test func `that depend on each other are not trained on`() throws {
    let model = try Self.model { try $0 - $0.mean(axes: [0], keepingDimensions: true) }
    let mixing = try #require(try model.rowMixing())
    #expect("\(mixing)" == "ReduceMean reduces the batch axis")
    #expect(throws: LearnerError.rowsTogether(mixing, isTried: false)) {
      try Learner(model, data: TinyData.split())
    }
  }

  @Test func `that batch norm sees together are`() throws {
    let model = try TinyModel.full()
    #expect(try model.rowMixing() == nil)
    try Learner(model, data: TinyData.split()).fit(epochs: 1)
  }

  /// Parts of the batch replaced by indices: that isn't followed.
  private static func replacing(_ reduction: ScatterReduction) throws -> Model {
    try model { x in
      let updates = x.builder.constant(Tensor(zeros: [1, 4]))
      let place = x.builder.constant(Tensor([0] as [Int64], shape: [1, 1]))
      return try x.scatteringParts(updates, at: place, reduction: reduction)
    }
  }

  @Test func `of which nothing is proved are tried`() throws {
    // Nothing is added to the first example: it is as any other.
    let harmless = try Self.replacing(.add)
    #expect(try harmless.rowMixing()?.kind == .unknown)
    try Learner(harmless, data: TinyData.split()).fit(epochs: 1)
    // The first example is replaced.
    let harmful = try Self.replacing(.none)
    let mixing = try #require(try harmful.rowMixing())
    let error = LearnerError.rowsTogether(mixing, isTried: true)
    #expect(throws: error) { try Learner(harmful, data: TinyData.split()) }
    #expect(
      error.description
        == "the model can't be trained or evaluated in batches of examples: ScatterND replaces "
        + "parts of the examples by indices, so an example's prediction depends on the others in "
        + "the batch, as a trial on the data found; if the batch axis is not the first, name it "
        + "(--batch-axis, or batchAxes in a program)")
  }

  @Test func `are few in the last batch of a model for one batch size`() throws {
    let open = try TinyModel.linear()
    let model = try Model(
      template: FixedBatch(open.graph, size: 4), engine: Engine(threadCount: 1))
    let data = TinyData.split(train: 8, valid: 9)
    let metrics: [any Metric] = [Accuracy(), MeanLoss()]
    let wanted = try Learner(open, data: data, metrics: metrics, batchSize: 4).evaluate()
    let learner = try Learner(model, data: data, metrics: metrics, batchSize: 4)
    let got = try learner.evaluate()
    #expect(got.exampleCount == 9)
    #expect(abs(got.loss - wanted.loss) < 1e-6)
    #expect(
      zip(got.metrics, wanted.metrics).allSatisfy {
        $0.name == $1.name && abs($0.value - $1.value) < 1e-6
      })
    let values = TinyData.values(7)
    #expect(
      try learner.predict(on: values)
        == Learner(open, data: data, batchSize: 4).predict(on: values))
    // In a fit, hooks see the examples alone, and what is measured is what is measured afterwards.
    var counts: [Int] = []
    let watch = CallbackOf(
      .afterLoss { batch in
        if !batch.isTraining {
          counts.append(batch.read(.predictions).shape[0])
          batch.withRead(.predictions) { type, bytes in
            counts.append(type.shape[0])
            #expect(bytes.count == 4 * type.shape.elementCount)
          }
        }
      }, name: "Watch", reads: [.predictions])
    try learner.fit(epochs: 1, callbacks: [watch])
    #expect(counts == [4, 4, 4, 4, 1, 1])
    let measured = try #require(learner.fitResult?.validation)
    let again = try learner.evaluate()
    #expect(measured.exampleCount == 9)
    #expect(measured.loss == again.loss)
    #expect(measured.metrics == again.metrics)
    let error = LearnerError.leftover(batchSize: 4, name: "tiny", count: 9)
    let uneven = try Learner(model, data: TinyData.split(train: 9, valid: 4), batchSize: 4)
    #expect(throws: error) { try uneven.fit(epochs: 1) }
    #expect(
      error.description
        == "the model is made for batches of 4, which don't divide the 9 examples of tiny: 1 "
        + "would be left over; use 8 of them, or export the model with a dynamic batch")
  }

  @Test func `that a model for one batch size sees together can't be filled up`() throws {
    let open = try Self.model { try $0 - $0.mean(axes: [0], keepingDimensions: true) }
    let model = try Model(
      template: FixedBatch(open.graph, size: 4), engine: Engine(threadCount: 1))
    let mixing = try #require(try model.rowMixing())
    let error = ModelError.fixedBatch(size: 4, got: 3, reason: mixing)
    #expect(throws: error) { try model.predict(Tensor(zeros: [3, 4])) }
    #expect(
      error.description
        == "the model is made for batches of 4, got 3 examples, which can't be cut or padded: it "
        + "isn't proved that they are computed independently: ReduceMean reduces the batch axis; "
        + "give 4, or export the model with a dynamic batch")
    #expect(try model.predict(Tensor(zeros: [4, 4])).shape == [4, 3])
  }
}

@Suite struct `Inputs of a type` {
  private static func model(_ type: ElementType) throws -> Model {
    try Model(
      inputs: [.init(shape: [2], elementType: type)], engine: Engine(threadCount: 1)
    ) { try Dense(2)($0[0].cast(to: .float32)) }
  }

  private static func data(_ tensor: Tensor) throws -> DataSplit {
    DataSplit(
      measuringOn: TensorExamples(
        name: "pairs", inputs: [("input", tensor)], targets: Tensor([0, 1] as [Int64]),
        classNames: ["a", "b"]))
  }

  @Test(arguments: [
    (ElementType.int64, Tensor([1, 2, 3, 4] as [Int32], shape: [2, 2])),
    (.int32, Tensor([1, 2, 3, 4] as [Int64], shape: [2, 2])),
    (.int16, Tensor([1, 2, 3, 4] as [UInt8], shape: [2, 2])),
    (.uint8, Tensor([1, 2, 3, 4] as [UInt8], shape: [2, 2])),
    (.uint8, Tensor([1, 2, 3, 4] as [Int64], shape: [2, 2])),
    (.float64, Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])),
    (.float16, Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])),
    (.float32, Tensor([1, 2, 3, 4] as [UInt8], shape: [2, 2])),
    (.float32, Tensor([1, 2, 3, 4] as [Int8], shape: [2, 2])),
    (.float32, Tensor([1, 2, 3, 4] as [Int16], shape: [2, 2])),
    (.float32, Tensor([1, 2, 3, 4] as [Int32], shape: [2, 2])),
    (.float32, Tensor([1, 2, 3, 4] as [Int64], shape: [2, 2])),
  ]) func `are converted where every number fits`(_ type: ElementType, _ tensor: Tensor) throws {
    let model = try Self.model(type)
    let learner = try Learner(model, data: Self.data(tensor), batchSize: 2)
    #expect(learner.data.train.inputs[0].elementType == type)
    let other = try Self.model(.float32)
    other.store.restore(model.store.snapshot())
    let expected = try other.predict(Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]))
    #expect(try learner.predict(on: learner.data.train) == expected)
    #expect(try learner.evaluate(on: Self.data(tensor).train).exampleCount == 2)
    try learner.fit(epochs: 1)
  }

  @Test(arguments: [
    (ElementType.uint8, Tensor([1, 2, 300, 4] as [Int64], shape: [2, 2]), "300 in example 1 "),
    (
      .float32, Tensor([1, 2, 3, (1 << 24) + 1] as [Int32], shape: [2, 2]),
      "16777217 in example 1 "
    ),
    (
      .int32, Tensor([1, 1 << 40, 3, 4] as [Int64], shape: [2, 2]), "1099511627776 in example 0 "
    ),
    (
      .float16, Tensor([1, 2, 3, 0.1] as [Float], shape: [2, 2]),
      "0.10000000149011612 in example 1 "
    ),
  ]) func `that a number doesn't fit are refused`(
    _ type: ElementType, _ tensor: Tensor, _ element: String
  ) throws {
    let model = try Self.model(type)
    #expect {
      try Learner(model, data: Self.data(tensor))
    } throws: {
      "\($0)"
        == "input \"input\" of pairs: \(element)(from 0) can't be represented exactly in \(type), which the model "
        + "takes; give numbers that \(type) can represent"
    }
  }

  @Test func `that mean something else are refused`() throws {
    let model = try Self.model(.int64)
    let floats = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2])
    #expect(
      throws: LearnerError.inputType(
        input: "input", model: ValueType([2], .int64), data: ValueType([2], .float32), name: "pairs"
      )
    ) { try Learner(model, data: Self.data(floats)) }
  }
}

@Suite struct `A model without parameters` {
  @Test func `is measured, but not trained`() throws {
    let model = try Model(input: [3], engine: Engine(threadCount: 1)) { ReLU() }
    let data = DataSplit(
      measuringOn: TensorExamples(
        name: "ones", inputs: [("input", Tensor(zeros: [4, 3]))], targets: Tensor(zeros: [4, 3])))
    let learner = try Learner(model, data: data)
    #expect(try learner.evaluate().loss == 0)
    #expect(throws: LearnerError.noParameters) { try learner.fit(epochs: 1) }
  }
}
