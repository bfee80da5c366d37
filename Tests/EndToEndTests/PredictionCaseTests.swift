import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// What networks are fed with, and what they can be made of: situations that were answered wrongly.
@Suite struct `Feeding a network` {
  private static let rows = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/onnx-rows")

  private func path(_ network: String) -> String {
    Self.rows.appending(path: "\(network).onnx").path(percentEncoded: false)
  }

  private func array(_ url: URL) throws -> Tensor { try Tensor(npy: Array(Data(contentsOf: url))) }

  private func write(_ tensor: Tensor, _ url: URL) throws {
    try Data(tensor.npyBytes()).write(to: url)
  }

  private func isNear(_ tensor: Tensor, _ values: [Double], _ tolerance: Double = 1e-5) -> Bool {
    zip(tensor.doubles, values).allSatisfy { abs($0 - $1) < tolerance * (1 + abs($1)) }
  }

  // MARK: A fixed batch

  @Test func `a file for batches of 3 predicts 5 examples`() throws {
    let it = try CommandCase("fixed-batch-leftover")
    let result = try it.run(
      "predict", "--model", "three.onnx", "--input", "five.npy", "--output", "p.npy")
    #expect(result.status == 0, "\(result.error)")
    let got = try array(it.folder["p.npy"])
    #expect(got.shape == [5, 10])
    // ONNX Runtime's, of batches of three; the first two columns.
    let expected = [
      4.237767696380615, -1.9862602949142456, 0.2769336700439453, 0.9102312326431274,
      -2.621035575866699, 6.290338516235352, -0.47216707468032837, -0.5378299951553345,
      -1.5065431594848633, -4.600574493408203,
    ]
    #expect(isNear(got.slice(0..<2, along: 1), expected))
  }

