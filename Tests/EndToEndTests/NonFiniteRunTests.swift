import CrestTensor
import Foundation
import ProcessTestSupport
import Testing

/// Numbers that aren't finite end every command with an error that tells data and divergence apart.
@Suite struct NonFiniteRunTests {
  /// A folder of 20 examples to learn from and 10 to measure by, one number of which isn't finite.
  private static func folder(_ part: String, _ number: Float) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, count) in [("train", 20), ("valid", 10)] {
      var inputs = (0..<4 * count).map { Float($0 * 7 % 11) / 11 }
      var targets = (0..<3 * count).map { Float($0 * 5 % 13) / 13 }
      if part == "\(name)-x" { inputs[4 * 7 + 2] = number }
      if part == "\(name)-y" { targets[3 * 7] = number }
      try folder.write(Tensor(inputs, shape: [count, 4]).npyBytes(), to: "\(name)-x.npy")
      try folder.write(Tensor(targets, shape: [count, 3]).npyBytes(), to: "\(name)-y.npy")
    }
    return folder
  }

  @Test(arguments: [
    ("train-x", Float.nan), ("train-x", .infinity), ("train-y", .nan), ("valid-x", .nan),
    ("valid-x", .infinity), ("valid-y", .nan),
  ])
  func `of the data are named with their example`(part: String, number: Float) throws {
    let folder = try Self.folder(part, number)
    let isTraining = part.hasPrefix("train")
    let text = number.isNaN ? "nan" : "inf"
    let place =
      "example 7 (from 0) of \(folder.path)" + (isTraining ? "" : " (validation)")
    for command in ["train --epochs 2 --max-lr 0.01", "evaluate", "find-lr"] {
      let result = try CrestProcess.run(
        command.split(separator: " ").map(String.init)
          + ["--model", "mlp", "--data", folder.path, "--threads", "1"])
      // What is only measured by is of no concern to a range test that goes on, unless it is no number at all.
      let isRefused = number.isNaN && (command != "evaluate" || !isTraining)
      let looks = command == "evaluate" ? !isTraining : isTraining || command != "find-lr"
      #expect(result.status == (isRefused || looks ? 65 : 0), "\(command): \(result.error)")
      #expect(!result.output.contains("nan"))
      if isRefused {
        let what = part.hasSuffix("x") ? "the input \"x\" holds" : "the targets hold"
        #expect(result.error == "Error: \(what) nan in \(place); clean the data\n", "\(command)")
      } else if looks {
        #expect(
          result.error.contains(
            "Note: the input \"x\" holds inf in \(place); the network's results for them "),
          "\(command): \(result.error)")
        #expect(
          result.error.contains(
            "Error: the \(isTraining ? "training" : "validation") loss is "), "\(command)")
        #expect(
          result.error.hasSuffix(
            " the input \"input\" holds \(text) in \(place); clean the data\n"),
          "\(command): \(result.error)")
      }
    }
  }

  @Test func `are found though the network swallows them, and counted`() throws {
    let it = try CommandCase("swallowed-numbers")
    // Relu and Max let a NaN vanish in ONNX Runtime and here: nothing else would tell.
    func train(_ model: String, _ data: String) throws -> ProcessResult {
      try it.run(
        "train", "--model", model, "--data", data, "--epochs", "1", "--max-lr", "0.01",
        "--batch-size", "4", "--threads", "1")
    }
    let refused = try train("clip.onnx", "nan")
    #expect(refused.status == 65)
    #expect(
      refused.error.contains(
        "Error: the input \"x\" holds nan in 2 of 16 examples of nan, first in example 3 (from 0); clean the "
          + "data\n"), "\(refused.error)")
    // A network that looks for NaN is made for it.
    let imputed = try train("impute.onnx", "nan")
    #expect(imputed.status == 0, "\(imputed.error)")
    #expect(
      imputed.error.contains("Note: the input \"x\" holds nan in 2 of 16 examples of nan"),
      "\(imputed.error)")
    // Infinite numbers may be a mask.
    let infinite = try train("clip.onnx", "infinite")
    #expect(infinite.status == 0, "\(infinite.error)")
    #expect(
      infinite.error.contains("Note: the input \"x\" holds -inf in example 5 (from 0) of infinite"),
      "\(infinite.error)")
    let evaluated = try it.run("evaluate", "--model", "clip.onnx", "--data", "nan", "--no-shuffle")
    #expect(evaluated.status == 65)
    let predicted = try it.run(
      "predict", "--model", "clip.onnx", "--input", "nan/train-x.npy", "--output", "p.npy")
    #expect(predicted.status == 0)
    #expect(
      predicted.error.contains(
        "Note: the input \"x\" holds nan in 2 of 16 examples of nan/train-x.npy, first in "
          + "example 3 (from 0); the network's results for them may look normal\n"),
      "\(predicted.error)")
  }

  @Test func `that leave a range test no rate to suggest are an error`() throws {
    // Targets so large that the loss overflows once the smallest rate has moved anything.
    let folder = try TemporaryFolder()
    for (name, count) in [("train", 20), ("valid", 10)] {
      let inputs = (0..<4 * count).map { Float($0 * 7 % 11) * 1e8 }
      let targets = (0..<3 * count).map { Float($0 * 5 % 13) }
      try folder.write(Tensor(inputs, shape: [count, 4]).npyBytes(), to: "\(name)-x.npy")
      try folder.write(Tensor(targets, shape: [count, 3]).npyBytes(), to: "\(name)-y.npy")
    }
    let result = try CrestProcess.run(
      ["find-lr", "--model", "mlp", "--data", folder.path, "--threads", "1", "--json"])
    #expect(result.status == 65, "\(result.error)\(result.output)")
    #expect(
      result.output.hasPrefix(
        #"{"event":"result","ended":"failed","reason":"find-lr: the loss diverged"#))
    #expect(result.output.hasSuffix(#","exit_code":65}"# + "\n"))
    let message =
      #/Error: find-lr: the loss diverged \(.+\) at the learning rate .+, after \d+ rates, too few for a suggestion; look for what makes it grow at such a low rate, in the data or the network\n/#
    #expect(result.error.wholeMatch(of: message) != nil, "\(result.error)")
  }
}

/// Batch norm on one example.
@Suite struct SingleExampleRunTests {
  @Test func `an example that is left over joins a batch, and batches of one are refused`() throws {
    let folder = try TemporaryFolder()
    for (name, count) in [("train", 9), ("valid", 4)] {
      // Behind the network's pooling, one value a channel is left of 2 × 2 pixels.
      let inputs = (0..<4 * count).map { Float($0 * 7 % 11) / 11 }
      try folder.write(Tensor(inputs, shape: [count, 1, 2, 2]).npyBytes(), to: "\(name)-x.npy")
      try folder.write(
        Tensor((0..<count).map { Int64($0 % 2) }).npyBytes(), to: "\(name)-y.npy")
    }
    func train(_ size: String) throws -> ProcessResult {
      try CrestProcess.run(
        [
          "train", "--model", "small-cnn", "--data", ".", "--epochs", "1", "--max-lr", "0.01",
          "--batch-size", size, "--json",
        ], in: folder)
    }
    let left = try train("4")
    #expect(left.status == 0, "\(left.error)")
    #expect(
      left.error.contains(
        "Note: batches of 4 leave one of the 9 examples over, from which batch norm learns "
          + "nothing; it joins the previous batch\n"))
    let single = try train("1")
    #expect(single.status == 64)
    #expect(
      single.error.contains(
        "expected more than one value per channel in training, got batches of one example; give a batch size of "
          + "at least 2, or freeze these layers\n"))
  }
}
