import CrestONNX
import CrestTensor
import Foundation
import ProcessSupport
import Testing

@Suite struct `Which arrays the command trains` {
  /// The elements of an array of a file.
  private static func elements(_ name: String, of path: String) throws -> [Float] {
    let proto = try ModelProto(path: path)
    let array = try #require(proto.graph.initializers.first { $0.name == name })
    return try TensorReader(proto).tensor(array).array(as: Float.self)
  }

  /// Trains a case's model, and says which of its arrays have changed.
  private static func changed(
    _ name: String, _ options: [String] = [], model file: String = "model.onnx"
  ) throws -> (result: ProcessResult, arrays: [String]) {
    let it = try CommandCase(name)
    let result = try CrestProcess.run(
      ["train", "--model", file, "--data", "data", "--epochs", "1", "--max-lr", "0.1"]
        + ["--threads", "1", "--export", "out.onnx"] + options, in: it.folder)
    guard result.status == 0 else { return (result, []) }
    let model = it.folder[file].path
    let arrays = try ModelProto(path: model).graph.initializers
      .filter { $0.dataType.name == "float32" }.map(\.name)
    return (
      result,
      try arrays.filter {
        try elements($0, of: model) != elements($0, of: it.folder["out.onnx"].path)
      }
    )
  }

  @Test(arguments: [
    ("cosine.onnx", ["w", "e.weight", "e.bias"]),
    ("snake.onnx", ["alpha", "a.weight", "a.bias", "b.weight", "b.bias"]),
  ])
  func `what is read for more than one purpose is trained, and stays one`(
    file: String, arrays: [String]
  ) throws {
    let (result, changed) = try Self.changed("read-twice", model: file)
    #expect(result.status == 0 && Set(changed) == Set(arrays), "\(changed) \(result.error)")
    let name = file == "cosine.onnx" ? "w" : "alpha"
    #expect(result.error.hasPrefix("Note: \"\(name)\" is used in 2 places, which stay tied\n"))
  }

  private static let inputNote =
    "arithmetic with the raw input, as in a normalisation; --unfreeze NAME overrides this\n"

  @Test func `a normalisation of the input stays, and a note says so`() throws {
    let (result, changed) = try Self.changed("constants-trained-in-silence")
    #expect(result.status == 0 && changed == ["w"])
    #expect(result.error == "Note: \"mean\" and \"std\" are not trained: " + Self.inputNote)
  }

  @Test func `a weight that Einsum multiplies is trained`() throws {
    let (result, changed) = try Self.changed("einsum-weight-not-trained")
    #expect(result.status == 0 && changed == ["E", "w", "b"])
    #expect(result.error == "")
  }

  @Test(arguments: [
    (["--unfreeze", "mean"], ["mean", "w"]), (["--unfreeze", "*"], ["w"]),
    (["--freeze", "mean"], ["w"]),
    (["--unfreeze", "m*", "--unfreeze", "std"], ["mean", "std", "w"]),
    (["--freeze", "w", "--unfreeze", "std"], ["std"]),
  ])
  func `every float array can be frozen and unfrozen`(options: [String], arrays: [String]) throws {
    let it = try Self.changed("constants-trained-in-silence", options)
    #expect(it.result.status == 0, "\(it.result.error)")
    #expect(it.arrays == arrays)
  }

  @Test(arguments: [
    (
      "constants-trained-in-silence", ["--unfreeze", "maen"],
      "no parameter matches \"maen\"; similar names are \"mean\", \"w\", \"std\"; use * for any "
        + "characters"
    ),
    (
      "constants-trained-in-silence", ["--freeze", "nothing"],
      "no parameter matches \"nothing\"; similar names are \"mean\", \"std\", \"w\"; use * for "
        + "any characters"
    ),
    (
      "einsum-weight-not-trained", ["--unfreeze", "a"],
      "--unfreeze: expected arrays of float32 that a gradient reaches, got \"a\", int64 [1]: of "
        + "an integer or boolean type"
    ),
  ])
  func `what fits no array is refused`(name: String, options: [String], message: String) throws {
    let (result, _) = try Self.changed(name, options)
    #expect(result.status == 64)
    #expect(result.error.hasSuffix("Error: \(message)\n"), "\(result.error)")
  }

  private static let project = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static func fixture(_ name: String) -> String {
    project.appending(path: "Tests/Fixtures/onnx-parameters/\(name)").path(percentEncoded: false)
  }

