import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import ProcessSupport
import Testing

/// Models whose last layer gets another number of classes.
@Suite struct `A new head` {
  /// A small classifier of three classes, and what of it must change.
  struct Classifier: Sendable, CustomTestStringConvertible {
    let name: String
    var input: [Int64] = [4]
    let nodes: @Sendable () -> [NodeDraft]
    let arrays: [(name: String, shape: Shape)]
    /// The shapes of the arrays with five classes.
    let replaced: [String: Shape]
    var listsArraysAsInputs = false

    var testDescription: String { name }

    var draft: ModelDraft {
      var graph = GraphDraft(name: "g")
      graph.nodes = nodes()
      graph.initializers = arrays.enumerated().map { number, array in
        TensorDraft(name: array.name, Tensor(ramp(array.shape, from: number), shape: array.shape))
      }
      let float = TensorDataType(.float32)
      graph.inputs = [
        ValueDraft(name: "x", dataType: float, shape: [.parameter("N")] + input.map { .size($0) })
      ]
      if listsArraysAsInputs {
        graph.inputs += arrays.map { array in
          ValueDraft(
            name: array.name, dataType: float, shape: array.shape.map { .size(Int64($0)) })
        }
      }
      graph.outputs = [
        ValueDraft(name: "y", dataType: float, shape: [.parameter("N"), .size(3)])
      ]
      graph.values = [
        ValueDraft(name: "logits", dataType: float, shape: [.parameter("N"), .size(3)])
      ]
      var draft = ModelDraft(graph: graph)
      draft.metadata = [
        MetadataEntry(key: "author", value: "me"),
        MetadataEntry(key: "crest.classes", value: "[\"a\",\"b\",\"c\"]"),
      ]
      return draft
    }

    private func ramp(_ shape: Shape, from start: Int) -> [Float] {
      (0..<shape.elementCount).map { Float(($0 * 7 + start * 3) % 11) / 8 - 0.5 }
    }
  }

  static let classifiers = [
    Classifier(
      name: "Gemm, transposed, before a softmax",
      nodes: {
        [
          NodeDraft(
            "Gemm", name: "fc", inputs: ["x", "w", "b"], outputs: ["logits"],
            attributes: [("transB", .int(1))]),
          NodeDraft("Softmax", inputs: ["logits"], outputs: ["y"], attributes: [("axis", .int(1))]),
        ]
      }, arrays: [("w", [3, 4]), ("b", [3])], replaced: ["w": [5, 4], "b": [5]]),
    Classifier(
      name: "Gemm without a bias",
      nodes: { [NodeDraft("Gemm", inputs: ["x", "w"], outputs: ["y"])] },
      arrays: [("w", [4, 3])], replaced: ["w": [4, 5]]),
    Classifier(
      name: "MatMul and Add",
      nodes: {
        [
          NodeDraft("MatMul", inputs: ["x", "w"], outputs: ["p"]),
          NodeDraft("Add", inputs: ["b", "p"], outputs: ["y"]),
        ]
      }, arrays: [("w", [4, 3]), ("b", [3])], replaced: ["w": [4, 5], "b": [5]]),
    Classifier(
      name: "MatMul with a transposed weight",
      nodes: {
        [
          NodeDraft(
            "Transpose", inputs: ["w"], outputs: ["t"], attributes: [("perm", .ints([1, 0]))]),
          NodeDraft("MatMul", inputs: ["x", "t"], outputs: ["y"]),
        ]
      }, arrays: [("w", [3, 4])], replaced: ["w": [5, 4]]),
    Classifier(
      name: "1×1 Conv, rectified and pooled", input: [2, 4, 4],
      nodes: {
        [
          NodeDraft("Conv", inputs: ["x", "w", "b"], outputs: ["c"]),
          NodeDraft("Relu", inputs: ["c"], outputs: ["r"]),
          NodeDraft("GlobalAveragePool", inputs: ["r"], outputs: ["g"]),
          NodeDraft("Flatten", inputs: ["g"], outputs: ["y"]),
        ]
      }, arrays: [("w", [3, 2, 1, 1]), ("b", [3])], replaced: ["w": [5, 2, 1, 1], "b": [5]]),
    Classifier(
      name: "arrays listed as inputs",
      nodes: { [NodeDraft("Gemm", inputs: ["x", "w", "b"], outputs: ["y"])] },
      arrays: [("w", [4, 3]), ("b", [3])], replaced: ["w": [4, 5], "b": [5]],
      listsArraysAsInputs: true),
  ]

