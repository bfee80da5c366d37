import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// What NumPy arrays of other kinds, of few examples a class and of one number an example are taken for.
@Suite struct `Kinds of data` {
  @Test(arguments: ["fortran", "uint16", "labels-uint16"])
  func `arrays of every kind hold the numbers that NumPy reads`(kind: String) throws {
    let it = try CommandCase("npy-kinds")
    let described = try it.run("data", "info", kind, "--json")
    #expect(described.status == 0, "\(described.error)")
    var objects = try [kind, "plain/\(kind)"].map { folder in
      try #require(try it.run("data", "info", folder, "--json").objects().first)
    }
    // Names and hashes are of the files; notes tell of the kind.
    for key in ["name", "train", "valid", "notes"] {
      for place in objects.indices { objects[place][key] = nil }
    }
    #expect(objects[0] as NSDictionary == objects[1] as NSDictionary)
    // The same training, bit for bit.
    let losses = try [kind, "plain/\(kind)"].map { folder in
      let run = try it.run(
        "train", "--model", "mlp", "--data", folder, "--epochs", "1", "--max-lr", "1e-6",
        "--threads", "1", "--json")
      #expect(run.status == 0, "\(run.error)")
      return try #require(try run.objects().last?["valid_loss"] as? Double)
    }
    #expect(losses[0] == losses[1])
  }

  @Test func `headers of Python 2 are read`() throws {
    let it = try CommandCase("npy-kinds")
    let models = try CommandCase("learned-preprocessing")
    let outputs = try ["python2.npy", "plain/python2.npy"].map { input in
      let run = try CrestProcess.run(
        [
          "predict", "--model", models.folder["model.onnx"].path, "--input", input, "--output",
          "p.npy",
        ], in: it.folder)
      #expect(run.status == 0, "\(run.error)")
      return try Data(contentsOf: it.folder["p.npy"])
    }
    #expect(outputs[0] == outputs[1])
  }

  @Test func `sets of many small classes are split, or measured whole`() throws {
    let it = try CommandCase("split-of-many-small-classes")
    for (folder, train, valid) in [("pairs", 800, 200), ("five", 4, 1)] {
      let described = try #require(try it.run("data", "info", folder, "--json").objects().first)
      #expect((described["train"] as? [String: Any])?["count"] as? Int == train)
      #expect((described["valid"] as? [String: Any])?["count"] as? Int == valid)
      let trained = try it.run(
        "train", "--model", "mlp", "--data", folder, "--epochs", "1", "--max-lr", "0.01", "--json")
      #expect(trained.status == 0, "\(trained.error)")
      // Without shuffling no fifth is set apart: all are learned from.
      let logged = try it.run(
        "train", "--model", "mlp", "--data", folder, "--epochs", "1", "--max-lr", "0.01",
        "--no-shuffle", "--batch-size", "1000", "--log-steps", "steps-\(folder).csv", "--json")
      #expect(logged.status == 0, "\(logged.error)")
      #expect(try it.folder.lines(of: "steps-\(folder).csv").count == 2)
    }
  }

