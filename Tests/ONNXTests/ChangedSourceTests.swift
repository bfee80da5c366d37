import CrestFiles
import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ONNXTestSupport
import ProcessSupport
import Testing

/// The file that a model came from is not needed again: whatever becomes of it, training and exports are as before.
@Suite struct `A source that changes` {
  private let folder: TemporaryFolder
  private let model: String
  private let data: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder["model.onnx"].path
    data = folder["weights.bin"].path
  }

  /// With content that means nothing: nobody may look at it.
  private static let changes = FileChange.allCases.filter { !$0.isValid }

  private static let mlp = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "models/mlp.onnx").path

  private func makeInternal() throws {
    try FileManager.default.copyItem(atPath: Self.mlp, toPath: model)
  }

  private func makeExternal() throws {
    try folder.write(
      ExternalArrays.move(Self.mlp, to: model, data: "weights.bin"), to: "weights.bin")
  }

  /// A step and a prediction of a batch of another size, for which a graph is made anew.
  private func use(_ model: Model) throws -> Tensor {
    let names = ONNXNames(model)
    let step = try TrainingStep(
      model, [names.batch(4)], target: Tensor([0, 1, 2, 3] as [Int64]), loss: .crossEntropy())
    try step.take(rate: 0.1)
    return try model.predict(names.batch(3))
  }

  /// The batches that a model takes.
  private struct ONNXNames {
    let shape: Shape

    init(_ model: Model) {
      shape = Shape(Array(model.graph.type(of: model.graph.inputs[0].value).shape.dropFirst()))
    }

    func batch(_ count: Int) -> Tensor {
      let shape = Shape([count] + shape.dimensions)
      return Tensor((0..<shape.elementCount).map { Float($0 % 17) / 17 }, shape: shape)
    }
  }

  @Test(arguments: changes)
  func `is held in memory`(change: FileChange) throws {
    try makeInternal()
    let expected = try Model(onnx: Self.mlp)
    let prediction = try use(expected)
    try expected.exportONNX(to: folder["expected.onnx"].path)
    let model = try Model(onnx: self.model)
    #expect(try change.apply(to: self.model))
    #expect(try use(model) == prediction)
    try model.exportONNX(to: folder["out.onnx"].path)
    #expect(try fileBytes(folder["out.onnx"].path) == fileBytes(folder["expected.onnx"].path))
  }

  @Test(arguments: changes, [false, true])
  func `has its external data held too`(change: FileChange, isTrained: Bool) throws {
    try makeExternal()
    let expected = try Model(onnx: Self.mlp)
    let prediction = try isTrained ? use(expected) : nil
    let model = try Model(onnx: self.model)
    #expect(try change.apply(to: data))
    if let prediction { #expect(try use(model) == prediction) }
    // Into the same folder, where the file would refer to what the data file has now.
    try model.exportONNX(to: folder["out.onnx"].path)
    let again = try Model(onnx: folder["out.onnx"].path)
    #expect(
      again.store.parameters.map(again.store.value(of:))
        == expected.store.parameters.map(expected.store.value(of:)))
  }

  @Test func `has its external data taken along to another folder as they were`() throws {
    try makeExternal()
    let before = try fileBytes(data)
    let model = try Model(onnx: self.model)
    let other = try TemporaryFolder()
    try model.exportONNX(to: other["out.onnx"].path)
    #expect(try other.names == ["out.onnx", "weights.bin"])
    #expect(try fileBytes(other["weights.bin"].path) == before)
    try FileManager.default.removeItem(at: other["out.onnx"])
    try FileManager.default.removeItem(at: other["weights.bin"])
    #expect(try FileChange.garbled.apply(to: data))
    try model.exportONNX(to: other["out.onnx"].path)
    #expect(try other.names == ["out.onnx", "out.onnx.data"])
    #expect(
      try Model(onnx: other["out.onnx"].path).store.parameters.count
        == model.store.parameters.count)
  }

  @Test func `gives no network of two files' weights`() throws {
    try makeExternal()
    let proto = try ModelProto(path: model)
    let reader = TensorReader(proto)
    let arrays = proto.graph.initializers
    let first = try reader.tensor(arrays[0])
    #expect(try FileChange.garbled.apply(to: data))
    // A clock that has not ticked would hide the change.
    let times = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
    #expect(utimes(data, times) == 0)
    let error = try #require(throws: ONNXError.self) { try reader.tensor(arrays[1]) }
    #expect(error.description.contains("it was changed while it was read"), "\(error)")
    #expect(try reader.tensor(arrays[0]) == first)
  }

  @Test func `over the limit is not read`() throws {
    FileManager.default.createFile(atPath: model, contents: nil)
    #expect(truncate(model, 1 << 40) == 0)
    let error = try #require(throws: ONNXError.self) { try ByteSource(path: model) }
    #expect(
      error.description
        == "\(model): the model (byte 0): expected at most 2147483647 bytes, got more; no model is that large, the file is damaged or made to exhaust memory"
    )
  }
}
