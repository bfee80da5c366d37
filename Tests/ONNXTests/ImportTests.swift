import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// Tiny models with each form that an operation has, as `make_import.py` wrote them.
enum ImportCase {
  static let folder = Fixtures.onnx + "/import"

  static func path(_ name: String) -> String { "\(folder)/\(name).onnx" }

  static let all: [ModelCase] = Fixtures.decoded("import/cases.json", as: [String: ModelCase].self)
    .map { $1.named($0, in: folder) }.sorted { $0.name < $1.name }
}

@Suite struct `An imported model` {
  @Test(arguments: ImportCase.all)
  func `gives what ONNX Runtime gives`(_ testCase: ModelCase) throws {
    let model = try Model(onnx: testCase.path)
    let batches = try testCase.batches(for: model)
    let prediction = try model.predict(batches)
    #expect(prediction.shape == Shape(testCase.shape))
    testCase.expectClose(prediction)

    // A batch of one, as a short last batch may be, gives the first rows.
    testCase.expectClose(try model.predict(batches.map(\.firstRow)))
  }

  @Test(arguments: ImportCase.all)
  func `is written back as the same bytes when nothing was trained`(
    _ testCase: ModelCase
  ) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/out.onnx"
    try Model(onnx: testCase.path).exportONNX(to: path, keepsTrainingNodes: true)
    let isSame = try fileBytes(path) == fileBytes(testCase.path)
    #expect(isSame)
  }

  @Test func `trains what operations read as parameters`() throws {
    let tied = try Model(onnx: ImportCase.path("tied"))
    #expect(tied.store.parameters.map(\.name) == ["w"])
    #expect(tied.store.parameters.map(\.role) == [.weight])
    #expect(tied.trainingReadiness?.notes.contains(.tied(names: ["w"], uses: 2)) == true)

    let norm = try Model(onnx: ImportCase.path("batchnorm-15"))
    #expect(norm.store.parameters.map(\.name) == ["s", "b"])
    #expect(norm.store.parameters.map(\.role) == [.normalizationScale, .normalizationShift])
    #expect(norm.store.statistics.map(\.name) == ["m", "v"])

    let scalars = try Model(onnx: ImportCase.path("mask-where"))
    #expect(scalars.store.parameters.isEmpty)
  }

  @Test func `trains equal arrays apart that an exporter merged`() throws {
    let model = try Model(onnx: ImportCase.path("merged"))
    #expect(model.store.parameters.map(\.name).sorted() == ["w1", "w2", "zeros", "zeros.untied2"])
    #expect(
      model.trainingReadiness?.notes.contains(
        .untied([.init(name: "zeros", copies: ["zeros", "zeros.untied2"])])) == true)
    let second = try #require(model.store.entry(named: "zeros.untied2"))
    model.store.write(Tensor([1, 2, 3, 4] as [Float]), to: second)
    let batch = Tensor([1, 2, 3, 4, 5, 6, 7, 8] as [Float], shape: [2, 4])
    let before = try model.predict(batch)

    let folder = try TemporaryFolder()
    let path = folder.path + "/out.onnx"
    try model.exportONNX(to: path)
    let after = try Model(onnx: path)
    #expect(try after.predict(batch) == before)
    #expect(after.store.entry(named: "zeros.untied2") != nil)
  }

  @Test func `trains what a selection names, and nothing it excludes`() throws {
    let selection = ParameterSelection(trainable: ["b"], fixed: ["w*"])
    let model = try Model(onnx: ImportCase.path("final-softmax"), selection: selection)
    #expect(model.store.parameters.map(\.name) == ["b"])
    #expect(model.trainingReadiness?.notes.contains(.fixed(names: ["w"], .asked)) == true)
    #expect {
      _ = try Model(
        onnx: ImportCase.path("final-softmax"), selection: ParameterSelection(fixed: ["nothing*"]))
    } throws: { error in
      "\(error)"
        == "\(ImportCase.path("final-softmax")): selection of parameters: expected patterns that "
        + "match the name of an array, got \"nothing*\"; use the array names of the file; "
        + "similar names are \"w\", \"b\""
    }
  }

  @Test func `has batch norm and dropout by the mode of the run`() throws {
    let model = try Model(onnx: ImportCase.path("training-mode"))
    let type = model.inputs[0].batchType(3)
    func operations(_ mode: Graph.ExecutionMode) throws -> [String] {
      let builder = GraphBuilder()
      try builder.replay(model.template.graph(for: [type]), inputTypes: [type], mode: mode)
      return builder.result.nodes.map(\.operation.name)
    }
    #expect(try operations(.inference) == ["Gemm", "BatchNormInference"])
    #expect(try operations(.training).starts(with: ["Gemm", "Dropout", "BatchNormTraining"]))
    #expect(model.graph.updates.count == 2)
  }

  @Test func `is rewritten for inference when it is exported`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/out.onnx"
    let model = try Model(onnx: ImportCase.path("training-mode"))
    try model.exportONNX(to: path)
    let nodes = try ModelProto(path: path).graph.nodes
    #expect(nodes.map(\.operation) == ["Gemm", "Dropout", "BatchNormalization"])
    #expect(nodes[1].inputs == ["a", "r"])
    #expect(nodes[2].outputs == ["y"])
    #expect(nodes[2].attributes.map(\.name) == ["momentum"])
  }

  @Test func `leaves a final softmax to cross-entropy`() throws {
    let model = try Model(onnx: ImportCase.path("final-softmax"))
    let request = Program.Request(
      inputTypes: [model.inputs[0].batchType(2)], targetType: ValueType([2], .int64),
      mode: .inference)
    let batch = Tensor([1, 2, 3, 4, -1, 0, 1, 2] as [Float], shape: [2, 4])
    let program = try model.cache(loss: .crossEntropy()).program(request)
    try program.setInputs([batch])
    try program.setTarget(Tensor([2, 0] as [Int64]))
    for stage in [Graph.Stage.forward, .loss] {
      try program.run(stage, random: RandomKey(seed: 0, step: 0))
    }
    let probabilities = try model.predict(batch).doubles
    let wanted = -(log(probabilities[2]) + log(probabilities[3])) / 2
    #expect(abs(Double(program.loss) - wanted) <= 1e-5)
    #expect(
      model.trainingReadiness?.notes.contains(
        .finalActivation(operation: "Softmax", node: "y")) == true)
  }

  @Test func `made for one batch size fills others up, and has no graph for them`() throws {
    let path = ImportCase.path("frozen-batch")
    let model = try Model(onnx: path)
    #expect(model.template.fixedBatchSize == 4)
    #expect(model.trainingReadiness?.notes.contains(.frozenBatch(4)) == true)
    #expect(try model.predict(Tensor(zeros: [4, 2, 3])).shape == [4, 2])
    #expect(try model.predict(Tensor(zeros: [3, 2, 3])).shape == [3, 2])
    #expect {
      _ = try model.template.graph(for: [ValueType([3, 2, 3])])
    } throws: { error in
      "\(error)"
        == "\(path): inputs: expected batches of 4, for which the model is made, got float32 [3, 2, 3]; "
        + "use that batch size and a number of examples that it divides, or export the model with a "
        + "dynamic batch"
    }
  }

  @Test func `takes sizes that the file leaves open from whoever makes it`() throws {
    let path = ImportCase.path("broken/open-size")
    let model = try Model(onnx: path, inputShapes: ["x": [3]])
    #expect(model.inputs[0].shape == [3])
  }
}

