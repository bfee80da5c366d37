import CrestONNX
import CrestTensor
import Foundation
import ProcessSupport
import Testing

@Suite struct `A model with other weights` {
  @Test(arguments: Fixtures.names)
  func `is the same bytes when nothing changed`(name: String) throws {
    let splice = ModelSplice(try Fixtures.model(name))
    #expect(splice.isUntouched)
    #expect(try splice.content.bytes() == Fixtures.bytes(name))
  }

  @Test(arguments: ["raw", "float_data", "double_data"])
  func `is what onnx writes`(form: String) throws {
    let model = try Fixtures.model("splice-\(form).onnx")
    var splice = ModelSplice(model)
    splice.replaceElements(of: try weight(of: model), by: ByteStream(try newWeight(of: model)))
    #expect(!splice.isUntouched)
    #expect(try splice.content.bytes() == Fixtures.bytes("spliced/splice-\(form).onnx"))
  }

  /// Every tensor in every storage form, one at a time; all others must keep their bytes.
  @Test func `differs in one tensor only`() throws {
    let model = try Fixtures.model("storage.onnx")
    let before = try ModelSummary(model)
    let reader = TensorReader(model)
    let tensors = model.graph.initializers
    for (index, proto) in tensors.enumerated() where proto.byteCount ?? 0 > 0 {
      var new = try reader.tensor(proto)
      new.withUnsafeMutableBytes { $0[0] ^= 1 }
      var splice = ModelSplice(model)
      splice.replaceElements(of: proto, by: ByteStream(new))
      let spliced = try ModelProto(bytes: try splice.content.bytes(), name: "spliced")
      let after = try ModelSummary(spliced)
      #expect(
        try TensorReader(spliced).tensor(spliced.graph.initializers[index]) == new, "\(proto.name)")
      var expected = before
      expected.initializers[index] = after.initializers[index]
      #expect(after == expected, "\(proto.name)")
      #expect(after.initializers[index] != before.initializers[index], "\(proto.name)")
    }
  }

  @Test(.enabled(if: OtherModels.parity != nil, Comment(rawValue: OtherModels.parityReason)))
  func `is the same bytes after weights are replaced by themselves`() throws {
    let folder = try #require(OtherModels.parity)
    for name in Fixtures.onnxFiles(in: folder) {
      let model = try ModelProto(path: folder + "/" + name)
      var splice = ModelSplice(model)
      for proto in model.graph.initializers where proto.dataType == .init(.float32) {
        splice.replaceElements(of: proto, by: ByteStream(try TensorReader(model).tensor(proto)))
      }
      #expect(!splice.isUntouched, "\(name)")
      #expect(try splice.content.bytes() == fileBytes(folder + "/" + name), "\(name)")
    }
  }

  @Test func `keeps what no reader knows`() throws {
    let model = try Fixtures.model("unknown.onnx")
    let source = try Fixtures.bytes("unknown.onnx")
    var splice = ModelSplice(model)
    let proto = try weight(of: model)
    splice.replaceElements(of: proto, by: ByteStream(Tensor([5, 6, 7, 8] as [Float])))
    let bytes = try splice.content.bytes()
    let changed = zip(source, bytes).enumerated().filter { $1.0 != $1.1 }.map(\.offset)
    #expect(bytes.count == source.count)
    #expect(changed.allSatisfy { proto.span.body.contains($0) })
    #expect(changed.count <= 16)
    let spliced = try ModelProto(bytes: bytes, name: "spliced")
    #expect(
      try TensorReader(spliced).tensor(try weight(of: spliced)) == Tensor([5, 6, 7, 8] as [Float]))
  }

  @Test func `can lose attributes of nodes and gain metadata`() throws {
    let model = try Fixtures.model("unknown.onnx")
    var splice = ModelSplice(model)
    let node = try #require(model.graph.nodes.first { $0.operation == "LeakyRelu" })
    var alpha = WireContent()
    alpha.append(5, message: AttributeDraft.float(0.125).content(name: "alpha"))
    splice.replace(try #require(node.attributes.first).span.field, by: alpha)
    let name = try #require(splice.fields(of: model.graph.span.body, numbers: [2]).first)
    splice.replace(name, by: WireContent())
    var entry = WireContent()
    entry.append(14, message: MetadataEntry(key: "classes", value: "2").content)
    splice.append(entry)

    let spliced = try ModelProto(bytes: try splice.content.bytes(), name: "spliced")
    var expected = try ModelSummary(model)
    expected.graph = ""
    expected.metadata = ["classes=2"]
    #expect(try ModelSummary(spliced) == expected)
    let attribute = try #require(
      spliced.graph.nodes.first { $0.operation == "LeakyRelu" }?.attributes.first)
    guard case .float(0.125) = attribute.value else {
      Issue.record("alpha is \(attribute.value)")
      return
    }
  }

  // MARK: Side files

  @Test func `shares its side files with an untouched copy in the same folder`() throws {
    let folder = try externalModel()
    let names = try folder.names
    try ModelSplice(try ModelProto(path: folder.path + "/external.onnx"))
      .write(to: folder.path + "/copy.onnx")
    #expect(try folder.names == (names + ["copy.onnx"]).sorted())
    #expect(try fileBytes(folder.path + "/copy.onnx") == Fixtures.bytes("external.onnx"))
  }

  @Test func `takes its side file along to another folder`() throws {
    // Without the tensor in a deeper folder, whose path a copy would have to make.
    let folder = try externalModel(withoutFlags: true)
    let other = try TemporaryFolder()
    let source = try ModelProto(path: folder.path + "/external.onnx")
    try ModelSplice(source).write(to: other.path + "/model.onnx")
    #expect(try other.names == ["external.data", "model.onnx"])
    #expect(
      try fileBytes(other.path + "/model.onnx") == fileBytes(folder.path + "/external.onnx"))
    #expect(
      try fileBytes(other.path + "/external.data") == fileBytes(folder.path + "/external.data"))
  }

  @Test func `gathers its side files in a new one when their names are taken`() throws {
    let folder = try externalModel()
    let other = try TemporaryFolder()
    try other.write([9], to: "external.data")
    try other.write([9], to: "model.onnx.data")
    let source = try ModelProto(path: folder.path + "/external.onnx")
    try ModelSplice(source).write(to: other.path + "/model.onnx")
    #expect(
      try other.names == ["external.data", "model.onnx", "model.onnx.1.data", "model.onnx.data"])
    #expect(try fileBytes(other.path + "/external.data") == [9])
    #expect(try fileBytes(other.path + "/model.onnx.data") == [9])
    let copy = try ModelProto(path: other.path + "/model.onnx")
    #expect(try ModelSummary(copy) == ModelSummary(source))
  }

  @Test func `puts new weights in a new side file, also over its source`() throws {
    let folder = try externalModel()
    let path = folder.path + "/external.onnx"
    let data = try fileBytes(folder.path + "/external.data")
    let source = try ModelProto(path: path)
    let before = try ModelSummary(source)
    var splice = ModelSplice(source)
    let new = Tensor([1, 2, 3, 4, 5, 7] as [Float], shape: [2, 3])
    splice.replaceElements(of: try weight(of: source), by: ByteStream(new))
    try splice.write(to: path)

    let written = try ModelProto(path: path)
    #expect(try TensorReader(written).tensor(try weight(of: written)) == new)
    var expected = before
    expected.initializers[0] = try ModelSummary(written).initializers[0]
    #expect(try ModelSummary(written) == expected)
    #expect(try fileBytes(folder.path + "/external.data") == data)
    #expect(try folder.names == ["external.data", "external.onnx", "external.onnx.data", "sub"])
    #expect(try fileBytes(path + ".data").count == 8192 + 3)
  }

  @Test func `leaves nothing behind when a side file can't be read`() throws {
    let folder = try externalModel()
    let source = try ModelProto(path: folder.path + "/external.onnx")
    try FileManager.default.removeItem(atPath: folder.path + "/sub/flags.bin")
    let other = try TemporaryFolder()
    #expect(throws: ONNXError.self) {
      try ModelSplice(source).write(to: other.path + "/model.onnx")
    }
    #expect(try other.names == [])
  }

  /// The committed model with side files, where the tests may write.
  private func externalModel(withoutFlags: Bool = false) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    var splice = ModelSplice(try Fixtures.model("external.onnx"))
    if withoutFlags {
      splice.replace(splice.model.graph.initializers[2].span.field, by: WireContent())
    }
    try folder.write(try splice.content.bytes(), to: "external.onnx")
    for name in ["external.data", "sub/flags.bin"] {
      try folder.write(try Fixtures.bytes(name), to: name)
    }
    return folder
  }

  private func weight(of model: ModelProto) throws -> TensorProto {
    try #require(model.graph.initializers.first { $0.name == "weight" })
  }

  /// The elements 0.5, 1.5, 2.5 and so on.
  private func newWeight(of model: ModelProto) throws -> Tensor {
    let proto = try weight(of: model)
    let values = (0..<proto.shape.elementCount).map { Double($0) + 0.5 }
    return Tensor(
      rounding: values, to: try #require(proto.dataType.elementType), shape: proto.shape)
  }
}
