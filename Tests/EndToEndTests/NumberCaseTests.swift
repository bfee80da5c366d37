import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// What the numbers of targets and inputs decide.
@Suite struct `Numbers decide` {
  private static let fit = [
    "--epochs", "40", "--max-lr", "0.3", "--optimizer", "adam", "--batch-size", "8", "--threads",
    "1", "--json",
  ]

  private func run(_ it: CommandCase, _ arguments: [String]) throws -> ProcessResult {
    try CrestProcess.run(arguments, in: it.folder)
  }

  private func notes(_ run: ProcessResult) -> [String] {
    run.error.split(separator: "\n").filter { $0.hasPrefix("Note: ") }.map {
      String($0.dropFirst(6))
    }
  }

  /// Model, data, whether the classes are along the last axis, and the note on the axis.
  static let soft: [(model: String, data: String, isLast: Bool, note: String?)] = [
    (
      "wide.onnx", "last", true,
      "the classes of predictions [N, 4, 3] are along axis 2, the only one along which all "
        + "targets sum to 1; --class-axis 1 selects the other"
    ),
    ("wide.onnx", "first", false, nil),
    (
      "square.onnx", "both", false,
      "the classes of predictions [N, 3, 3] are along axis 1, by ONNX's convention; --class-axis "
        + "2 selects the other"
    ),
    // One-hot whole numbers, one for each place.
    (
      "wide.onnx", "places", true,
      "the classes of predictions [N, 4, 3] are along axis 2, the only one along which all "
        + "targets sum to 1; --class-axis 1 selects the other"
    ),
  ]

  @Test(arguments: soft)
  func `target probabilities tell along which axis classes lie`(
    row: (model: String, data: String, isLast: Bool, note: String?)
  ) throws {
    let it = try CommandCase("soft-targets")
    let trained = try run(
      it, ["train", "--model", row.model, "--data", row.data, "--loss", "cross-entropy"] + Self.fit)
    #expect(trained.status == 0, "\(trained.error)")
    #expect(notes(trained).filter { $0.contains("axis") } == [row.note].compactMap(\.self))
    if row.isLast {
      #expect(try trained.objects().last?["accuracy"] as? Double == 1)
    }
  }