/// Models that are refused, with all of the message but the file's name.
@Suite struct `A model that can't be run` {
  static let messages = [
    "arity": "node \"a\" (Add, opset 17): expected 2 inputs, got 1",
    "attribute": "node \"r\" (Relu, opset 17): expected no attributes, got \"alpha\"",
    "broadcast":
      "node \"a\" (Add, opset 6): expected inputs of one shape, or the attribute broadcast, "
      + "got [2, 4] and [4]",
    "cycle":
      "node \"b\" (Relu): expected a graph without cycles, got an input that depends on its own "
      + "output",
    "data-shape":
      "node \"r\" (Reshape, opset 17): expected sizes that follow from constants and shapes, got "
      + "input 1, which depends on data or parameters, or is too expensive to compute; export "
      + "the model so that shapes and settings don't depend on values",
    "equation": "node \"e\" (Einsum, opset 13): expected the attribute equation, got none",
    "huge": "node \"e\" (Expand, opset 17): expected at most 17179869184 elements, got float32 "
      + "[1099511627776, 2, 4]; the file is damaged or made to exhaust memory",
    "kind":
      "node \"l\" (LeakyRelu, opset 17): expected the attribute alpha to be a float, got another "
      + "kind",
    "no-opset":
      "opset_import: expected a version of ONNX's own operators, got none; export the model "
      + "again",
    "open-size": "input \"x\": expected sizes for every axis but the first, got axis 1 left open "
      + "(\"length\"); give the shape of one example, or export the model with that size",
    "opset-0":
      "opset_import: expected opset 1 to 28, got opset 0; export the model with opset 17, or "
      + "convert it with onnx.version_converter",
    "opset-99":
      "opset_import: expected opset 1 to 28, got opset 99; export the model with opset 17, or "
      + "convert it with onnx.version_converter",
    "output": "output \"y\": expected a value that the graph defines, got none",
    "resize":
      "node \"r\" (Resize, opset 13): expected scales or sizes, one for each of 2 axes, got 0 scales",
    "scalar": "node \"l\" (LeakyRelu, opset 17): expected a number that int64 can represent, got "
      + "0.01; cast to a float type first",
    "shape":
      "node \"m\" (MatMul, opset 17): expected matrices […, m, k] and […, k, n], got [2, 4] and [3, 2]",
    "stride": "node \"p\" (MaxPool, opset 17): expected strides of at least 1, one for each of the "
      + "spatial sizes [4, 4], got [0, 1]",
    "twice":
      "node \"y\" (Neg): expected outputs with unique names, got \"y\", which is defined already",
    "undefined":
      "node \"r\" (Relu): expected inputs that an input, initializer or node defines, got "
      + "\"z\", which nothing defines",
    "unsupported": "2 of its nodes can't be run: NonMaxSuppression (opset 17) at \"nms\"; "
      + "com.example.Foo (opset 1) at \"b\"; export the model without these operations",
  ]

  @Test func `is each of the broken ones`() {
    let names = Fixtures.onnxFiles(in: ImportCase.folder + "/broken").map { $0.dropLast(5) }
    #expect(names.map(String.init) == Self.messages.keys.sorted())
  }

  @Test(arguments: messages.sorted { $0.key < $1.key })
  func `says where, what was expected and what was there`(name: String, message: String) {
    let path = ImportCase.path("broken/" + name)
    #expect {
      _ = try Model(onnx: path)
    } throws: { error in
      #expect("\(error)" == "\(path): \(message)")
      return error is ONNXError
    }
  }
}
