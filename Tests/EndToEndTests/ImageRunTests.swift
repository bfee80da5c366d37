import Foundation
import ProcessSupport
import Testing

/// Photographs in folders, by the command.
@Suite struct `Photographs` {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()

  /// A folder `photos` of two classes in another.
  private static func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let images = ["rgb.png", "rgb.jpg", "halved.jpg", "wide.jpg", "palette.png", "rgba.png"]
    for (name, files) in [
      ("cat", images), ("dog", ["l.png", "l.jpg", "la.png", "one-bit.png", "cmyk.jpg"]),
    ] {
      let place = folder["photos/\(name)"]
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      for (number, file) in files.enumerated() {
        try FileManager.default.copyItem(
          at: fixtures.appending(path: "Fixtures/images/\(file)"),
          to: place.appending(path: "\(number).\(file.suffix(3))"))
      }
    }
    return folder
  }

  @Test func `are trained on and answered as the documentation shows`() throws {
    let folder = try Self.folder()
    let page = try String(
      contentsOf: Self.fixtures.deletingLastPathComponent().appending(path: "docs/images.md"),
      encoding: .utf8)
    let commands = page.split(separator: "\n").filter { $0.hasPrefix("$ crest ") }
      .map { $0.dropFirst("$ crest ".count).split(separator: " ").map(String.init) }
    #expect(commands.count == 6)
    for command in commands {
      let result = try CrestProcess.run(
        command + (command[0] == "train" ? ["--image-size", "32"] : []), in: folder)
      #expect(result.status == 0, "\(command): \(result.error)")
      if command[0] == "train" {
        #expect(result.error.contains("chosen for photographs: --model resnet18 --max-lr 0.05 "))
        #expect(
          result.error.contains("every epoch shows the same images") == !command.contains(
            "--augment"))
      }
    }
    let answers = try String(contentsOf: folder["answers.csv"], encoding: .utf8)
    let lines = answers.split(separator: "\n").map(String.init)
    #expect(lines.count == 12 && lines[0] == "file,class,cat,dog")
    #expect(lines[1].hasPrefix("photos/cat/0.png,"))
    for line in lines.dropFirst() {
      let cells = line.split(separator: ",").map(String.init)
      let (cat, dog) = (try #require(Double(cells[2])), try #require(Double(cells[3])))
      #expect(abs(cat + dog - 1) < 1e-9 && cells[1] == (cat >= dog ? "cat" : "dog"))
    }
  }

  @Test func `have classes by a table, and a part that is measured at the end`() throws {
    let folder = try Self.folder()
    let files = ["cat/0.png", "cat/1.jpg", "cat/2.jpg", "dog/0.png", "dog/1.jpg", "dog/2.png"]
    let rows = files.enumerated().map { number, file in
      "\(file),\(number < 3 ? "yes" : "no"),\(["train", "val", "test"][number % 3])"
    }
    try folder.write("name,animal,part\n" + rows.joined(separator: "\n"), to: "labels.csv")
    let options = [
      "--data", "photos", "--labels", "labels.csv", "--label-columns", "name,animal,part",
    ]
    let train = try CrestProcess.run(
      ["train", "--model", "small-cnn", "--epochs", "1", "--max-lr", "0.01", "--image-size", "16"]
        + options + ["--test", "--export", "m.onnx"], in: folder)
    #expect(train.status == 0, "\(train.error)")
    #expect(train.output.contains(" on 2 examples for testing\n"), "\(train.output)")
    #expect(train.error.contains("6 images of 2 classes (no, yes)"), "\(train.error)")
    let json = try CrestProcess.run(
      ["evaluate", "--model", "m.onnx", "--json", "--test"] + options, in: folder)
    #expect(json.output.contains(#""test_loss":"#), "\(json.output) \(json.error)")
    let pattern = try CrestProcess.run(
      ["data", "info", "photos/cat", "--label-pattern", "^([0-2])"], in: folder)
    #expect(
      pattern.error.contains("3 of 6 names don't match it, as 3.jpg"), "\(pattern.error)")
    #expect(pattern.status == 65)
  }

  static let refused: [(options: String, message: String)] = [
    (
      "--data digits --labels labels.csv",
      "--labels: it has no effect without a folder of photographs; omit it, as digits isn't one"
    ),
    (
      "--data digits --test",
      "--test: it has no effect without a folder of photographs; omit it, as digits isn't one"
    ),
    (
      "--data photos --labels a.csv --label-pattern x",
      "--labels: the class of an image is given by --label-pattern, too; leave one of them out"
    ),
    (
      "--data photos --label-suffix .jpg",
      "--label-suffix: it has no effect without --labels; name the table, or omit it"
    ),
    (
      "--data digits --valid-fraction 1",
      "--valid-fraction: expected a number between 0 and 1, got 1.0"
    ),
    (
      "--data digits --valid-fraction 0.5 --no-shuffle",
      "--valid-fraction holds examples out, and --no-shuffle none; omit one of them"
    ),
    (
      "--data photos --labels a.csv --label-columns a",
      "The value 'a' is invalid for '--label-columns <file,label[,part]>'"
    ),
    ("--data photos --test", "photos has no images for testing; put them in photos/test"),
  ]

  @Test(arguments: refused.indices) func `are refused with options that don't fit`(row: Int) throws
  {
    let (options, message) = Self.refused[row]
    let folder = try Self.folder()
    let result = try CrestProcess.run(
      ["train", "--model", "small-cnn", "--epochs", "1", "--max-lr", "0.01"]
        + options.split(separator: " ").map(String.init), in: folder)
    #expect(result.status != 0 && result.error.contains(message), "\(result.error)")
  }

  @Test func `are learned by a network for other classes`() throws {
    let folder = try Self.folder()
    let made = try CrestProcess.run(
      [
        "train", "--model", "small-cnn", "--data", "digits", "--epochs", "1", "--max-lr", "0.05",
        "--export", "theirs.onnx",
      ], in: folder)
    #expect(made.status == 0, "\(made.error)")
    let options = ["fine-tune", "--model", "theirs.onnx", "--data", "photos"]
    let tuned = try CrestProcess.run(
      options + ["--epochs", "3", "--export", "ours.onnx", "--log-steps", "steps.csv"], in: folder)
    #expect(tuned.status == 0, "\(tuned.error)")
    #expect(
      tuned.error.contains("chosen for photographs: --max-lr 0.002; give others"), "\(tuned.error)")
    let answers = try CrestProcess.run(
      ["predict", "--model", "ours.onnx", "photos/dog/0.png", "--json"], in: folder)
    #expect(answers.output.contains(#""cat":"#) && answers.output.contains(#""dog":"#))
    for (more, message) in [
      (
        ["--epochs", "1"],
        "--frozen-epochs: expected at least 1 and fewer than the 1 epochs in all, got 1"
      ),
      (
        ["--epochs", "2", "--schedule", "cosine"], "--schedule: fine-tune has a schedule of its own"
      ),
      (["--epochs", "2", "--max-lr", "auto"], "--max-lr: fine-tune takes one number"),
    ] {
      let refused = try CrestProcess.run(options + more, in: folder)
      #expect(refused.status != 0 && refused.error.contains(message), "\(refused.error)")
    }
    let builtIn = try CrestProcess.run(
      ["fine-tune", "--data", "photos", "--epochs", "2"], in: folder)
    #expect(
      builtIn.error.contains(
        "fine-tune: it gives an ONNX file a new last layer, got --model resnet18"),
      "\(builtIn.error)")
  }

  @Test func `are held out by another fraction`() throws {
    let result = try CrestProcess.run([
      "evaluate", "--model", "mlp", "--data", "digits", "--valid-fraction", "0.1",
    ])
    #expect(
      result.output.contains(" on 179 examples of digits (validation), untrained"), "\(result)")
  }

  /// Each with its settings as they are unless told otherwise, but for sizes that these images can have.
  private static let augmentations = [
    "random-resized-crop:min-scale=0.3,max-scale=0.9,ratio=2", "trivial-augment",
    "rand-augment:count=3,magnitude=12", "flip", "dihedral", "rotate:degrees=30,probability=1",
    "zoom:min=0.8,max=1.4", "translate:fraction=0.2", "shear:degrees=20", "warp:magnitude=0.3",
    "brightness:change=0.4,formula=logit", "contrast", "saturation:probability=1", "hue:change=0.2",
    "greyscale", "blur:size=3,deviation=1", "crop:padding=2,border=zero", "cutout:size=4",
    "erase:probability=1,min-scale=0.1,max-scale=0.2,ratio=2", "mixup:alpha=0.2", "cutmix",
  ]

  @Test func `are trained on with every augmentation, and resumed with the bits of a whole run`()
    throws
  {
    let folder = try Self.folder()
    let usual = [
      "train", "--data", "photos", "--model", "small-cnn", "--max-lr", "0.01", "--image-size", "16",
      "--batch-size", "4", "--augment", Self.augmentations.joined(separator: ","),
    ]
    func run(_ arguments: String...) throws -> ProcessResult {
      let result = try CrestProcess.run(usual + arguments, in: folder)
      #expect(result.status == 0, "\(result.error)")
      return result
    }
    _ = try run("--epochs", "3", "--export", "whole.onnx")
    let killed = try CrestProcess.start(
      usual + [
        "--epochs", "3", "--checkpoint-dir", "run", "--checkpoint-every", "1steps", "--log-steps",
        "steps.csv",
      ], in: folder)
    while killed.isRunning, (try? folder.lines(of: "steps.csv").count) ?? 0 < 5 { usleep(1_000) }
    killed.send(SIGKILL)
    _ = try killed.finish()
    _ = try run(
      "--epochs", "3", "--checkpoint-dir", "run", "--resume", "--log-steps", "steps.csv",
      "--export",
      "resumed.onnx")
    let help = try CrestProcess.run(["train", "--help"]).output
    for name in Self.augmentations.map({ $0.prefix { $0 != ":" } }) {
      #expect(help.contains(name))
    }
    let files = try ["whole.onnx", "resumed.onnx"].map { try Data(contentsOf: folder[$0]) }
    #expect(files[0] == files[1])
  }

  @Test func `are predicted alike by a file, a checkpoint and arrays`() throws {
    let folder = try Self.folder()
    let trained = try CrestProcess.run(
      [
        "train", "--data", "photos", "--model", "small-cnn", "--epochs", "2", "--max-lr", "0.01",
        "--image-size", "24x20", "--image-fit", "pad", "--export", "m.onnx", "--callback",
        "model-checkpoint:folder=saved,keep-last=1",
      ], in: folder)
    #expect(trained.status == 0, "\(trained.error)")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder["saved"].path)
    // The best one may be another.
    let saved = try #require(names.filter { $0.hasSuffix(".safetensors") }.max())
    func predict(_ model: String, _ more: String...) throws -> String {
      let result = try CrestProcess.run(["predict", "--model", model, "photos"] + more, in: folder)
      #expect(result.status == 0, "\(result.error)")
      return result.output
    }
    let output = try predict("m.onnx")
    #expect(output.split(separator: "\n").count == 11)
    #expect(output.hasPrefix("photos/cat/0.png  "))
    #expect(try predict("saved/\(saved)") == output)
    #expect(
      try predict("m.onnx", "--json").contains(#"{"event":"prediction","file":"photos/cat/0.png""#))
  }

  @Test func `are brought to the size and fit that are asked for, also for a trained network`()
    throws
  {
    let folder = try Self.folder()
    func run(_ arguments: String...) throws -> ProcessResult {
      let result = try CrestProcess.run(arguments, in: folder)
      #expect(result.status == 0, "\(arguments): \(result.error)")
      return result
    }
    _ = try run(
      "train", "--data", "photos", "--model", "small-cnn", "--epochs", "1", "--max-lr", "0.01",
      "--image-size", "12x20", "--export", "m.onnx")
    func loss(_ options: String...) throws -> Substring {
      let result = try CrestProcess.run(
        ["evaluate", "--model", "m.onnx", "--data", "photos", "--json"] + options, in: folder)
      return try #require(result.output.firstMatch(of: #/"valid_loss":([0-9.e-]+)/#)).1
    }
    let losses = try ["crop", "pad", "squish"].map { try loss("--image-fit", $0) }
    #expect(Set(losses).count == 3, "\(losses)")
    #expect(try loss() == losses[0])
  }

  private static let refusals: [(arguments: [String], status: Int32, message: String)] = [
    (
      ["predict", "--model", "m.onnx", "nothing.jpg"], 74,
      "nothing.jpg can't be read: there is no such file or folder"
    ),
    (
      ["predict", "--model", "m.onnx", "empty"], 65,
      "empty holds no PNG or JPEG image; name images, or a folder of them"
    ),
    (
      ["predict", "--model", "m.onnx"], 64,
      "Missing expected argument '<image|folder>', '--data <file.csv>' or '--input <[name=]file.npy>'"
    ),
    (
      ["predict", "--model", "m.onnx", "--input", "x.npy"], 64,
      "Missing expected argument '--output <file.npy>'"
    ),
    (
      ["predict", "--model", "m.onnx", "a.png", "--input", "x.npy"], 64,
      "Images and --input are given; predict for one of them at a time"
    ),
    (
      ["train", "--data", "digits"], 64,
      "Missing expected argument '--model <name|file.onnx|file.safetensors>'"
    ),
    (
      ["train", "--data", "digits", "--model", "mlp"], 64,
      "Missing expected argument '--epochs <n>'"
    ),
    (
      ["train", "--data", "digits", "--model", "mlp", "--epochs", "1"], 64,
      "Missing expected argument '--max-lr <x|auto|range-test|a:b|:b|x,x…>'"
    ),
    (
      [
        "train", "--data", "digits", "--model", "mlp", "--epochs", "1", "--max-lr", "1",
        "--image-size", "8",
      ], 64,
      "--image-size: it has no effect without a folder of photographs; omit it, as digits isn't one"
    ),
  ]

  @Test(arguments: refusals)
  func `that can't be used, and options that have no effect, are refused`(
    _ arguments: [String], _ status: Int32, _ message: String
  ) throws {
    let folder = try Self.folder()
    try FileManager.default.createDirectory(at: folder["empty"], withIntermediateDirectories: true)
    if arguments.contains("m.onnx") {
      try FileManager.default.copyItem(
        at: Self.fixtures.deletingLastPathComponent().appending(path: "models/lenet.onnx"),
        to: folder["m.onnx"])
    }
    let result = try CrestProcess.run(arguments, in: folder)
    #expect(result.status == status)
    #expect(result.error.contains("Error: \(message)\n"), "\(result.error)")
  }
}
