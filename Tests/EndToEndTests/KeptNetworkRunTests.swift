import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// What the command exports, saves and says it measured is one network.
@Suite struct KeptNetworkRunTests {
  @Test func `the weights saved as the best are the averages that were validated`() throws {
    let it = try CommandCase("best-checkpoint-not-averaged")
    func train(_ options: String...) throws {
      let result = try CrestProcess.run(
        [
          "train", "--model", "mlp", "--data", "data", "--epochs", "4", "--max-lr", "0.05",
          "--threads", "1",
        ] + options, in: it.folder)
      #expect(result.status == 0, "\(result.error)")
    }
    let average = ["--callback", "ema:decay=0.9", "--export", "averaged.onnx", "--callback"]
    try train("--export", "plain.onnx")
    for contents in ["weights", "everything"] {
      let folder = "best-\(contents)"
      let save = "model-checkpoint:folder=\(folder),contents=\(contents),monitor=valid_loss"
      try train(average[0], average[1], average[2], average[3], average[4], save)
      let saved = try Safetensors(
        parsing: Array(
          Data(contentsOf: it.folder["\(folder)/checkpoint-0000000004.safetensors"])))
      let weights = saved.tensors.filter { !$0.key.hasPrefix("crest.") }
      #expect(weights.count == 6, "\(weights.keys.sorted())")
      let averaged = try Data(contentsOf: it.folder["averaged.onnx"])
      let plain = try Data(contentsOf: it.folder["plain.onnx"])
      for (name, tensor) in weights {
        let bytes = tensor.withUnsafeBytes { Data($0) }
        #expect(averaged.range(of: bytes) != nil, "\(contents): \(name)")
        #expect(plain.range(of: bytes) == nil, "\(contents): \(name)")
      }
    }
  }

  @Test func `the last line is of the epoch whose weights were restored`() throws {
    let it = try CommandCase("result-is-not-of-restored-weights")
    func train(_ options: String...) throws -> ProcessResult {
      let result = try CrestProcess.run(
        [
          "train", "--model", "mlp", "--data", "data", "--epochs", "6", "--max-lr", "0.05",
          "--threads", "1", "--callback", "early-stopping:patience=1,restore-best=true",
          "--export", "o.onnx",
        ] + options, in: it.folder)
      #expect(result.status == 0, "\(result.error)")
      return result
    }
    let lines = try train().output.split(separator: "\n")
    #expect(
      lines.last?.hasPrefix(
        "accuracy 0.5000, valid loss 0.7713, train loss 1.1187 of epoch 1, whose weights were restored, "
          + "after 2 epochs in ") == true, "\(lines.last ?? "")")
    let evaluated = try it.run("evaluate", "--model", "o.onnx", "--data", "data", "--json")
      .objects()
    let objects = try train("--json").objects()
    let result = try #require(objects.last)
    #expect(result["event"] as? String == "result")
    #expect(result["epoch"] as? Int == 1)
    #expect(result["restored"] as? Bool == true)
    #expect(result["measured_afterwards"] as? Bool == false)
    for key in ["valid_loss", "accuracy"] {
      #expect(result[key] as? Double == objects[0][key] as? Double, "\(key)")
      #expect(result[key] as? Double == evaluated.last?[key] as? Double, "\(key)")
    }
    #expect(result["train_loss"] as? Double == objects[0]["train_loss"] as? Double)
  }

  @Test(arguments: [
    "", "ema:decay=0.9", "ema:decay=0.9,validates=false",
    "ema:decay=0.9 early-stopping:patience=1,restore-best=true",
    "ema:decay=0.9,validates=false early-stopping:patience=1,restore-best=true",
    "ema:decay=0.9,validates=false early-stopping:patience=1 gradient-accumulation:batches=2",
  ])
  func `what is exported is what the result is of`(_ callbacks: String) throws {
    let it = try CommandCase("result-is-not-of-restored-weights")
    func train(_ options: String...) throws -> ProcessResult {
      let result = try CrestProcess.run(
        [
          "train", "--model", "mlp", "--data", "data", "--epochs", "4", "--max-lr", "0.05",
          "--export", "o.onnx",
        ] + options + callbacks.split(separator: " ").flatMap { ["--callback", String($0)] },
        in: it.folder)
      #expect(result.status == 0, "\(result.error)")
      return result
    }
    let result = try #require(try train("--json").objects().last)
    let evaluated = try #require(
      try it.run("evaluate", "--model", "o.onnx", "--data", "data", "--json").objects().last)
    for key in ["valid_loss", "accuracy"] {
      #expect(result[key] as? Double == evaluated[key] as? Double, "\(key)")
    }
    let isAverage = callbacks.contains("validates=false") && !callbacks.contains("restore-best")
    #expect(result["measured_afterwards"] as? Bool == isAverage)
    if isAverage {
      let line = try train().output.split(separator: "\n").last
      #expect(
        line?.contains(" of the weights that callbacks left in the network at the end, after ")
          == true,
        "\(line ?? "")")
    }
  }
}
