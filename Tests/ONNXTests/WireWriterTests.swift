import CrestONNX
import CrestTensor
import ProcessSupport
import Testing

@Suite struct `A model written from scratch` {
  @Test func `has the bytes that onnx gives it`() throws {
    #expect(try Self.draft.content.bytes() == Fixtures.bytes("drafted.onnx"))
  }

  @Test func `is written whole, and takes the place of what was there`() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write([1, 2, 3], to: "model.onnx")
    try Self.draft.content.write(toModel: path)
    #expect(try fileBytes(path) == Fixtures.bytes("drafted.onnx"))
    #expect(try folder.names == ["model.onnx"])
  }

  @Test func `leaves nothing behind when its elements fail`() throws {
    let folder = try TemporaryFolder()
    let failure = ONNXError.unreadable(file: "elements", reason: "gone")
    var graph = GraphDraft(name: "g")
    graph.initializers = [
      TensorDraft(
        name: "w", elementType: .float32, shape: [100_000],
        elements: ByteStream(byteCount: 400_000) { (sink) throws(ONNXError) in
          try [UInt8](repeating: 0, count: 300_000).withUnsafeBytes { part in
            Result { () throws(ONNXError) in try sink(part) }
          }.get()
          throw failure
        })
    ]
    #expect(throws: failure) {
      try ModelDraft(graph: graph).content.write(toModel: folder.path + "/model.onnx")
    }
    #expect(try folder.names == [])
  }

  @Test func `is refused before anything is written when protobuf can't hold it`() throws {
    let folder = try TemporaryFolder()
    var graph = GraphDraft(name: "g")
    graph.initializers = [
      TensorDraft(
        name: "w", elementType: .uint8, shape: [1 << 31],
        elements: ByteStream(byteCount: 1 << 31) { _ in Issue.record("elements asked for") })
    ]
    let path = folder.path + "/model.onnx"
    let error = try #require(throws: ONNXError.self) {
      try ModelDraft(graph: graph).content.write(toModel: path)
    }
    #expect(
      error.description
        == "\(path) would take 2147483695 bytes, expected at most 2147483647, the most that "
        + "readers of protobuf accept; keep the weights in external data files")
    #expect(try folder.names == [])
  }

  @Test func `needs a folder that is there`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/missing/model.onnx"
    let error = try #require(throws: ONNXError.self) {
      try Self.draft.content.write(toModel: path)
    }
    #expect(error.description == "\(path) can't be written: No such file or directory")
  }

  @Test func `does not take the place of a folder`() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "model.onnx/file")
    let path = folder.path + "/model.onnx"
    let error = try #require(throws: ONNXError.self) {
      try Self.draft.content.write(toModel: path)
    }
    #expect(error.description == "\(path) can't be written: Is a directory")
    #expect(try folder.names == ["model.onnx"])
  }

  /// `drafted_model` of `make_wire.py`.
  static var draft: ModelDraft {
    func branch(_ name: String) -> GraphDraft {
      var graph = GraphDraft(name: name)
      graph.nodes = [
        NodeDraft(
          "Constant", inputs: [], outputs: [name],
          attributes: [(name: "value_floats", value: .floats([1.5, -2]))])
      ]
      graph.outputs = [ValueDraft(name: name, dataType: .init(.float32), shape: [.size(2)])]
      return graph
    }
    func constant(_ output: String, _ name: String, _ value: AttributeDraft) -> NodeDraft {
      NodeDraft("Constant", inputs: [], outputs: [output], attributes: [(name, value)])
    }
    var graph = GraphDraft(name: "drafted")
    graph.nodes = [
      NodeDraft(
        "Gemm", name: "dense", inputs: ["x", "weight"], outputs: ["h"],
        attributes: [("alpha", .float(0.5)), ("transB", .int(1))]),
      NodeDraft("Relu", inputs: ["h"], outputs: ["y"]),
      constant("flag", "value", .tensor(TensorDraft(name: "", Tensor(scalar: true)))),
      NodeDraft(
        "If", inputs: ["flag"], outputs: ["c"],
        attributes: [
          ("else_branch", .graph(branch("else"))), ("then_branch", .graph(branch("then"))),
        ]),
      constant("ints", "value_ints", .ints([1, -1, 1 << 40])),
      constant("word", "value_string", .string("ünïcode")),
      constant("words", "value_strings", .strings(["a", "bc"])),
      NodeDraft(
        "Scaler", domain: "ai.onnx.ml", inputs: ["y"], outputs: ["z"],
        attributes: [("offset", .floats([0])), ("scale", .floats([2]))]),
    ]
    graph.initializers = [
      TensorDraft(name: "weight", Tensor((0..<12).map(Float.init), shape: [3, 4]))
    ]
    let float = TensorDataType(.float32)
    graph.inputs = [ValueDraft(name: "x", dataType: float, shape: [.parameter("N"), .size(4)])]
    graph.outputs = [
      ValueDraft(name: "z", dataType: float, shape: [.parameter("N"), .size(3)]),
      ValueDraft(name: "c", dataType: float, shape: [.size(2)]),
    ]
    graph.values = [
      ValueDraft(name: "y", dataType: float, shape: [.unknown, .size(3)]),
      ValueDraft(name: "ints", dataType: .init(.int64), shape: [.size(3)]),
    ]
    var draft = ModelDraft(graph: graph)
    draft.producerVersion = "1.0"
    draft.opsets.append(OperatorSet(domain: "ai.onnx.ml", version: 3))
    draft.metadata = [MetadataEntry(key: "classes", value: #"["cat", "dog"]"#)]
    return draft
  }
}
