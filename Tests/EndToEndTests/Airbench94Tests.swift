import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// The recipe for 94 % on CIFAR-10, on random images of its size.
@Suite struct `The recipe of airbench94` {
  static let recipe = [
    "--model", "airbench94", "--batch-size", "8", "--label-smoothing", "0.2",
    "--schedule", "one-cycle", "--style", "airbench", "--groups", "*.norm*.bias",
    "--max-lr", "96,1.5", "--weight-decay", "2.08e-5,1.33e-3", "--weight-decay-on", "all",
    "--momentum", "0.85", "--nesterov", "--augment", "flip:alternating=true,crop:padding=2",
    "--whiten", "whiten.weight", "--callback", "freeze-parameters:parameters=whiten.bias,from=1",
    "--callback", "lookahead:cubic=true", "--tta", "mirror-and-shift",
  ]

  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (part, count) in [("train", 24), ("valid", 8)] {
      let random = Philox(seed: 8, stream: UInt32(count))
      let pixels = (0..<UInt64(count * 3 * 1024)).map {
        UInt8(truncatingIfNeeded: random.word($0) >> 24)
      }
      try folder.write(
        Tensor(pixels, shape: [count, 3, 32, 32]).npyBytes(), to: "data/\(part)-x.npy")
      try folder.write(
        Tensor((0..<count).map { Int64($0 % 10) }).npyBytes(), to: "data/\(part)-y.npy")
    }
    return folder
  }

  @Test func `runs, and is measured with and without views`() throws {
    let folder = try folder()
    let whole = try CrestProcess.run(
      ["train", "--data", "data", "--epochs", "2", "--export", "whole.onnx"] + Self.recipe,
      in: folder)
    #expect(whole.status == 0, "\(whole.error)")
    let lines = whole.output.split(separator: "\n")
    #expect(lines.suffix(2).first?.contains("valid loss") == true, "\(whole.output)")
    #expect(lines.last?.contains("with test-time augmentation, in") == true, "\(whole.output)")
    // From the file, which keeps the preprocessing.
    let evaluated = try CrestProcess.run(
      [
        "evaluate", "--model", "whole.onnx", "--data", "data", "--tta", "mirror-and-shift",
        "--label-smoothing", "0.2",
      ], in: folder)
    #expect(evaluated.status == 0, "\(evaluated.error)")
    let loss = try #require(evaluated.output.firstMatch(of: /valid loss ([0-9.]+)/)).output.1
    let trained = try #require(lines.last?.firstMatch(of: /valid loss ([0-9.]+)/)).output.1
    #expect(abs((Double(loss) ?? 0) - (Double(trained) ?? 1)) < 2e-3, "\(evaluated.output)")
    let predicted = try CrestProcess.run(
      [
        "predict", "--model", "whole.onnx", "--input", "data/valid-x.npy", "--output", "p.npy",
        "--tta", "mirror",
      ], in: folder)
    #expect(predicted.status == 0, "\(predicted.error)")
    let predictions = try Tensor(npy: Array(Data(contentsOf: folder["p.npy"])))
    #expect(predictions.shape == [8, 10])
  }

  @Test func `views of what aren't images are refused`() throws {
    let folder = try TemporaryFolder()
    try folder.write(Tensor(zeros: [6, 4]).npyBytes(), to: "data/train-x.npy")
    try folder.write(
      Tensor([0, 1, 0, 1, 0, 1] as [Int64]).npyBytes(), to: "data/train-y.npy")
    let message =
      "Error: test-time augmentation mirror: it takes one input of float32 images [channels, height, width], and the "
      + "network takes float32 [4]; predict without it\n"
    for command in [["train", "--epochs", "1", "--max-lr", "0.1"], ["evaluate"]] {
      let result = try CrestProcess.run(
        command + ["--model", "mlp", "--data", "data", "--tta", "mirror"], in: folder)
      #expect(result.error.hasSuffix(message), "\(result.error)")
      #expect(result.status == 65)
      #expect(result.output == "")
    }
  }
}