  private func written(_ draft: ModelDraft, _ folder: TemporaryFolder) throws -> String {
    let path = folder.path + "/model.onnx"
    try draft.content.write(toModel: path)
    return path
  }

  @Test(arguments: classifiers)
  func `has the classes asked for, and stands in the export where the old one was`(
    _ classifier: Classifier
  ) throws {
    let folder = try TemporaryFolder()
    let path = try written(classifier.draft, folder)
    let model = try Model(onnx: path, headClasses: 5, seed: 3)
    #expect(model.outputShape == [5])
    for entry in model.store.parameters {
      #expect(entry.shape == classifier.replaced[entry.name], "\(entry.name)")
      let values = model.store.value(of: entry).array(as: Float.self)
      if entry.role == .bias {
        #expect(values.allSatisfy { $0 == 0 })
      } else {
        #expect(Set(values).count == values.count)
      }
    }
    let batch = Tensor(
      (0..<2 * Int(classifier.input.reduce(1, *))).map { Float($0 % 5) / 4 - 0.5 },
      shape: Shape([2] + classifier.input.map(Int.init)))
    let before = try model.predict(batch)

    let out = folder.path + "/out.onnx"
    try model.exportONNX(to: out, metadata: ["crest.classes": "[\"five\"]"])
    let (source, result) = (try ModelProto(path: path), try ModelProto(path: out))
    #expect(result.graph.nodes.map(\.operation) == source.graph.nodes.map(\.operation))
    #expect(result.graph.nodes.map(\.inputs) == source.graph.nodes.map(\.inputs))
    #expect(result.graph.initializers.map(\.name) == source.graph.initializers.map(\.name))
    for tensor in result.graph.initializers {
      #expect(tensor.shape == classifier.replaced[tensor.name])
    }
    let declared = result.graph.inputs.dropFirst() + result.graph.outputs
    for value in declared {
      guard case .tensor(_, let shape?) = value.type else { continue }
      let wanted = classifier.replaced[value.name].map { $0.map { DimensionProto.size(Int64($0)) } }
      #expect(shape == wanted ?? [.parameter("N"), .size(5)], "\(value.name)")
    }
    let hasLogits = source.graph.nodes.contains { $0.outputs.contains("logits") }
    #expect(
      result.graph.values.map(\.type) == [
        .tensor(TensorDataType(.float32), shape: [.parameter("N"), .size(hasLogits ? 5 : 3)])
      ])
    #expect(
      result.metadata == [
        MetadataEntry(key: "author", value: "me"),
        MetadataEntry(key: "crest.classes", value: "[\"five\"]"),
      ])
    #expect(try Model(onnx: out).predict(batch) == before)

    let note = model.trainingReadiness?.notes.first {
      if case .newHead = $0 { true } else { false }
    }
    #expect(note != nil)
  }

  @Test func `is drawn by the seed, as wide as its fans say`() throws {
    let folder = try TemporaryFolder()
    let path = try written(Self.classifiers[1].draft, folder)
    func weights(_ seed: UInt64) throws -> [Float] {
      let model = try Model(onnx: path, headClasses: 300, seed: seed)
      return model.store.value(of: try #require(model.store.entry(named: "w"))).array(
        as: Float.self)
    }
    let first = try weights(1)
    #expect(try weights(1) == first)
    #expect(try weights(2) != first)
    // Xavier uniform of 4 inputs and 300 outputs.
    let bound = Float((6.0 / 304).squareRoot())
    let most = first.reduce(0) { max($0, abs($1)) }
    #expect(most <= bound && most > 0.98 * bound)
  }

  @Test func `replaces one of several equal arrays that an exporter merged`() throws {
    let model = try Model(onnx: ImportCase.path("merged"), headClasses: 2)
    #expect(model.outputShape == [2])
    #expect(model.store.entry(named: "zeros")?.shape == [4])
    #expect(model.store.entry(named: "zeros.untied2")?.shape == [2])
    let folder = try TemporaryFolder()
    try model.exportONNX(to: folder.path + "/out.onnx")
    let batch = Tensor([1, 2, 3, 4, 5, 6, 7, 8] as [Float], shape: [2, 4])
    #expect(try Model(onnx: folder.path + "/out.onnx").predict(batch) == model.predict(batch))
  }

  /// Models without a head to replace, with all of the message but the file's name.
  static let refused: [(classifier: Classifier, message: String)] = [
    (
      Classifier(
        name: "an activation that mixes no classes, but isn't known to",
        nodes: {
          [
            NodeDraft("Gemm", inputs: ["x", "w"], outputs: ["g"]),
            NodeDraft("Tanh", name: "act", inputs: ["g"], outputs: ["y"]),
          ]
        }, arrays: [("w", [4, 3])], replaced: [:]),
      "new head: expected a Gemm, a MatMul or a 1×1 Conv with weights in the file, followed by "
        + "at most a bias, activations, pooling and reshaping, got from the output back Tanh "
        + "(\"act\"), Gemm (\"g\"); export the model with its classifier last, or train it with "
        + "the outputs it has"
    ),
    (
      Classifier(
        name: "tied weights",
        nodes: {
          [
            NodeDraft("Gemm", inputs: ["x", "w"], outputs: ["h"]),
            NodeDraft(
              "Gemm", inputs: ["h", "w"], outputs: ["y"], attributes: [("transB", .int(1))]),
          ]
        }, arrays: [("w", [4, 3])], replaced: [:]),
      "new head: expected weights that only the head reads, got \"w\", which is read in 2 places; "
        + "export the model with a head of its own"
    ),
    (
      Classifier(
        name: "classes that are averaged",
        nodes: {
          [
            NodeDraft("Gemm", name: "fc", inputs: ["x", "w"], outputs: ["h"]),
            NodeDraft(
              "ReduceMean", inputs: ["h"], outputs: ["y"], attributes: [("axes", .ints([1]))]),
          ]
        }, arrays: [("w", [4, 3])], replaced: [:]),
      "new head: expected an output of 5 classes after \"fc\" (Gemm), got [2, 1]; train the model "
        + "with its own 3 outputs"
    ),
  ]

  @Test(arguments: refused)
  func `that there is no place for is refused`(
    _ classifier: Classifier, message: String
  ) throws {
    let folder = try TemporaryFolder()
    let path = try written(classifier.draft, folder)
    let error = #expect(throws: ONNXError.self) { try ONNXTemplate(path: path, headClasses: 5) }
    #expect(error?.description == "\(path): \(message)")
  }

  @Test func `leaves side files of other arrays what they are`() throws {
    let folder = try TemporaryFolder()
    let name = try #require(
      Fixtures.names.first { name in
        guard let model = try? Fixtures.model(name) else { return false }
        return model.graph.initializers.contains { tensor in
          if case .external = tensor.storage { true } else { false }
        }
      })
    let model = try Fixtures.model(name)
    var splice = ModelSplice(model)
    let external = try #require(
      model.graph.initializers.first {
        if case .external = $0.storage { true } else { false }
      })
    splice.replace(external, by: TensorDraft(name: external.name, Tensor([1, 2] as [Float])))
    let path = folder.path + "/out.onnx"
    try splice.write(to: path)
    let result = try ModelProto(path: path)
    let tensor = try #require(result.graph.initializers.first { $0.name == external.name })
    #expect(try TensorReader(result).tensor(tensor) == Tensor([1, 2] as [Float]))
  }
}
