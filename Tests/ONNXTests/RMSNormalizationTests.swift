import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import ProcessSupport
import Testing

/// ONNX has the operator since opset 23; files are written with opset 17.
@Suite struct RMSNormalizationTests {
  @Test func `is read from a file of opset 23`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/m.onnx"
    let type = TensorDataType(.float32)
    var graph = GraphDraft(name: "rms")
    graph.inputs = [ValueDraft(name: "x", dataType: type, shape: [.parameter("N"), .size(4)])]
    graph.outputs = [ValueDraft(name: "y", dataType: type, shape: [.parameter("N"), .size(4)])]
    graph.initializers = [TensorDraft(name: "scale", Tensor([1, 2, 0.5, -1] as [Float]))]
    graph.nodes = [
      NodeDraft(
        "RMSNormalization", inputs: ["x", "scale"], outputs: ["y"],
        attributes: [("axis", .int(-1)), ("epsilon", .float(0.5))])
    ]
    var draft = ModelDraft(graph: graph)
    draft.opsets = [OperatorSet(version: 23)]
    try draft.content.write(toModel: path)
    let model = try Model(onnx: path, engine: Engine(threadCount: 1))
    let y = try model.predict(Tensor([1, -1, 3, 2] as [Float], shape: [1, 4]))
    let root = (15.0 / 4 + 0.5).squareRoot()
    for (got, exact) in zip(y.array(as: Float.self), [1, -2, 1.5, -2]) {
      #expect(abs(Double(got) - exact / root) < 1e-6)
    }
    #expect(model.store.parameters.map(\.name) == ["scale"])
  }

  @Test func `is written as older operations that compute the same`() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/m.onnx"
    let model = try Model(
      inputs: [.init(shape: [6])], engine: Engine(threadCount: 1),
      trace: { x in
        let y = try Dense(8)(x[0])
        return try y.rmsNormalized(
          scale: y.parameter("scale", [8], role: .normalizationScale, .ones))
      })
    try model.exportONNX(to: path)
    let operations = try ModelProto(path: path).graph.nodes.map(\.operation)
    #expect(!operations.contains("RMSNormalization"))
    #expect(operations.contains("ReduceMean") && operations.contains("Sqrt"))
    let x = Tensor((0..<18).map { Float($0) / 7 - 1 }, shape: [3, 6])
    let read = try Model(onnx: path, engine: Engine(threadCount: 1))
    let (own, other) = try (model.predict(x), read.predict(x))
    for (a, b) in zip(own.array(as: Float.self), other.array(as: Float.self)) {
      #expect(abs(a - b) < 1e-6)
    }
  }
}
