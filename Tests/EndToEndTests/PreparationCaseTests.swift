import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// What a network has learned includes how its inputs were prepared.
@Suite struct `Preparation of data` {
  private static let trained = "(x / 255 - 0.35) / 0.15"

  /// The notes of a run, without what a build for debugging says.
  private func notes(_ run: ProcessResult) -> [Substring] {
    run.error.split(separator: "\n").filter { $0.hasPrefix("Note: ") }
      .map { $0.dropFirst("Note: ".count) }
  }

  private func accuracy(_ run: ProcessResult) throws -> Double {
    #expect(run.status == 0, "\(run.error)")
    return try #require(try run.objects().last?["accuracy"] as? Double)
  }

  /// How many predictions have their maximum where the label is.
  private func accuracy(of file: String, _ labels: String, in folder: TemporaryFolder) throws
    -> Double
  {
    let predictions = try Tensor(npy: Array(Data(contentsOf: folder[file])))
    let classes = try Tensor(npy: Array(Data(contentsOf: folder[labels]))).integers ?? []
    let count = predictions.shape[1]
    let values = predictions.array(as: Float.self)
    let right = classes.indices.count { row in
      let scores = values[row * count..<(row + 1) * count]
      return scores.firstIndex(of: scores.max() ?? 0) == row * count + Int(classes[row])
    }
    return Double(right) / Double(classes.count)
  }

  @Test func `evaluate and predict prepare images as the network was trained`() throws {
    let it = try CommandCase("learned-preprocessing")
    let evaluated = try it.run("evaluate", "--model", "model.onnx", "--data", "data", "--json")
    #expect(try accuracy(evaluated) == 1)
    let note = try #require(notes(evaluated).first)
    #expect(
      note.hasPrefix(
        "the examples of data are preprocessed as the model was trained, \(Self.trained), not "
          + "with the set's own statistics, (x / 255 - "), "\(note)")
    #expect(note.hasSuffix("; --preprocessing changes that"))