  @Test func `the axis of the classes is kept with what was learned along it`() throws {
    let it = try CommandCase("soft-targets")
    let trained = try run(
      it,
      [
        "train", "--model", "square.onnx", "--data", "both", "--loss", "cross-entropy",
        "--class-axis", "-1", "--export", "e.onnx", "--checkpoint-dir", "kept",
      ] + Self.fit)
    #expect(trained.status == 0, "\(trained.error)")
    let wanted = try #require(try trained.objects().last?["valid_loss"] as? Double)
    #expect(wanted < 0.1)
    let checkpoint = try #require(
      try FileManager.default.contentsOfDirectory(atPath: it.folder["kept"].path)
        .filter { $0.hasSuffix(".safetensors") }.max())
    let taken =
      "the classes of predictions [N, 3, 3] are along axis 2, as the model was trained; "
      + "--class-axis 1 selects the other"
    for model in [["e.onnx"], ["kept/\(checkpoint)", "--architecture", "square.onnx"]] {
      let measured = try run(
        it, ["evaluate", "--data", "both", "--loss", "cross-entropy", "--json", "--model"] + model)
      #expect(measured.status == 0, "\(measured.error)")
      let loss = try #require(try measured.objects().last?["valid_loss"] as? Double)
      #expect(abs(loss - wanted) < 1e-6)
      #expect(notes(measured).contains(taken), "\(measured.error)")
      let inspected = try run(it, ["inspect", model[0]])
      #expect(
        inspected.output.contains("the classes are along axis 2 of the "), "\(inspected.output)")
      let object = try run(it, ["inspect", model[0], "--json"]).objects().first
      #expect(object?["class_axis"] as? Int == 2)
    }
    // A fine-tuning goes on along it, and says so when it is told of another.
    let other = try run(
      it,
      [
        "train", "--model", "e.onnx", "--data", "both", "--loss", "cross-entropy", "--class-axis",
        "1",
      ] + Self.fit)
    #expect(
      notes(other).contains(
        "the classes of predictions [N, 3, 3] are along axis 1, as requested, not along axis 2 "
          + "as the model was trained; --class-axis 2 selects that one"), "\(other.error)")
  }

  @Test(arguments: ["whole", "booleans"])
  func `whole one-hot targets are classes under cross-entropy, and yes or no under bce`(
    data: String
  ) throws {
    let it = try CommandCase("soft-targets")
    let note =
      "the targets of \(data) (train), integers of shape [3], are one-hot: they are used as "
      + "probabilities of classes; the loss bce treats each as a separate binary label"
    for loss in [[], ["--loss", "cross-entropy"], ["--loss", "bce"]] {
      let trained = try run(it, ["train", "--model", "mlp", "--data", data] + loss + Self.fit)
      #expect(trained.status == 0, "\(trained.error)")
      #expect(try trained.objects().last?["accuracy"] as? Double == 1)
      #expect(notes(trained).contains(note) == (loss.last != "bce"), "\(trained.error)")
    }
  }

  @Test func `labels of yes and no train a built-in network of one output`() throws {
    let it = try CommandCase("swallowed-numbers")
    let inputs = (0..<60).map { Float($0 * 7 % 20) / 20 - 0.5 }
    let labels = (0..<20).map { inputs[3 * $0] > 0 }
    for targets in [
      Tensor(labels.map { Int64($0 ? 1 : 0) }), Tensor(labels.map { Int8($0 ? 1 : 0) }),
      Tensor(labels), Tensor(labels, shape: [20, 1]),
    ] {
      for part in ["train", "valid"] {
        try it.folder.write(Tensor(inputs, shape: [20, 3]).npyBytes(), to: "\(part)-x.npy")
        try it.folder.write(targets.npyBytes(), to: "\(part)-y.npy")
      }
      let trained = try run(
        it,
        ["train", "--model", "mlp", "--data", ".", "--loss", "bce", "--export", "o.onnx"] + Self.fit
      )
      #expect(trained.status == 0, "\(trained.error)")
      #expect(try trained.objects().last?["accuracy"] as? Double == 1)
      let described = try run(it, ["inspect", "o.onnx"])
      #expect(described.output.contains(", 1]"), "\(described.output)")
    }
  }

  static let whole: [Tensor] = [
    Tensor((0..<24).map { Int8($0 % 5 - 2) }, shape: [8, 3]),
    Tensor((0..<24).map { Int16($0 % 5 - 2) }, shape: [8, 3]),
    Tensor((0..<24).map { Int32($0 % 5 - 2) }, shape: [8, 3]),
    Tensor((0..<24).map { Int64($0 % 5 - 2) }, shape: [8, 3]),
    Tensor((0..<24).map { $0 % 5 > 2 }, shape: [8, 3]),
  ]

  @Test(arguments: whole)
  func `whole numbers and booleans train as the same floats do`(tensor: Tensor) throws {
    let it = try CommandCase("swallowed-numbers")
    let labels = Tensor((0..<8).map { Int64($0 % 2) })
    let losses = try [tensor, Tensor(tensor.doubles.map(Float.init), shape: tensor.shape)].map {
      inputs in
      for part in ["train", "valid"] {
        try it.folder.write(inputs.npyBytes(), to: "\(part)-x.npy")
        try it.folder.write(labels.npyBytes(), to: "\(part)-y.npy")
      }
      let trained = try run(it, ["train", "--model", "clip.onnx", "--data", "."] + Self.fit)
      #expect(trained.status == 0, "\(trained.error)")
      #expect(
        notes(trained).contains { $0.contains("holds integers, which are used as they are") }
          == (inputs.elementType != .float32), "\(trained.error)")
      return try #require(try trained.objects().last?["valid_loss"] as? Double)
    }
    #expect(losses[0] == losses[1])
  }

  @Test func `a whole number that no float32 is equal to is refused by its example`() throws {
    let it = try CommandCase("swallowed-numbers")
    var numbers = [Int64](repeating: 1, count: 24)
    numbers[16] = 16_777_217
    try it.folder.write(Tensor(numbers, shape: [8, 3]).npyBytes(), to: "train-x.npy")
    try it.folder.write(Tensor((0..<8).map { Int64($0 % 2) }).npyBytes(), to: "train-y.npy")
    let trained = try run(it, ["train", "--model", "clip.onnx", "--data", "."] + Self.fit)
    #expect(trained.status == 65)
    #expect(
      trained.error.hasSuffix(
        "Error: input \"x\" of .: 16777217 in example 5 (from 0) can't be represented exactly in float32, which the "
          + "model takes; give numbers that float32 can represent\n"), "\(trained.error)")
  }

  @Test func `ids below 0 are refused in training and noted elsewhere`() throws {
    let it = try CommandCase("table-of-six")
    let found =
      "the input \"x\" holds an index below 0, -1, in 14 of 16 examples of padded, first in example 2 (from 0)"
    let trained = try run(it, ["train", "--model", "mean.onnx", "--data", "padded"] + Self.fit)
    #expect(trained.status == 65)
    #expect(
      trained.error.hasSuffix(
        "Error: \(found); number them from 0 to 5, with a separate number for padding\n"),
      "\(trained.error)")
    let counted = ", which ONNX counts from the end: -1 means 5"
    let measured = try run(
      it, ["evaluate", "--model", "mean.onnx", "--data", "padded", "--no-shuffle"])
    #expect(measured.status == 0, "\(measured.error)")
    #expect(notes(measured) == [found + counted])
    let predicted = try run(
      it, ["predict", "--model", "mean.onnx", "--input", "padded/train-x.npy", "--output", "p.npy"])
    #expect(predicted.status == 0, "\(predicted.error)")
    #expect(
      notes(predicted) == [
        found.replacing("\"x\"", with: "\"ids\"").replacing(
          "of padded", with: "of padded/train-x.npy")
          + counted
      ])
  }

  @Test(arguments: ["train", "evaluate", "predict"])
  func `ids that are in no table are named by their example`(command: String) throws {
    let it = try CommandCase("table-of-six")
    let data = ["--model", "mean.onnx", "--data", "beyond"]
    let result =
      switch command {
      case "train": try run(it, ["train"] + data + Self.fit)
      case "evaluate": try run(it, ["evaluate", "--no-shuffle"] + data)
      default:
        try run(
          it,
          ["predict", "--model", "mean.onnx", "--input", "beyond/train-x.npy", "--output", "p.npy"])
      }
    #expect(result.status == 65)
    let (input, name) = command == "predict" ? ("ids", "beyond/train-x.npy") : ("x", "beyond")
    #expect(
      result.error.hasSuffix(
        "Error: the input \"\(input)\" holds an index outside -6 to 5, 6, in example 4 (from 0) of \(name); give "
          + "data made for this model's table\n"), "\(result.error)")
  }

  static let images: [(shape: Shape, note: String?)] = [
    (
      [8, 12, 6],
      "images of shape [8, 12, 6] are read as 8 channels of 12 × 6; if the channels are last, "
        + "store them first"
    ),
    (
      [8, 12, 2],
      "images of shape [8, 12, 2] are read as 8 channels of 12 × 2; if the channels are last, "
        + "store them first"
    ),
    // Fewer channels than rows and columns, as usual.
    ([6, 8, 12], nil), ([2, 8, 12], nil),
    (
      [8, 12, 3],
      "the images are [8, 12, 3], rows, columns and channels: they are transposed to [3, 8, 12], channels first, "
        + "which the model takes"
    ),
  ]

  @Test(arguments: images)
  func `rows are never taken for channels without a word`(
    row: (shape: Shape, note: String?)
  ) throws {
    let it = try CommandCase("swallowed-numbers")
    let size = row.shape.elementCount
    try it.folder.write(
      Tensor((0..<10 * size).map { Float($0 % 13) / 13 }, shape: Shape([10] + row.shape))
        .npyBytes(),
      to: "train-x.npy")
    try it.folder.write(Tensor((0..<10).map { Int64($0 % 2) }).npyBytes(), to: "train-y.npy")
    let trained = try run(
      it, ["train", "--model", "small-cnn", "--data", ".", "--epochs", "1", "--max-lr", "0.01"])
    #expect(trained.status == 0, "\(trained.error)")
    #expect(notes(trained).filter { $0.contains("images") } == [row.note].compactMap(\.self))
  }

  @Test func `evaluate says which part it measures, and measures all when asked`() throws {
    let it = try CommandCase("swallowed-numbers")
    let trained = try run(
      it,
      [
        "train", "--model", "clip.onnx", "--data", "infinite", "--no-shuffle", "--export", "o.onnx",
      ] + Self.fit)
    #expect(trained.status == 0, "\(trained.error)")
    let wanted = try #require(try trained.objects().last?["valid_loss"] as? Double)
    let evaluate = ["evaluate", "--model", "o.onnx", "--data", "infinite", "--json"]
    let fifth = try run(it, evaluate)
    #expect(
      notes(fifth).contains(
        "3 of the 16 examples of infinite were evaluated, the part that training holds out; "
          + "--no-shuffle evaluates all, like training with --no-shuffle, which holds out none"),
      "\(fifth.error)")
    let all = try run(it, evaluate + ["--no-shuffle"])
    #expect(!notes(all).contains { $0.contains("were evaluated") })
    let loss = try #require(try all.objects().last?["valid_loss"] as? Double)
    #expect(abs(loss - wanted) < 1e-6)
  }

  @Test func `an export of a network with untied arrays takes the checkpoint of the run`() throws {
    let it = try CommandCase("untied")
    let trained = try run(
      it,
      [
        "train", "--model", "merged.onnx", "--data", ".", "--export", "o.onnx", "--checkpoint-dir",
        "kept",
      ] + Self.fit)
    #expect(trained.status == 0, "\(trained.error)")
    #expect(trained.error.contains("\"scale.untied2\""), "\(trained.error)")
    let wanted = try #require(try trained.objects().last?["valid_loss"] as? Double)
    let checkpoint = try #require(
      try FileManager.default.contentsOfDirectory(atPath: it.folder["kept"].path)
        .filter { $0.hasSuffix(".safetensors") }.max())
    for architecture in ["merged.onnx", "o.onnx"] {
      let measured = try run(
        it,
        [
          "evaluate", "--model", "kept/\(checkpoint)", "--architecture", architecture, "--data",
          ".",
          "--json",
        ])
      #expect(measured.status == 0, "\(architecture): \(measured.error)")
      let loss = try #require(try measured.objects().last?["valid_loss"] as? Double)
      #expect(abs(loss - wanted) < 1e-6, "\(architecture)")
    }
  }

  @Test func `weights of other arrays are not answered with an option that evaluate lacks`() throws
  {
    let it = try CommandCase("table-of-six")
    let other = try TensorFileOfWeights.write(to: it.folder)
    for command in [
      ["evaluate", "--data", "padded"],
      ["predict", "--input", "padded/train-x.npy", "--output", "p.npy"],
    ] {
      let result = try run(
        it, command + ["--model", other, "--architecture", "mean.onnx"])
      #expect(result.status == 65, "\(result.error)")
      #expect(!result.error.contains("--partial"), "\(result.error)")
      #expect(result.error.contains("--architecture"), "\(result.error)")
    }
  }
}

/// A safetensors file that no network here has the arrays of.
private enum TensorFileOfWeights {
  static func write(to folder: TemporaryFolder) throws -> String {
    let header = Array(#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8)
    var bytes = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    bytes += header + [0, 0, 0, 0]
    try folder.write(bytes, to: "other.safetensors")
    return "other.safetensors"
  }
}
