import Foundation
import ProcessSupport
import Testing

/// A network from a file, trained, written back and asked.
@Suite struct `An ONNX file` {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/onnx/import")

  private static func model(_ name: String) -> String {
    folder.appending(path: "\(name).onnx").path(percentEncoded: false)
  }

  /// Sixteen examples of a shape, whose class is the place of the largest of the first three numbers.
  private func data(_ shape: [Int] = [4]) throws -> TemporaryFolder {
    let data = try TemporaryFolder()
    var inputs: [Float] = []
    var labels: [Int64] = []
    let count = shape.reduce(1, *)
    for example in 0..<16 {
      let values = (0..<count).map { Float((example * 7 + $0 * 5) % 11) / 8 - 0.5 }
      inputs += values
      labels.append(Int64((0..<3).max { values[$0] < values[$1] } ?? 0))
    }
    let sizes = ([16] + shape).map(String.init).joined(separator: ", ")
    try npy("<f4", "(\(sizes))", inputs.withUnsafeBytes { Data($0) }).write(to: data["train-x.npy"])
    try npy("<i8", "(16,)", labels.withUnsafeBytes { Data($0) }).write(to: data["train-y.npy"])
    return data
  }

  private func npy(_ type: String, _ shape: String, _ bytes: Data) -> Data {
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': \(shape), }"
    let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    return Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0]) + Data(padded.utf8) + bytes
  }

  @Test func `is trained, written back and asked`() throws {
    let data = try data()
    let trained = data["trained.onnx"].path(percentEncoded: false)
    let result = try CrestProcess.run([
      "train", "--model", Self.model("final-softmax"), "--data", data.path, "--epochs", "3",
      "--max-lr", "0.05", "--batch-size", "6", "--no-shuffle", "--export", trained,
    ])
    #expect(result.status == 0, "\(result.error)")
    #expect(
      result.error.contains(
        "Note: the model ends in Softmax (\"y\"): cross-entropy uses its input"))
    let before = try predict(Self.model("final-softmax"), data)
    let after = try predict(trained, data)
    #expect(before.count == 128 + 16 * 3 * 4)
    #expect(after.count == before.count && after != before)
    #expect(try predict(trained, data) == after)
  }

  @Test(
    arguments: zip(
      ["mlp-dynamo", "resnet20-training", "lstm-legacy"], [[3, 2, 2], [3, 8, 8], [7, 4]]))
  func `that PyTorch exported is trained, and stays as it was itself`(
    name: String, shape: [Int]
  ) throws {
    let data = try data(shape)
    let exports = Self.folder.deletingLastPathComponent().appending(path: "exports")
    let files = try FileManager.default.contentsOfDirectory(atPath: exports.path)
      .filter { $0.hasPrefix(name + ".onnx") }
    for file in files {
      try FileManager.default.copyItem(at: exports.appending(path: file), to: data[file])
    }
    let model = data[name + ".onnx"].path(percentEncoded: false)
    let before = try predict(model, data)
    let result = try CrestProcess.run([
      "train", "--model", model, "--data", data.path, "--epochs", "2", "--max-lr", "0.05",
      "--batch-size", "6", "--export", data["trained.onnx"].path(percentEncoded: false),
    ])
    #expect(result.status == 0, "\(result.error)")
    let after = try predict(data["trained.onnx"].path(percentEncoded: false), data)
    #expect(after.count == before.count && after != before)
    #expect(try predict(model, data) == before)
    let isExternal = files.count > 1
    #expect(try data.names.contains("trained.onnx.data") == isExternal)
  }

  @Test func `made for one batch size is told so, with what to do`() throws {
    let data = try data([7, 4])
    let path = Self.folder.deletingLastPathComponent().appending(path: "exports/lstm-frozen.onnx")
      .path(percentEncoded: false)
    let result = try CrestProcess.run([
      "train", "--model", path, "--data", data.path, "--epochs", "1", "--max-lr", "0.1",
      "--batch-size", "4",
    ])
    #expect(result.status == 65)
    let lines = result.error.split(separator: "\n")
    #expect(
      lines.contains {
        $0 == "Note: the model is made for batches of 3 only. Export it with a dynamic batch: "
          + "dynamic_axes={\"input\": {0: \"batch\"}}, or dynamic_shapes with dynamo"
      })
    #expect(
      lines.last ?? ""
        == "Error: \(path): inputs: expected batches of 3, for which the model is made, "
        + "got float32 [4, 7, 4]; use that batch size and a number of examples that it divides, or "
        + "export the model with a dynamic batch")
  }

  @Test func `of the folder models learns the digits`() throws {
    let path = Self.folder.deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "models/mlp.onnx")
    let result = try CrestProcess.run([
      "train", "--model", path.path(percentEncoded: false), "--data", "digits", "--epochs", "5",
      "--max-lr", "0.1", "--json",
    ])
    let notes = result.error.split(separator: "\n")
    #expect(
      notes.count == 1 && notes[0].hasPrefix("Note: the model doesn't say how its inputs were"))
    let accuracy = try result.objects().last?["accuracy"] as? Double
    // Chance is 0.1.
    #expect(try #require(accuracy) > 0.9)
  }

  private func predict(_ model: String, _ data: TemporaryFolder) throws -> Data {
    let result = try CrestProcess.run([
      "predict", "--model", model, "--input", data["train-x.npy"].path(percentEncoded: false),
      "--output", data["y.npy"].path(percentEncoded: false),
    ])
    #expect(result.status == 0, "\(result.error)")
    return try Data(contentsOf: data["y.npy"])
  }

  @Test func `gets a new head for the classes of the data, and keeps what is frozen`() throws {
    let data = try data()
    let trained = data["trained.onnx"].path(percentEncoded: false)
    func train(_ more: String...) throws -> ProcessResult {
      try CrestProcess.run(
        [
          "train", "--model", Self.model("merged"), "--data", data.path, "--epochs", "2",
          "--max-lr", "0.001:0.1", "--batch-size", "6", "--export", trained,
        ] + more)
    }
    let result = try train(
      "--replace-head", "3", "--freeze", "*", "--unfreeze", "w2", "--seed", "4")
    #expect(result.status == 0, "\(result.error)")
    #expect(
      result.error.contains(
        "Note: the head \"y\" (Gemm) has 3 outputs instead of 4, and new weights\n"))
    let inspected = try CrestProcess.run(["inspect", trained, "--json"]).objects()
    #expect(inspected.first?["metadata"] as? [String] == ["crest.classes", "crest.preprocessing"])
    #expect(try predict(trained, data).count == 128 + 16 * 3 * 4)

    let refused = try train("--replace-head", "0")
    #expect(refused.status == 64)
    #expect(refused.error == "Error: --replace-head: expected at least 1 class, got 0\n")
  }

  @Test func `with operations that are slow says so on standard error`() throws {
    let data = try TemporaryFolder()
    let tokens = (0..<32).map { Int64($0 % 5) }
    try npy("<i8", "(8, 4)", tokens.withUnsafeBytes { Data($0) }).write(to: data["train-x.npy"])
    let labels = (0..<8).map { Int64($0 % 3) }
    try npy("<i8", "(8,)", labels.withUnsafeBytes { Data($0) }).write(to: data["train-y.npy"])
    let note = "Note: slow, no kernel for: Gemm (node \"p\" (MatMul, opset 13), forward)"
    for options in [[], ["--json"]] {
      let result = try CrestProcess.run(
        [
          "train", "--model", Self.model("whole-product"), "--data", data.path, "--epochs", "1",
          "--max-lr", "0.1", "--no-shuffle",
        ] + options)
      #expect(result.status == 0, "\(result.error)")
      #expect(result.error.contains(note), "\(result.error)")
      let notes = options.isEmpty ? [] : try result.objects().compactMap { $0["text"] as? String }
      #expect(notes.contains { $0.contains("slow") } == !options.isEmpty)
    }
  }

  @Test func `that can't be run ends with code 65 and all it lacks`() throws {
    let data = try data()
    let path = Self.model("broken/unsupported")
    let result = try CrestProcess.run([
      "train", "--model", path, "--data", data.path, "--epochs", "1", "--max-lr", "0.1",
    ])
    #expect(result.status == 65)
    #expect(
      result.error
        == "Error: \(path): 2 of its nodes can't be run: NonMaxSuppression (opset 17) at \"nms\"; "
        + "com.example.Foo (opset 1) at \"b\"; export the model without these operations\n")
  }

  @Test func `that needs an input by another name says so`() throws {
    let data = try data()
    let result = try CrestProcess.run([
      "predict", "--model", Self.model("two-inputs"), "--input",
      "a=" + data["train-x.npy"].path(percentEncoded: false), "--output", "y.npy",
    ])
    #expect(result.status == 64)
    #expect(
      result.error == "Error: --input: the input \"b\" is missing; add --input b=FILE.npy\n")
  }
}
