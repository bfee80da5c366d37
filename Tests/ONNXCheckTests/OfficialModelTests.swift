import Foundation
import ProcessSupport
import Testing

/// ONNX's own test models, as Debian packages them.
enum OfficialModels {
  static let folder = URL(filePath: "/usr/share/libonnx-testdata/data")

  static let areThere = FileManager.default.fileExists(atPath: folder.path)

  /// Strict inference refuses these three, whose int64 constants are older than the schema allows.
  static let refusedByInference = [
    "pytorch-converted/test_PixelShuffle", "pytorch-operator/test_operator_repeat",
    "pytorch-operator/test_operator_repeat_dim_overflow",
  ]

  /// Every 25th model: all of them take more than a minute.
  static func sample() throws -> [String] {
    let all = try ["node", "pytorch-converted", "pytorch-operator", "simple"].flatMap { category in
      try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: category).path)
        .sorted().map { "\(category)/\($0)" }
    }
    return stride(from: 0, to: all.count, by: 25).map { all[$0] }
      .filter { !refusedByInference.contains($0) }
  }

  static func path(_ name: String) -> String {
    folder.appending(path: name).appending(path: "model.onnx").path
  }
}

@Suite(
  .needsChecker,
  .enabled(
    if: OfficialModels.areThere,
    "libonnx-testdata is not installed; script/bootstrap installs it"))
struct `ONNX's own test models` {
  @Test func `are accepted, a sample of them`() throws {
    let sample = try OfficialModels.sample()
    #expect(sample.count > 40)
    let folder = try TemporaryFolder()
    for name in sample {
      // Which checks first.
      let result = try CheckerProcess.run(["infer", OfficialModels.path(name)], in: folder)
      #expect(result.end == .exit(0), "\(name): \(result.error)")
    }
  }

  @Test(arguments: OfficialModels.refusedByInference)
  func `pass the check but not strict inference, three of them`(name: String) throws {
    let folder = try TemporaryFolder()
    let path = OfficialModels.path(name)
    #expect(try CheckerProcess.run(["check", path], in: folder).end == .exit(0))
    let result = try CheckerProcess.run(["infer", path], in: folder)
    #expect(result.end == .exit(65))
    #expect(
      result.error == """
        Error: \(path): the model fails shape inference: [ShapeInferenceError] \
        (op_type:Constant): output has unsupported type tensor(int64); \
        correct the model or export it again

        """)
  }

  @Test func `rise from opset 6 to 17`() throws {
    let folder = try TemporaryFolder()
    let path = OfficialModels.path("pytorch-converted/test_AvgPool1d")
    let result = try CheckerProcess.run(
      ["convert", path, "--opset", "17", "--output", "new.onnx"], in: folder)
    #expect(result.end == .exit(0), "\(result.error)")
    #expect(result.output == "new.onnx: written, IR version 3, opset 17\n")
    #expect(try folder.names == ["new.onnx"])
    // The shapes are those of the source.
    #expect(
      try CheckerProcess.run(["infer", "new.onnx"], in: folder).output.contains(
        "3: tensor(float) [2, 3, 3]\n"))
  }
}
