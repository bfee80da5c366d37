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
    let cause =
      (part.hasSuffix("x") ? "the input \"input\"" : "the target")
      + " holds \(text) in example 7 (from 0) of \(folder.path)"
      + (isTraining ? "" : " (validation)") + "; clean the data\n"
    for command in ["train --epochs 2 --max-lr 0.01", "evaluate", "find-lr"] {
      let result = try CrestProcess.run(
        command.split(separator: " ").map(String.init)
          + ["--model", "mlp", "--data", folder.path, "--threads", "1"])
      let looks = command == "evaluate" ? !isTraining : isTraining || command != "find-lr"
      #expect(result.status == (looks ? 65 : 0), "\(command): \(result.error)")
      guard looks else { continue }
      #expect(
        result.error.hasPrefix("Error: the \(isTraining ? "training" : "validation") loss is "))
      #expect(result.error.hasSuffix(cause), "\(command): \(result.error)")
      #expect(!result.output.contains("nan"))
    }
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
    #expect(result.output == "")
    let message =
      #/Error: find-lr: the loss was out of hand \(.+\) at the learning rate .+, after \d+ of the rates, too few to suggest one from; look for what makes it grow at so low a rate, in the data or the network\n/#
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
        "Note: batches of 4 leave one of the 9 examples over, of which batch norm learns nothing; it joins the "
          + "batch before\n"))
    let single = try train("1")
    #expect(single.status == 64)
    #expect(
      single.error.contains(
        "expected more than one value per channel in training, got batches of one example; give a batch size of "
          + "at least 2, or freeze these layers\n"))
  }
}
