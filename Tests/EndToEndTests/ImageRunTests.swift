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
      "Missing expected argument '<image|folder>' or '--input <[name=]file.npy>'"
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
