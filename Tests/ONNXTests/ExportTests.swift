import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// Models built in Swift, written as ONNX.
@Suite struct ExportTests {
  private static let conv = ["Conv", "BatchNormalization", "Relu"]

  /// The operations each built-in network is written as.
  static let networks: [(name: String, input: Shape, operations: [String])] = [
    ("mlp", [1, 8, 8], ["Flatten", "Gemm", "Relu", "Gemm", "Relu", "Gemm"]),
    (
      "lenet", [1, 28, 28],
      ["Conv", "MaxPool", "Conv", "MaxPool", "Flatten", "Gemm", "Relu", "Gemm"]
    ),
    (
      "small-cnn", [3, 9, 7],
      conv + conv + conv + conv + ["Add", "MaxPool"] + conv
        + ["GlobalAveragePool", "Flatten", "Gemm"]
    ),
  ]

  @Test(arguments: networks)
  func `a built-in network keeps its operations and every bit of its parameters`(
    name: String, input: Shape, operations: [String]
  ) throws {
    let folder = try TemporaryFolder()
    let model = try BuiltInModel.make(
      name, input: input, classes: 4, seed: 5, engine: Engine(threadCount: 1))
    let path = folder.path + "/model.onnx"
    try model.exportONNX(to: path, metadata: ["b": "2", "a": "1"])
    let file = try ModelProto(path: path)

    #expect(file.irVersion == 8)
    #expect(file.opsets == [OperatorSet(version: 17)])
    #expect(file.producerName == "crest")
    #expect(file.metadata.map(\.key) == ["a", "b"])
    #expect(file.graph.nodes.map(\.operation) == operations)
    #expect(file.graph.inputs.map(\.name) == ["input"])
    #expect(file.graph.outputs.map(\.name) == ["output"])
    #expect(try folder.names == ["model.onnx"])

    let tensors = TensorReader(file)
    let written = Dictionary(
      uniqueKeysWithValues: try file.graph.initializers.map { ($0.name, try tensors.tensor($0)) })
    for entry in model.store.parameters + model.store.statistics {
      let tensor = try #require(written[entry.name])
      #expect(tensor == model.store.value(of: entry), "\(entry.name)")
    }
    #expect(written.count == model.store.parameters.count + model.store.statistics.count)
  }

  @Test func `equal models give equal bytes, and a file in the way is replaced`() throws {
    let folder = try TemporaryFolder()
    let paths = ["a.onnx", "b.onnx"].map { folder.path + "/" + $0 }
    try folder.write([1, 2, 3], to: "b.onnx")
    for path in paths {
      let model = try BuiltInModel.make(
        "resnet20", input: [3, 32, 32], classes: 10, seed: 1, engine: Engine(threadCount: 1))
      try model.exportONNX(to: path)
    }
    let (a, b) = (try fileBytes(paths[0]), try fileBytes(paths[1]))
    #expect(a == b)
  }

  @Test func `layers name the nodes and parameters, and the batch stays open`() throws {
    let model = try Model(input: [2, 4, 4], engine: Engine(threadCount: 1)) {
      Residual(name: "block") {
        Conv2D(2, kernel: 3, padding: .same, bias: false, name: "conv")
      }
      Flatten()
      Dropout(0.5)
      Dense(3, name: "head")
    }
    let folder = try TemporaryFolder()
    try model.exportONNX(to: folder.path + "/model.onnx")
    let graph = try ModelProto(path: folder.path + "/model.onnx").graph
    #expect(
      graph.nodes.map(\.name)
        == ["block.conv/Conv", "block/Add", "flatten/Flatten", "dropout/Dropout", "head/Gemm"])
    #expect(
      graph.initializers.map(\.name).sorted()
        == ["block.conv.weight", "head.bias", "head.weight", "ratio"])
    let float = TensorDataType(.float32)
    let input = TypeProto.tensor(
      float, shape: [.parameter("N"), .size(2), .size(4), .size(4)])
    let output = TypeProto.tensor(float, shape: [.parameter("N"), .size(3)])
    #expect(graph.inputs.map(\.type) == [input])
    #expect(graph.outputs.map(\.type) == [output])
  }

  @Test func `an output that is an input too is written as a copy`() throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([2, 3]))
    builder.output("y", x)
    builder.output("z", try x.relu())
    let model = try Model(template: builder.result, engine: Engine(threadCount: 1))
    let folder = try TemporaryFolder()
    try model.exportONNX(to: folder.path + "/model.onnx")
    let nodes = try ModelProto(path: folder.path + "/model.onnx").graph.nodes
    #expect(nodes.map(\.operation) == ["Relu", "Identity"])
    #expect(nodes.map(\.inputs) == [["x"], ["x"]])
    #expect(nodes.map(\.outputs) == [["z"], ["y"]])
  }

  @Test func `what ONNX lacks is refused with the layer's name`() throws {
    struct Dilated: Layer {
      func trace(_ x: Symbol) throws -> Symbol {
        try x.averagePool(PoolAttributes(kernel: [2, 2], strides: [1, 1], dilations: [2, 2]))
      }
    }
    let model = try Model(Dilated(), input: [1, 5, 5], engine: Engine(threadCount: 1))
    let error = #expect(throws: ONNXError.self) { try model.checkONNXExport() }
    let message = """
      layer "dilated" (AveragePool): expected dilations of 1, because ONNX has others only from \
      opset 19, got [2, 2]; opset 17 can't express it; build the layer from other operations
      """
    #expect(error?.description == message)
  }

  @Test func `a path that can't be written to is an error, and leaves nothing behind`() throws {
    let folder = try TemporaryFolder()
    let model = try BuiltInModel.make(
      "mlp", input: [1, 2, 2], classes: 2, engine: Engine(threadCount: 1))
    let path = folder.path + "/missing/model.onnx"
    let error = #expect(throws: ONNXError.self) { try model.exportONNX(to: path) }
    #expect(
      error == .unwritable(file: path, reason: "No such file or directory"))
    #expect(try folder.names.isEmpty)
  }
}