  @Test(arguments: [([], true), (["--freeze", "permute"], false), (["--freeze", "W"], false)])
  func `a weight that the file has twice is trained or frozen as one`(
    options: [String], isTrained: Bool
  ) throws {
    let folder = try TemporaryFolder()
    let numbers = (0..<64).map { (place: Int) -> Float in Float(place * 37 % 19) / 19 }
    let x = Tensor(numbers, shape: [8, 8])
    let labels = Tensor((0..<8).map { Int64($0) })
    for part in ["train", "valid"] {
      try folder.write(x.npyBytes(), to: "\(part)-x.npy")
      try folder.write(labels.npyBytes(), to: "\(part)-y.npy")
    }
    let model = Self.fixture("kinds/tied-autoencoder-dynamo.onnx")
    var arguments = ["train", "--model", model, "--data", ".", "--epochs", "1", "--max-lr", "0.1"]
    arguments += ["--threads", "1", "--export", "out.onnx"] + options
    let run = try CrestProcess.run(arguments, in: folder)
    #expect(
      run.error.hasPrefix(
        "Note: \"permute\" is \"W\" in another arrangement, bit for bit: they stay tied, and the "
          + "exported file has both\n"))
    guard isTrained else {
      #expect(run.status == 64)
      #expect(run.error.hasSuffix("Error: every parameter is frozen; unfreeze some to train\n"))
      return
    }
    #expect(run.status == 0, "\(run.error)")
    let out = folder["out.onnx"].path
    let (weight, turned) = try (Self.elements("W", of: out), Self.elements("permute", of: out))
    #expect(try weight != Self.elements("W", of: model))
    for (place, element) in weight.enumerated() {
      let (row, column) = (place / 8, place % 8)
      #expect(element == turned[column * 5 + row])
    }
  }

  private static let modeNote =
    "the file is in training mode (BatchNormalization ×2): predictions and evaluation run in "
    + "inference mode, with running statistics; ONNX Runtime runs it as it is, with the "
    + "statistics of the batch"

  @Test func `a file in training mode is named where it is predicted, measured and inspected`()
    throws
  {
    let folder = try TemporaryFolder()
    let file = try ONNXFile(path: Self.fixture("sharing.onnx"))
    #expect(file.trainingMode?.description == Self.modeNote)
    for name in ["a", "b"] {
      try folder.write(
        Tensor([Float](repeating: 0.5, count: 12), shape: [2, 6]).npyBytes(), to: name)
    }
    let predicted = try CrestProcess.run(
      ["predict", "--model", Self.fixture("sharing.onnx"), "--input", "a=a", "--input", "b=b"]
        + ["--output", "y.npy", "--threads", "1"], in: folder)
    #expect(predicted.error == "Note: \(Self.modeNote)\n")
    let objects = try CrestProcess.run(
      ["inspect", Self.fixture("sharing.onnx"), "--json"]).objects()
    #expect(objects.contains { $0["text"] as? String == Self.modeNote }, "\(objects)")
    let mlp = Self.project.appending(path: "models/mlp.onnx").path(percentEncoded: false)
    let measured = try CrestProcess.run(
      ["evaluate", "--model", mlp, "--data", "digits", "--threads", "1"])
    #expect(measured.error.contains("Note: the file is in training mode (Dropout ×2): "))
    // What is exported is for inference.
    _ = try CrestProcess.run(["export", mlp, "--to", "out.onnx"], in: folder)
    let exported = try CrestProcess.run(
      ["evaluate", "--model", "out.onnx", "--data", "digits", "--threads", "1"], in: folder)
    #expect(exported.status == 0 && !exported.error.contains("training mode"), "\(exported.error)")
  }

  @Test func `inspect takes 60 lines at most, and names every array when asked`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    for name in [
      "models/resnet56.onnx", "models/transformer.onnx",
      "Tests/Fixtures/onnx/exports/bert-training.onnx",
      "Tests/Fixtures/onnx/exports/lstm-training.onnx",
    ] {
      let path = root.appending(path: name).path(percentEncoded: false)
      let short = try CrestProcess.run(["inspect", path])
      #expect(short.output.split(separator: "\n", omittingEmptySubsequences: false).count <= 61)
      let whole = try CrestProcess.run(["inspect", path, "--arrays"]).output
      let objects = try CrestProcess.run(["inspect", path, "--json"]).objects()
      let arrays = objects.filter { $0["event"] as? String == "array" }
      #expect(arrays.count == (try ONNXFile(path: path).arrays().count))
      for array in arrays {
        let (title, reason) = (array["name"] as? String, array["reason"] as? String)
        #expect(whole.contains("  \(title ?? "?")  ["))
        #expect(whole.contains(reason ?? "?"))
      }
    }
  }
}
