import Foundation
import ProcessSupport
import Testing

@Suite struct `Targets and the loss` {
  /// The last result's value of a run of `crest train --json`.
  private func result(_ run: ProcessResult, _ key: String) throws -> Double {
    #expect(run.status == 0, "\(run.error)")
    return try #require(try run.objects().last?[key] as? Double)
  }

  private func train(
    _ situation: CommandCase, _ model: String, _ data: String, _ options: String...
  ) throws -> ProcessResult {
    try CrestProcess.run(
      ["train", "--model", model, "--data", data, "--threads", "1", "--json"] + options,
      in: situation.folder)
  }

  static let sequences: [(model: String, data: String, options: [String])] = [
    ("long.onnx", "nine", []), ("softmax.onnx", "six", []), ("first.onnx", "six", []),
    ("square.onnx", "six", ["--class-axis", "2"]), ("square.onnx", "six", ["--class-axis", "-1"]),
    ("softmax.onnx", "six", ["--class-axis", "2"]),
  ]

  @Test(arguments: sequences)
  func `a network that scores each token is trained along its axis of classes`(
    row: (model: String, data: String, options: [String])
  ) throws {
    let situation = try CommandCase("sequence-logits")
    let run = try CrestProcess.run(
      [
        "train", "--model", row.model, "--data", row.data, "--threads", "1", "--json", "--epochs",
        "40", "--max-lr", "0.1", "--optimizer", "adam",
      ] + row.options, in: situation.folder)
    #expect(try result(run, "accuracy") == 1)
  }

  static let notes: [(model: String, options: [String], note: String?)] = [
    (
      "square.onnx", [],
      "Note: the classes of predictions [N, 6, 6] are along axis 1, by ONNX's convention; "
        + "--class-axis 2 selects the other"
    ),
    (
      "softmax.onnx", [],
      "Note: the classes of predictions [N, 6, 6] are along axis 2, as in the network's final "
        + "softmax; --class-axis 1 selects the other"
    ),
    ("square.onnx", ["--class-axis", "2"], nil),
  ]

  @Test(arguments: notes, ["train", "evaluate"])
  func `where the shapes leave two axes of classes, a note says which is taken`(
    row: (model: String, options: [String], note: String?), command: String
  ) throws {
    let situation = try CommandCase("sequence-logits")
    let fit = command == "train" ? ["--epochs", "1", "--max-lr", "0.01"] : []
    let run = try CrestProcess.run(
      [command, "--model", row.model, "--data", "six"] + fit + row.options, in: situation.folder)
    #expect(run.status == 0, "\(run.error)")
    let notes = run.error.split(separator: "\n").filter { $0.contains("axis") }
    #expect(notes.map(String.init) == [row.note].compactMap(\.self))
  }

  static let axes: [(options: [String], code: Int32, message: String)] = [
    (
      ["--class-axis", "3"], 64,
      "Error: six (train): --class-axis of cross-entropy: expected an axis of predictions [N, 6, 6] from "
        + "1 to 2 (axis 0 is the batch), got 3"
    ),
    (
      ["--class-axis", "2", "--loss", "mse"], 64,
      "Error: --class-axis: expected a loss with classes, cross-entropy, got mse; omit the axis"
    ),
  ]

  @Test(arguments: axes)
  func `an axis that can't be that of classes is refused`(
    row: (options: [String], code: Int32, message: String)
  ) throws {
    let situation = try CommandCase("sequence-logits")
    let run = try CrestProcess.run(
      ["train", "--model", "square.onnx", "--data", "six", "--epochs", "1", "--max-lr", "0.1"]
        + row.options, in: situation.folder)
    #expect(run.status == row.code)
    #expect(run.error.split(separator: "\n").last.map(String.init) == row.message)
  }

  @Test func `labels of 0 and 1 train a network of one output that ends in a sigmoid`() throws {
    let situation = try CommandCase("binary-labels-one-logit")
    let run = try train(
      situation, "sigmoid.onnx", "labels", "--loss", "bce", "--epochs", "5", "--max-lr", "0.1")
    // Chance is about one half.
    #expect(try result(run, "accuracy") >= 0.9)
    #expect(try result(run, "valid_loss") < 0.6)
  }