  @Test func `of two examples one is measured, and one alone is only trained on`() throws {
    let it = try CommandCase("split-of-many-small-classes")
    func write(_ count: Int) throws {
      for (name, tensor) in [
        ("train-x.npy", Tensor((0..<2 * count).map { Float($0) }, shape: [count, 2])),
        ("train-y.npy", Tensor((0..<count).map { Int64($0) })),
      ] { try it.folder.write(tensor.npyBytes(), to: name) }
    }
    func train(_ options: String...) throws -> ProcessResult {
      try CrestProcess.run(
        [
          "train", "--model", "mlp", "--data", ".", "--epochs", "1", "--max-lr", "0.01", "--json",
        ] + options, in: it.folder)
    }
    try write(2)
    let described = try #require(try it.run("data", "info", ".", "--json").objects().first)
    for part in ["train", "valid"] {
      #expect((described[part] as? [String: Any])?["count"] as? Int == 1)
    }
    let two = try train()
    #expect(two.status == 0, "\(two.error)")
    try write(1)
    let refused = try train()
    #expect(refused.status == 65)
    #expect(
      refused.error
        == "Error: . has 1 example and no validation set, too few to hold some out; add a "
        + "validation set\n")
    let whole = try train("--no-shuffle")
    #expect(whole.status == 0, "\(whole.error)")
  }

  @Test(arguments: ["mlp", "regression.onnx"])
  func `a number an example trains a network with one output`(model: String) throws {
    let it = try CommandCase("one-dimensional-float-target")
    let run = try it.run(
      "train", "--model", model, "--data", "data", "--epochs", "100", "--max-lr", "0.03",
      "--optimizer", "adam", "--threads", "1", "--json", "--export", "out.onnx")
    #expect(run.status == 0, "\(run.error)")
    let first = try #require(try run.objects().first?["train_loss"] as? Double)
    let last = try #require(try run.objects().last)
    #expect(try #require(last["train_loss"] as? Double) < 0.9 * first)
    #expect(last["mae"] != nil)

    // As much as predictions, one a row, are off the targets.
    let predicted = try it.run(
      "predict", "--model", "out.onnx", "--input", "data/train-x.npy", "--output", "p.npy")
    #expect(predicted.status == 0, "\(predicted.error)")
    let predictions = try Tensor(npy: Array(Data(contentsOf: it.folder["p.npy"])))
    #expect(predictions.shape == [50, 1])
    for part in ["x", "y"] {
      try FileManager.default.copyItem(
        at: it.folder["data/train-\(part).npy"], to: it.folder["data/valid-\(part).npy"])
    }
    let evaluated = try it.run("evaluate", "--model", "out.onnx", "--data", "data", "--json")
    #expect(evaluated.status == 0, "\(evaluated.error)")
    let error = try #require(try evaluated.objects().last?["mae"] as? Double)
    let targets = try Tensor(npy: Array(Data(contentsOf: it.folder["data/train-y.npy"])))
      .array(as: Float.self)
    let off = zip(predictions.array(as: Float.self), targets).map { abs($0 - $1) }
    #expect(abs(Double(off.reduce(0, +)) / 50 - error) < 1e-5)
  }

  @Test func `labels in a column are one class an example`() throws {
    let it = try CommandCase("one-dimensional-float-target")
    let run = try it.run(
      "train", "--model", "mlp", "--data", "column", "--epochs", "1", "--max-lr", "0.001", "--json")
    #expect(run.status == 0, "\(run.error)")
    #expect(
      run.error.contains(
        "Note: the labels of column/train-y.npy have the shape [N, 1] and are read as [N], one "
          + "class per example\n"))
  }

  @Test func `several classes or numbers an example are told how to be stored`() throws {
    let it = try CommandCase("one-dimensional-float-target")
    for (tensor, shape) in [
      (Tensor(zeros: [50, 3], elementType: .int64), "[3]"), (Tensor(zeros: [50, 3, 2]), "[3, 2]"),
    ] {
      try it.folder.write(tensor.npyBytes(), to: "data/train-y.npy")
      let run = try it.run(
        "train", "--model", "mlp", "--data", "data", "--epochs", "1", "--max-lr", "0.001")
      #expect(run.status == 65)
      #expect(
        run.error
          == "Error: --model mlp predicts one class or one row of numbers per example, but a "
          + "target of data (train) has the shape \(shape); store classes as [N], and numbers as "
          + "[N] or [N, K]\n"
      )
    }
  }

  @Test func `labels below 0 are named as such`() throws {
    let it = try CommandCase("negative-labels")
    let run = try it.run("data", "info", ".")
    #expect(run.status == 65)
    #expect(
      run.error
        == "Error: label 1 of ./train-y.npy is -1; number the classes from 0 up, or store values "
        + "to predict as floats\n")
  }
}