  @Test func `evaluate takes a file's batch size, and counts real examples only`() throws {
    let it = try CommandCase("fixed-batch-leftover")
    let whole = try it.run("evaluate", "--model", "three.onnx", "--data", "data")
    #expect(whole.status == 0, "\(whole.error)")
    #expect(
      whole.output == "accuracy 0.1250, valid loss 4.6274 on 24 examples of data (validation)\n")
    // Five examples: two in the last batch.
    try FileManager.default.removeItem(at: it.folder["data/valid-x.npy"])
    try FileManager.default.copyItem(at: it.folder["five.npy"], to: it.folder["data/valid-x.npy"])
    try write(Tensor([2, 8, 1, 2, 9] as [Int64]), it.folder["data/valid-y.npy"])
    let five = try it.run("evaluate", "--model", "three.onnx", "--data", "data")
    #expect(
      five.output == "accuracy 0.8000, valid loss 0.3347 on 5 examples of data (validation)\n")
  }

  @Test func `examples of validation that are left over are measured in training too`() throws {
    let it = try CommandCase("fixed-batch-leftover")
    try FileManager.default.removeItem(at: it.folder["data/valid-x.npy"])
    try FileManager.default.copyItem(at: it.folder["five.npy"], to: it.folder["data/valid-x.npy"])
    try write(Tensor([2, 8, 1, 2, 9] as [Int64]), it.folder["data/valid-y.npy"])
    let result = try it.run(
      "train", "--model", "three.onnx", "--data", "data", "--epochs", "1", "--max-lr", "0.01")
    #expect(result.status == 0, "\(result.error)")
    // A step at so low a rate moves nothing: all five count, none twice.
    let fixed = try it.run(
      "train", "--model", "three.onnx", "--data", "data", "--epochs", "1", "--max-lr", "1e-9",
      "--json")
    #expect(fixed.status == 0, "\(fixed.error)")
    let last = try #require(try fixed.objects().last)
    #expect(abs(try #require(last["valid_loss"] as? Double) - 0.3347) < 1e-3)
    #expect(last["accuracy"] as? Double == 0.8)
  }

  // MARK: Types

  @Test func `a uint8 input is trained, measured and predicted on as it is`() throws {
    let it = try CommandCase("uint8-input-model")
    for part in ["x", "y"] {
      try FileManager.default.copyItem(
        at: it.folder["data/train-\(part).npy"], to: it.folder["data/valid-\(part).npy"])
    }
    let evaluated = try it.run("evaluate", "--model", "model.onnx", "--data", "data")
    #expect(evaluated.output.contains("valid loss 35.7837 on 50 examples"), "\(evaluated.error)")
    let predicted = try it.run(
      "predict", "--model", "model.onnx", "--input", "data/train-x.npy", "--output", "p.npy")
    #expect(predicted.status == 0, "\(predicted.error)")
    let got = try array(it.folder["p.npy"])
    #expect(
      isNear(
        got.slice(0..<2, along: 0),
        [26.1213436126709, 112.26497650146484, 23.847312927246094, 136.73399353027344]))
    let trained = try it.run(
      "train", "--model", "model.onnx", "--data", "data", "--epochs", "1", "--max-lr", "1e-5")
    #expect(trained.status == 0, "\(trained.error)")
  }

  @Test func `int32 indices are converted for an input of int64`() throws {
    let it = try CommandCase("int32-ids")
    for part in ["x", "y"] {
      try FileManager.default.copyItem(
        at: it.folder["data/train-\(part).npy"], to: it.folder["data/valid-\(part).npy"])
    }
    let evaluated = try it.run("evaluate", "--model", "embedding.onnx", "--data", "data")
    #expect(
      evaluated.output
        == "accuracy 0.5000, valid loss 0.6997 on 50 examples of data (validation)\n",
      "\(evaluated.error)")
    let trained = try it.run(
      "train", "--model", "embedding.onnx", "--data", "data", "--epochs", "1", "--max-lr", "0.1")
    #expect(trained.status == 0, "\(trained.error)")
    let predicted = try it.run(
      "predict", "--model", "embedding.onnx", "--input", "data/train-x.npy", "--output", "p.npy")
    #expect(predicted.status == 0, "\(predicted.error)")
  }

  // MARK: Names

  @Test func `an input that isn't there is named, with those that are`() throws {
    let it = try CommandCase("fixed-batch-leftover")
    for (argument, message) in [
      ("nosuch=five.npy", "--input: there is no input \"nosuch\"; there is x"),
      (
        "nosuch.npy",
        "nosuch.npy is missing; the data set's other files are there, so add it or unpack the set again"
      ),
    ] {
      let result = try it.run(
        "predict", "--model", "three.onnx", "--input", argument, "--output", "p.npy")
      #expect(result.error == "Error: \(message)\n")
    }
  }

  // MARK: Rows together

  /// Sequences of seven steps of three numbers, and two numbers for each step.
  private func sequences() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    func numbers(_ count: Int, _ step: Int) -> [Float] {
      (0..<count).map { Float($0 * step % 23) / 11 - 1 }
    }
    for (part, count) in [("train", 20), ("valid", 8)] {
      try write(
        Tensor(numbers(count * 21, 7), shape: [count, 7, 3]), folder["\(part)-x.npy"])
      try write(
        Tensor(numbers(count * 14, 5), shape: [count, 7, 2]), folder["\(part)-y.npy"])
    }
    return folder
  }

  @Test(arguments: ["train", "find-lr", "evaluate"])
  func `a network whose rows look at each other is refused, or its batch is where it is said to be`(
    _ command: String
  ) throws {
    let data = try sequences()
    let fit =
      switch command {
      case "train": ["--epochs", "1", "--max-lr", "0.01"]
      default: [] as [String]
      }
    let arguments = [
      command, "--model", path("lstm-time-first"), "--data", ".", "--threads", "1",
    ]
    // Five sequences of as many steps as there are examples, it would be.
    for part in ["train", "valid"] {
      let x = try array(data["\(part)-x.npy"])
      try write(x.slice(0..<5, along: 1), data["\(part)-x.npy"])
    }
    let refused = try CrestProcess.run(arguments + fit, in: data)
    #expect(refused.status == 65)
    #expect(
      refused.error.hasSuffix(
        "Error: the model can't be trained or evaluated in batches of examples: node "
          + "\"/layer/LSTM\" (LSTM, opset 17) selects examples by their index in the batch, so "
          + "an example's prediction depends on the others in the batch; if the batch axis is "
          + "not the first, name it (--batch-axis, or batchAxes in a program)\n"),
      "\(refused.error)")
    let right = try sequences()
    let trained = try CrestProcess.run(arguments + fit + ["--batch-axis", "1"], in: right)
    #expect(trained.status == 0, "\(trained.error)")
    if command == "evaluate" {
      // What ONNX Runtime gives for the sequences side by side along axis 1.
      #expect(trained.output.contains("valid loss 0.3881 on 8 examples"), "\(trained.output)")
    }
  }

  @Test(arguments: [
    (
      "--batch-axis -1",
      "--batch-axis: expected an integer from 0 up, after the input's name and = if there are "
        + "several, got \"-1\""
    ),
    ("--batch-axis y=1", "--batch-axis: there is no input \"y\"; there is x"),
    (
      "--batch-axis 1 --batch-axis x=1",
      "--batch-axis: the input \"x\" is given twice; give it once"
    ),
    (
      "--model mlp --batch-axis 1",
      "--batch-axis: it is for ONNX files, but --model is mlp, whose batch axis is the first; "
        + "leave it out"
    ),
  ]) func `a batch axis that can't be is refused`(_ options: String, _ message: String) throws {
    let data = try sequences()
    let result = try CrestProcess.run(
      ["evaluate", "--model", path("lstm-time-first"), "--data", "."]
        + options.split(separator: " ").map(String.init), in: data)
    #expect(result.error == "Error: \(message)\n")
    #expect(result.status == 64)
  }

  @Test func `a time-first network predicts as ONNX Runtime does, however many steps there are`()
    throws
  {
    let folder = try TemporaryFolder()
    let steps = (0..<3000).map { place -> Float in
      let step = place * 7919 % 2003
      return Float(Double(step - 1001) / 1000)
    }
    try write(Tensor(steps, shape: [200, 5, 3]), folder["x.npy"])
    let result = try CrestProcess.run(
      ["predict", "--model", path("lstm-time-first"), "--input", "x.npy", "--output", "y.npy"],
      in: folder)
    #expect(result.status == 0, "\(result.error)")
    let stored = try array(Self.rows.appending(path: "lstm-time-first.npy"))
    let got = try array(folder["y.npy"])
    #expect(got.shape == [200, 5, 2])
    #expect(isNear(got, Array(stored.doubles.suffix(2000))))
  }

  // MARK: Nothing to train

  @Test(arguments: [
    ("train", "noparams.onnx", "data"), ("train", "f16cast.onnx", "two"),
    ("find-lr", "f16cast.onnx", "two"),
  ])
  func `a network without parameters is not trained`(
    _ command: String, _ model: String, _ data: String
  ) throws {
    let it = try CommandCase("nothing-to-train")
    let options = command == "train" ? ["--epochs", "2", "--max-lr", "0.1"] : []
    let result = try CrestProcess.run(
      [command, "--model", model, "--data", data, "--threads", "1"] + options, in: it.folder)
    #expect(result.error.hasSuffix("Error: the model can't be trained: it has no parameters\n"))
    #expect(result.status == 65)
  }

  // MARK: Checkpoints

  @Test func `the best checkpoint is measured, asked, and written as ONNX`() throws {
    let it = try CommandCase("checkpoint-unusable-from-command")
    let trained = try it.run(
      "train", "--model", "mlp", "--data", "data", "--epochs", "3", "--max-lr", "0.05", "--threads",
      "1",
      "--json", "--callback",
      "model-checkpoint:folder=best,monitor=valid_loss,keep-last=0,contents=weights,name=best-{epoch}"
    )
    #expect(trained.status == 0, "\(trained.error)")
    func losses(_ text: String) -> [Double] {
      text.components(separatedBy: "\"valid_loss\":").dropFirst().compactMap { rest in
        Double(String(rest.prefix { $0 != "," && $0 != "}" }))
      }
    }
    let best = try #require(losses(trained.output).min())
    let folder = it.folder["best"].path(percentEncoded: false)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    let checkpoint = "best/" + (try #require(names.first { $0.hasSuffix(".safetensors") }))
    let evaluated = try it.run(
      "evaluate", "--model", checkpoint, "--data", "data", "--json")
    #expect(evaluated.status == 0, "\(evaluated.error)")
    let measured = losses(evaluated.output).last
    #expect(measured == best)

    let predicted = try it.run(
      "predict", "--model", checkpoint, "--input", "data/train-x.npy", "--output",
      "p.npy")
    #expect(predicted.status == 0, "\(predicted.error)")
    let x = try array(it.folder["data/train-x.npy"])
    let shape = x.shape.dropFirst().map(String.init).joined(separator: ",")
    let exported = try it.run(
      "export", checkpoint, "--architecture", "mlp", "--shape", shape, "--to", "m.onnx"
    )
    #expect(exported.status == 0, "\(exported.error)")
    let again = try it.run(
      "predict", "--model", "m.onnx", "--input", "data/train-x.npy", "--output", "q.npy")
    #expect(again.status == 0, "\(again.error)")
    let (p, q) = (try array(it.folder["p.npy"]), try array(it.folder["q.npy"]))
    #expect(p.shape[0] == x.shape[0] && isNear(p, q.doubles))
  }

  @Test func `weights of a file's network need the file`() throws {
    let it = try CommandCase("fixed-batch-leftover")
    let trained = try it.run(
      "train", "--model", "three.onnx", "--data", "data", "--epochs", "1", "--max-lr", "0.001",
      "--checkpoint-dir", "run", "--export", "trained.onnx")
    #expect(trained.status == 0, "\(trained.error)")
    let saved = try #require(
      try FileManager.default.contentsOfDirectory(
        atPath: it.folder["run"].path(percentEncoded: false)
      )
      .first { $0.hasSuffix(".safetensors") })
    let arguments = ["--model", "run/\(saved)", "--input", "five.npy", "--output", "p.npy"]
    let alone = try CrestProcess.run(["predict"] + arguments, in: it.folder)
    #expect(
      alone.error
        == "Error: run/\(saved): its weights were trained from an ONNX file; name that "
        + "with --architecture FILE.onnx\n")
    #expect(alone.status == 64)
    let predicted = try CrestProcess.run(
      ["predict"] + arguments + ["--architecture", "three.onnx"], in: it.folder)
    #expect(predicted.status == 0, "\(predicted.error)")
    let asked = try it.run(
      "predict", "--model", "trained.onnx", "--input", "five.npy", "--output", "q.npy")
    #expect(asked.status == 0, "\(asked.error)")
    #expect(try array(it.folder["p.npy"]) == array(it.folder["q.npy"]))
    let exported = try it.run(
      "export", "run/\(saved)", "--architecture", "three.onnx", "--to", "again.onnx")
    #expect(exported.status == 0, "\(exported.error)")
    #expect(
      try Data(contentsOf: it.folder["again.onnx"]) == Data(contentsOf: it.folder["trained.onnx"]))
    let other = try CrestProcess.run(
      ["predict"] + arguments + ["--architecture", path("mlp")], in: it.folder)
    #expect(other.status == 65)
    let needless = try it.run(
      "predict", "--model", "three.onnx", "--architecture", "mlp", "--input", "five.npy",
      "--output",
      "p.npy")
    #expect(
      needless.error
        == "Error: --architecture: expected a model that is a .safetensors file, got three.onnx; "
        + "leave it out\n")
  }
}