    for input in ["images.npy", "floats.npy"] {
      let predicted = try it.run(
        "predict", "--model", "model.onnx", "--input", input, "--output", "p.npy")
      #expect(predicted.status == 0, "\(predicted.error)")
      // Floats may have been prepared before, so that they need a word.
      let expected =
        input == "images.npy"
        ? []
        : [
          "the values of \"input\" are preprocessed as the model was trained, \(Self.trained); "
            + "--preprocessing none uses them as they are stored"
        ]
      #expect(notes(predicted).map(String.init) == expected)
      #expect(try accuracy(of: "p.npy", "labels.npy", in: it.folder) == 1)
    }
  }

  @Test(arguments: ["evaluate", "train", "find-lr"])
  func `another choice is made with a note`(command: String) throws {
    let it = try CommandCase("learned-preprocessing")
    let options =
      command == "train" ? ["--epochs", "1", "--max-lr", "1e-9", "--export", "out.onnx"] : []
    for (choice, wanted) in [("data", "(x / 255 - "), ("none", "x as it is stored")] {
      let run = try CrestProcess.run(
        [
          command, "--model", "model.onnx", "--data", "data", "--json", "--preprocessing", choice,
        ] + options, in: it.folder)
      #expect(run.status == 0, "\(run.error)")
      #expect(
        notes(run).contains {
          $0.hasPrefix("the examples of data are preprocessed with \(wanted)")
            && $0.contains(", not as the model was trained, \(Self.trained); ")
        }, "\(run.error)")
      if command == "evaluate" { #expect(try accuracy(run) < 1) }
      if command == "train" {
        // What was learned last is what the file says.
        let text = String(decoding: try Data(contentsOf: it.folder["out.onnx"]), as: UTF8.self)
        #expect(!text.contains("\"mean\":[0.35]"))
        #expect(text.contains(choice == "none" ? "\"divisor\":1," : "\"divisor\":255,"))
      }
    }
  }

  @Test func `fine-tuning keeps how the network's inputs were prepared`() throws {
    let it = try CommandCase("learned-preprocessing")
    let run = try it.run(
      "train", "--model", "model.onnx", "--data", "data", "--epochs", "1", "--max-lr", "1e-9",
      "--export", "out.onnx", "--json")
    #expect(try accuracy(run) == 1)
    let text = String(decoding: try Data(contentsOf: it.folder["out.onnx"]), as: UTF8.self)
    #expect(
      text.contains(
        #"{"divisor":255,"layout":"channelsFirst","mean":[0.35],"standardDeviation":[0.15]}"#))
    // The data's classes are numbers, which are no names to replace the network's.
    #expect(text.contains(#"["night","dusk","dawn","day"]"#))
    let predicted = try it.run(
      "predict", "--model", "out.onnx", "--input", "images.npy", "--output", "p.npy")
    #expect(predicted.status == 0)
    #expect(try accuracy(of: "p.npy", "labels.npy", in: it.folder) == 1)
    let object = try #require(
      try it.run("inspect", "out.onnx", "--json").objects().first {
        $0["event"] as? String == "model"
      })
    #expect(object["classes"] as? [String] == ["night", "dusk", "dawn", "day"])
    let preprocessing = try #require(object["preprocessing"] as? [String: Any])
    #expect(preprocessing["layout"] as? String == "channelsFirst")
    #expect(preprocessing["divisor"] as? Double == 255)
    #expect(preprocessing["mean"] as? [Double] == [0.35])
    #expect(preprocessing["standard_deviation"] as? [Double] == [0.15])
    let inspected = try it.run("inspect", "out.onnx").output
    #expect(inspected.contains("preprocessing: \(Self.trained)\n"))
    #expect(inspected.contains("4 classes: night, dusk, dawn, day\n"))
  }

  struct Colour: Sendable, CustomTestStringConvertible {
    let model: String
    let data: String
    /// The note on the order of axes.
    let arrangement: String?
    var testDescription: String { "\(model) on \(data)" }
  }

  static let colours = [
    Colour(model: "colour.onnx", data: "first", arrangement: nil),
    Colour(model: "keras.onnx", data: "last", arrangement: nil),
    Colour(
      model: "colour.onnx", data: "last",
      arrangement: "the images are [6, 6, 3], rows, columns and channels: they are transposed to "
        + "[3, 6, 6], channels first, which the model takes"),
    Colour(
      model: "keras.onnx", data: "first",
      arrangement: "the images are [3, 6, 6], channels, rows and columns: they are transposed to "
        + "[6, 6, 3], channels last, which the model takes"),
  ]

  @Test(arguments: colours)
  func `channels are found by the model's shape, and each is prepared by its own numbers`(
    row: Colour
  ) throws {
    let it = try CommandCase("learned-preprocessing")
    let evaluated = try it.run("evaluate", "--model", row.model, "--data", row.data, "--json")
    #expect(try accuracy(evaluated) == 1)
    #expect(
      notes(evaluated).first { $0.hasPrefix("the images") }.map(String.init) == row.arrangement)
    let predicted = try it.run(
      "predict", "--model", row.model, "--input", "\(row.data)/valid-x.npy", "--output", "p.npy")
    #expect(predicted.status == 0, "\(predicted.error)")
    #expect(notes(predicted).map(String.init) == (row.arrangement.map { [$0] } ?? []))
    #expect(try accuracy(of: "p.npy", "\(row.data)/valid-y.npy", in: it.folder) == 1)
  }

  @Test func `a network that doesn't say how its inputs were prepared is told so`() throws {
    let it = try CommandCase("learned-preprocessing")
    let evaluated = try it.run("evaluate", "--model", "unsaid.onnx", "--data", "first", "--json")
    #expect(evaluated.status == 0)
    let note = try #require(notes(evaluated).last)
    #expect(
      note.hasPrefix(
        "the model doesn't say how its inputs were preprocessed: the examples of first are "
          + "preprocessed with the set's own statistics, (x / 255 - ["), "\(note)")
    let predicted = try it.run(
      "predict", "--model", "unsaid.onnx", "--input", "first/valid-x.npy", "--output", "p.npy")
    #expect(predicted.status == 0)
    #expect(
      notes(predicted) == [
        "the model doesn't say how its inputs were preprocessed: the bytes of \"input\" are "
          + "used as they are, from 0 to 255"
      ])
  }

  @Test func `other channels, and statistics of no data, are refused`() throws {
    let it = try CommandCase("learned-preprocessing")
    let predicted = try it.run(
      "predict", "--model", "model.onnx", "--input", "images.npy", "--output", "p.npy",
      "--preprocessing", "data")
    #expect(predicted.status == 64)
    #expect(
      predicted.error.hasPrefix(
        "Error: The value 'data' is invalid for '--preprocessing <choice>'. Please provide one of 'model' and "
          + "'none'."), "\(predicted.error)")
    let bytes = try Data(contentsOf: it.folder["model.onnx"])
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains("\"divisor\":255"))
    // As long as before, so that the sizes in the file stay right.
    let broken = bytes.replacing(Data("\"divisor\":255".utf8), with: Data("\"divisor\":0.0".utf8))
    try broken.write(to: it.folder["broken.onnx"])
    for command in ["evaluate --data data", "predict --input images.npy --output p.npy"] {
      let words = command.split(separator: " ").map(String.init)
      let run = try CrestProcess.run(words + ["--model", "broken.onnx"], in: it.folder)
      #expect(run.status == 65)
      #expect(
        run.error
          == "Error: broken.onnx: metadata \"crest.preprocessing\": expected a JSON object of layout, "
          + "divisor, mean and standardDeviation, got "
          + #"{"divisor":0.0,"layout":"channelsFirst","mean":[0.35],"standardDeviation":[0.15]}"#
          + "; export the model again, or remove the entry\n")
    }
  }

  static let byteImages: [(model: String, data: String, note: String?)] = [
    ("mlp", "grey", nil), ("mlp", "last", nil), ("small-cnn", "first", nil),
    (
      "small-cnn", "grey",
      "the images are [8, 8], rows and columns: they are reshaped to [1, 8, 8], with one "
        + "channel, which the model takes"
    ),
    (
      "small-cnn", "last",
      "the images are [6, 6, 3], rows, columns and channels: they are transposed to [3, 6, 6], "
        + "channels first, which the model takes"
    ),
    (
      "small-cnn", "floats",
      "the images are [8, 8, 1], rows, columns and channels: they are transposed to [1, 8, 8], "
        + "channels first, which the model takes"
    ),
  ]

  @Test(arguments: byteImages)
  func `images of NumPy arrays are scaled and lie as the network takes them`(
    row: (model: String, data: String, note: String?)
  ) throws {
    let it = try CommandCase("learned-preprocessing")
    let run = try it.run(
      "train", "--model", row.model, "--data", row.data, "--epochs", "12", "--max-lr", "0.02",
      "--batch-size", "8", "--threads", "1", "--json", "--export", "out.onnx")
    #expect(try accuracy(run) > 0.9)
    let loss = try #require(try run.objects().last?["valid_loss"] as? Double)
    #expect(loss < 1)
    let isOfBytes = row.data != "floats"
    #expect(
      notes(run).contains { $0.contains("\"x\" holds images of bytes, from 0 to 255") } == isOfBytes
    )
    #expect(
      notes(run).contains {
        $0.hasPrefix(
          "the examples of \(row.data) are preprocessed with the set's own statistics, (x / 255")
      } == isOfBytes)
    #expect(notes(run).first { $0.hasPrefix("the images") }.map(String.init) == row.note)
    // The exported network takes the same arrays.
    let predicted = try it.run(
      "predict", "--model", "out.onnx", "--input", "\(row.data)/valid-x.npy", "--output", "p.npy")
    #expect(predicted.status == 0, "\(predicted.error)")
    #expect(notes(predicted).map(String.init) == (row.note.map { [$0] } ?? []))
    #expect(try accuracy(of: "p.npy", "\(row.data)/valid-y.npy", in: it.folder) > 0.9)
  }

  @Test func `the weights of a run say how its data were prepared and lay`() throws {
    let it = try CommandCase("learned-preprocessing")
    let trained = try it.run(
      "train", "--model", "small-cnn", "--data", "last", "--epochs", "12", "--max-lr", "0.02",
      "--batch-size", "8", "--threads", "1", "--json", "--callback",
      "model-checkpoint:folder=run,contents=weights")
    #expect(try accuracy(trained) > 0.9)
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: it.folder["run"].path)
        .filter { $0.hasSuffix(".safetensors") }.max())
    let own = try accuracy(
      it.run("evaluate", "--model", "run/\(name)", "--data", "last", "--json"))
    #expect(own > 0.9)
    let predicted = try it.run(
      "predict", "--model", "run/\(name)", "--input", "last/valid-x.npy", "--output", "p.npy")
    #expect(predicted.status == 0, "\(predicted.error)")
    #expect(try accuracy(of: "p.npy", "last/valid-y.npy", in: it.folder) == own)
  }
}