  @Test func `booleans train a network of several labels`() throws {
    let situation = try CommandCase("binary-labels-one-logit")
    let run = try train(
      situation, "multilabel.onnx", "booleans", "--loss", "bce", "--epochs", "5", "--max-lr", "0.1")
    #expect((0...1).contains(try result(run, "accuracy")))
    #expect(try result(run, "valid_loss") < 1)
  }

  static let binaryAdvice: [(model: String, data: String, message: String)] = [
    (
      "sigmoid.onnx", "labels",
      "Error: labels (train) has 2 classes, but the model has only 1 output; for one binary output "
        + "choose the loss bce"
    ),
    (
      "multilabel.onnx", "booleans",
      "Error: booleans (train): cross-entropy: expected labels [N] (classes along axis 1) for "
        + "predictions [N, 3], got int64 [N, 3]; for binary labels choose the loss bce"
    ),
  ]

  @Test(arguments: binaryAdvice)
  func `labels of yes and no without a loss are told of bce`(
    row: (model: String, data: String, message: String)
  ) throws {
    let situation = try CommandCase("binary-labels-one-logit")
    let run = try train(situation, row.model, row.data, "--epochs", "1", "--max-lr", "0.1")
    #expect(run.status == 65)
    #expect(run.error.split(separator: "\n").last.map(String.init) == row.message)
  }

  @Test(arguments: ["cross-entropy", "bce"], ["train", "evaluate"])
  func `targets outside 0 to 1 are refused where a loss needs them inside`(
    loss: String, command: String
  ) throws {
    let situation = try CommandCase("targets-outside-0-1")
    let fit = command == "train" ? ["--epochs", "1", "--max-lr", "0.001"] : []
    let run = try CrestProcess.run(
      [command, "--model", "mlp", "--data", "data", "--loss", loss] + fit, in: situation.folder)
    #expect(run.status == 65)
    #expect(run.error.hasPrefix("Error: data ("), "\(run.error)")
    #expect(run.error.contains("): \(loss) takes targets from 0 to 1, got "), "\(run.error)")
  }

  @Test func `one-hot targets are measured by accuracy`() throws {
    let situation = try CommandCase("targets-outside-0-1")
    let run = try train(
      situation, "mlp", "onehot", "--loss", "cross-entropy", "--epochs", "20", "--max-lr", "0.05")
    #expect(try result(run, "accuracy") >= 0.8)
  }

  @Test func `an option with one dash is refused, and not taken for a request for help`() throws {
    let run = try CrestProcess.run([
      "train", "--model", "mlp", "--data", "digits", "-epochs", "1", "--max-lr", "1",
    ])
    #expect(run.status == 64)
    #expect(
      run.error
        == "Error: unknown option -epochs; options begin with two dashes, as in --epochs\n")
  }

  @Test func `an output that would overwrite what is read is refused`() throws {
    let situation = try CommandCase("targets-outside-0-1")
    let before = try Data(contentsOf: situation.folder["data/train-x.npy"])
    for option in ["--log", "--log-steps", "--export"] {
      let run = try train(
        situation, "mlp", "data", "--epochs", "1", "--max-lr", "1", option,
        "./data/../data/train-x.npy")
      #expect(run.status == 64)
      #expect(
        run.error
          == "Error: \(option) would write to ./data/../data/train-x.npy, which --data reads; give another "
          + "path\n")
    }
    #expect(try Data(contentsOf: situation.folder["data/train-x.npy"]) == before)
  }

  @Test func `two averages are refused`() throws {
    let run = try CrestProcess.run([
      "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.1",
      "--callback", "ema", "--callback", "ema:decay=0.9",
    ])
    #expect(run.status == 64)
    #expect(
      run.error
        == "Error: --callback ema and --callback ema both swap in other weights during "
        + "validation; remove one of them\n"
    )
  }

  @Test func `more classes than two are refused by a loss of yes and no`() throws {
    let run = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--loss", "bce", "--epochs", "1", "--max-lr",
        "1",
      ])
    #expect(run.status == 65)
    #expect(
      run.error
        == "Error: bce takes labels 0 and 1, but digits (train) has 10 classes; choose the loss "
        + "cross-entropy, or other data\n")
  }
}
