import CrestData
import CrestImages
import CrestLayers
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

/// A folder of images, by path in it and name of the fixture.
struct PhotoFolder {
  let folder: TemporaryFolder
  var path: String { folder.path }

  init(_ files: [(path: String, image: String?)]) throws {
    folder = try TemporaryFolder()
    for (path, image) in files {
      let url = folder[path]
      guard let image else {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        continue
      }
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(PillowFile.bytes(image)).write(to: url)
    }
  }

  /// Two classes of several images each.
  static func usual() throws -> PhotoFolder {
    try PhotoFolder(
      ["rgb.png", "rgb.jpg", "halved.jpg", "orientation-6.jpg", "wide.jpg", "palette.png"]
        .enumerated()
        .flatMap { number, image in
          [
            ("cat/\(number)." + image.suffix(3), image),
            ("dog/deep/\(number)." + image.suffix(3), number % 2 == 0 ? "l.jpg" : "cmyk.jpg"),
          ]
        })
  }
}

@Suite struct `A folder of photographs` {
  @Test func `gives the classes that its folders name, and holds a fifth of each out`() throws {
    let photos = try PhotoFolder.usual()
    #expect(ImageFolder.isRecognised(photos.path))
    let split = try ImageFolder(photos.path, height: 8, width: 8).split()
    #expect(split.train.target.classNames == ["cat", "dog"])
    #expect(split.train.count == 10 && split.valid.count == 2)
    #expect(split.valid.labels == [0, 1])
    #expect(split.train.inputs.map(\.shape) == [[3, 8, 8]])
    #expect(
      split.notes.map { "\($0)" } == [
        "12 images of 2 classes (cat, dog), [9, 8] to [23, 29] rows and columns, become 3 × 8 × 8, crop, bilinear"
      ])
  }

  @Test func `gives the bytes of its files, normalised by their own mean and deviation`() throws {
    let photos = try PhotoFolder([("a/1.png", "rgb.png"), ("b/1.png", "rgba.png")])
    let split = try ImageFolder(photos.path).split(divides: false)
    let shown = try split.prepared(
      by: Preprocessing(layout: .channelsFirst, divisor: 1, mean: [], standardDeviation: []))
    let loader = try DataLoader(shown.train, batchSize: 2, shuffle: false, prefetch: 0)
    let batch = try #require(try loader.batches(epoch: 0).next())
    var expected: [Float] = []
    for name in ["rgb.png", "rgba.png"] {
      let pixels = try PillowFile.pixels(PillowFile.bytes(name), channels: 3, path: name)
      for channel in 0..<3 {
        for place in stride(from: channel, to: pixels.bytes.count, by: 3) {
          expected.append(Float(pixels.bytes[place]))
        }
      }
    }
    #expect(batch.inputs[0].array(as: Float.self) == expected)
    #expect(batch.targets.array(as: Int64.self) == [0, 1])
    let size = expected.count / 6
    for channel in 0..<3 {
      var values: [Double] = []
      for image in 0..<2 {
        let start = (image * 3 + channel) * size
        values += expected[start..<start + size].map { Double($0) / 255 }
      }
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0.0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      let own = split.train.preprocessing
      #expect(abs(own.mean[channel] - mean) < 1e-12)
      #expect(abs(own.standardDeviation[channel] - variance.squareRoot()) < 1e-12)
    }
  }

  @Test func `takes the parts that its folders name`() throws {
    let photos = try PhotoFolder([
      ("train/cat/1.png", "rgb.png"), ("train/dog/1.png", "l.png"), ("val/dog/2.png", "l.png"),
      ("test/dog/3.png", "l.png"), ("more/dog/3.png", "l.png"), ("train/cat/notes.txt", "l.png"),
      ("train/.hidden/1.png", "l.png"), ("train/dog/._1.png", "l.png"),
    ])
    let split = try ImageFolder(photos.path).split()
    #expect(split.train.count == 2 && split.valid.count == 1 && split.valid.labels == [1])
    #expect(split.valid.preprocessing == split.train.preprocessing)
    #expect(
      split.notes.dropFirst().map { "\($0)" } == [
        "\(photos.path)/test is not used in training",
        "in \(photos.path) are left out: 1 × .txt", "\(photos.path)/more is not used in training",
      ])
  }

  @Test func `orders classes and files by their scalars, and takes two cases as two classes`()
    throws
  {
    let photos = try PhotoFolder([
      ("b/1.png", "l.png"), ("B/1.png", "l.png"), ("10/1.png", "l.png"), ("2/1.png", "l.png"),
      ("ä/1.png", "l.png"), ("a\nb/1.png", "l.png"),
    ])
    let split = try ImageFolder(photos.path).split(divides: false)
    #expect(split.train.target.classNames == ["10", "2", "B", "a\nb", "b", "ä"])
    #expect(split.train.inputs.map(\.shape) == [[1, 9, 13]])
    #expect(split.notes.contains(.classesInTwoCases(["B", "b"])))
  }

  @Test func `turns to channels last for a model that takes them so`() throws {
    let photos = try PhotoFolder.usual()
    let first = try ImageFolder(photos.path, height: 5, width: 6).split(divides: false)
    let last = try first.rearranged(to: [5, 6, 3])
    func values(_ split: DataSplit) throws -> [Float] {
      try #require(
        try DataLoader(split.train, batchSize: 12, shuffle: false, prefetch: 0).batches(epoch: 0)
          .next()
      ).inputs[0].array(as: Float.self)
    }
    let (before, after) = (try values(first), try values(last))
    for image in 0..<12 {
      for place in 0..<30 {
        for channel in 0..<3 {
          #expect(
            after[(image * 30 + place) * 3 + channel] == before[(image * 3 + channel) * 30 + place])
        }
      }
    }
  }

  @Test func `trains, and resumes in any batch with the same bits`() throws {
    let photos = try PhotoFolder.usual()
    func learner() throws -> Learner {
      let data = try ImageFolder(photos.path, height: 12, width: 12).split()
      let learner = try Learner(
        BuiltInModel.make("resnet18", input: [3, 12, 12], classes: 2), data: data, batchSize: 4,
        seed: 3,
        transforms: [
          RandomErasing(), HorizontalFlip(), TrivialAugment(), RandomRotation(),
          RandomBlur(size: 3),
          RandomBrightness(), RandomResizedCrop(),
        ], mixing: [.mixUp(), .cutMix()])
      learner.now = { .zero }
      return learner
    }
    let (states, end) = try learner().fitSavingStates(epochs: 2)
    for (place, state) in states.enumerated() where place.isMultiple(of: 2) {
      let got = try learner().fitResuming(from: state, path: "state", epochs: 2)
      #expect(got == end, "from state \(place)")
    }
  }

  @Test func `cuts parts out of images as they were decoded, and resizes them once`() throws {
    let photos = try PhotoFolder.usual()
    let data = try ImageFolder(photos.path, height: 6, width: 7, filter: .bicubic).split()
    let crop = RandomResizedCrop(scale: 0.1...0.6)
    let loader = try DataLoader(
      data.train, batchSize: data.train.count, seed: 5, shuffle: false,
      transforms: [HorizontalFlip(alternating: true), crop], prefetch: 0)
    let batch = try #require(try loader.batches(epoch: 3).next())
    let plain = try #require(
      try DataLoader(
        data.train, batchSize: data.train.count, seed: 5, shuffle: false,
        transforms: [HorizontalFlip(alternating: true)], prefetch: 0
      ).batches(epoch: 3).next())
    #expect(batch.targets == plain.targets && batch.inputs[0] != plain.inputs[0])
    let images = try #require(data.train.preprocessing.images)
    let generator = Philox(seed: 5, stream: Philox.Stream.augmentation, step: 3)
    let whole = try ImageReader.files(in: [photos.path])
    let chosen = try #require(data.train as? Subset).indices
    let values = batch.inputs[0].array(as: Float.self)
    for (row, example) in chosen.enumerated() {
      let bytes = [UInt8](try Data(contentsOf: URL(filePath: whole[example])))
      let pixels = try PillowFile.pixels(bytes, channels: 3, path: whole[example])
      let part = crop.part(
        height: pixels.height, width: pixels.width,
        ExampleRandom(generator: generator, example: row, position: 1))
      let resized = pixels.resized(part, to: images)
      let flip = HorizontalFlip(alternating: true)
      var expected = (0..<126).map { place in
        data.train.preprocessing.value(
          Double(resized[place % 42 * 3 + place / 42]), channel: place / 42)
      }
      var scratch = expected
      expected.withUnsafeMutableBufferPointer { expected in
        scratch.withUnsafeMutableBufferPointer { scratch in
          flip.apply(
            to: expected, shape: [3, 6, 7], scratch: scratch,
            random: ExampleRandom(generator: generator, example: row, position: 0))
        }
      }
      #expect(expected == Array(values[row * 126..<(row + 1) * 126]), "row \(row), seed 5")
    }
  }

  @Test func `is normalised by its training images alone, and says what nobody can learn`() throws {
    let photos = try PhotoFolder([
      ("a/1.png", "l.png"), ("a/2.png", "one-bit.png"), ("b/1.png", "la.png"), ("c.png", "l.png"),
    ])
    let split = try ImageFolder(photos.path, height: 9, width: 13).split()
    let chosen = try #require(split.train as? Subset).indices
    #expect(split.valid.count == 1 && chosen.count == 2)
    var mean = 0.0
    for place in chosen {
      let file = ["l.png", "one-bit.png", "la.png"][place]
      let bytes = try PillowFile.pixels(PillowFile.bytes(file), channels: 1, path: file).bytes
      mean += bytes.reduce(0) { $0 + Double($1) } / 255 / Double(bytes.count * chosen.count)
    }
    #expect(abs(split.train.preprocessing.mean[0] - mean) < 1e-12)
    #expect(split.valid.preprocessing == split.train.preprocessing)
    let notes = split.notes.map { "\($0)" }
    #expect(
      notes.contains("in \(photos.path) are left out: 1 × images outside of a class's folder"))
    let untrained = split.valid.labels == [1]
    #expect(
      notes.contains(
        "the class b can't be learned: validation has the only example; add more") == untrained)
  }

  @Test func `gives bytes to a model that takes them`() throws {
    let photos = try PhotoFolder([("a/1.png", "rgb.png"), ("b/1.png", "rgba.png")])
    let split = try ImageFolder(photos.path).split(divides: false).converted(to: [.uint8])
    let batch = try #require(
      try DataLoader(split.train, batchSize: 2, shuffle: false, prefetch: 0).batches(epoch: 0)
        .next())
    let pixels = try PillowFile.pixels(
      PillowFile.bytes("rgb.png"), channels: 3, path: "rgb.png")
    let first = batch.inputs[0].array(as: UInt8.self).prefix(13 * 9)
    #expect(Array(first) == stride(from: 0, to: pixels.bytes.count, by: 3).map { pixels.bytes[$0] })
  }

  private static let refusals: [(files: [(path: String, image: String?)], message: String)] = [
    (
      [("1.png", "l.png")],
      "/P holds no folder for a class, as in /P/cat/1.jpg and /P/dog/1.jpg; found 1 file, as 1.png"
    ),
    (
      [],
      "/P holds no folder for a class, as in /P/cat/1.jpg and /P/dog/1.jpg; found an empty folder"
    ),
    (
      [("cat/1.png", "l.png"), ("dog/1.png", "l.png"), ("Val/dog/1.png", "l.png")],
      "/P holds a folder Val, which is no class, but none called train; put the training images in /P/train, and those "
        + "of validation in /P/valid"
    ),
    (
      [("cat/1.png", "l.png")],
      "/P holds a single class, \"cat\"; at least two are needed to tell them apart"
    ),
    (
      [("cat/1.png", "l.png"), ("dog", nil)],
      "the class \"dog\" of /P has no PNG or JPEG image; add some, or remove its folder"
    ),
    (
      [("cat/1.png", "l.png"), ("dog/1.tif", "l.png"), ("dog/2.tif", "l.png")],
      "the class \"dog\" of /P has no PNG or JPEG image, only 2 × .tif; add some, or remove its folder"
    ),
    (
      [("train/a/1.png", "l.png"), ("train/b/1.png", "l.png"), ("val/c/1.png", "l.png")],
      "/P/val holds the class \"c\", which the training part doesn't have: a, b; add training images of it, or remove "
        + "its folder"
    ),
  ]

  @Test(arguments: refusals)
  func `without classes to tell apart is refused`(
    _ files: [(path: String, image: String?)], _ message: String
  ) throws {
    let photos = try PhotoFolder(files)
    let error = #expect(throws: ImageError.self) { try ImageFolder(photos.path).split() }
    #expect(error?.description.replacing(photos.path, with: "/P") == message)
  }

  @Test func `names all files that can't be used`() throws {
    let photos = try PhotoFolder([("a/1.png", "l.png"), ("b/1.png", "l.png")])
    try Data("GIF89a".utf8).write(to: photos.folder["a/2.png"])
    try Data().write(to: photos.folder["b/2.jpg"])
    let error = #expect(throws: ImageError.self) { try ImageFolder(photos.path).split() }
    #expect(
      error?.description.replacing(photos.path, with: "/P")
        == "/P has 2 files that can't be used: (1) /P/a/2.png is a GIF image, expected a PNG or JPEG image; convert it, "
        + "or take it out of the folder; (2) /P/b/2.jpg is empty, expected a PNG or JPEG image; convert it, or take it "
        + "out of the folder")
  }

  @Test func `that leads back to itself is refused, and other links are followed`() throws {
    let photos = try PhotoFolder([("a/1.png", "l.png"), ("b/1.png", "l.png")])
    let files = FileManager.default
    try files.createSymbolicLink(
      at: photos.folder["a/b"], withDestinationURL: photos.folder["b"])
    #expect(try ImageFolder(photos.path).split(divides: false).train.count == 3)
    try files.createSymbolicLink(
      at: photos.folder["b/up"], withDestinationURL: photos.folder["b"])
    let error = #expect(throws: ImageError.self) { try ImageFolder(photos.path).split() }
    #expect(
      error?.description.replacing(photos.path, with: "/P")
        == "/P/a/b/up leads back to a folder that it is in; remove that link")
  }

  @Test func `whose files go while it is read says so`() throws {
    let photos = try PhotoFolder([("a/1.png", "l.png"), ("b/1.png", "l.png")])
    let split = try ImageFolder(photos.path).split(divides: false)
    try FileManager.default.removeItem(at: photos.folder["b/1.png"])
    let loader = try DataLoader(split.train, batchSize: 2, shuffle: false)
    let error = #expect(throws: ImageError.self) { try loader.batches(epoch: 0).next() }
    #expect(
      error?.description.replacing(photos.path, with: "/P")
        == "/P/b/1.png can't be read: No such file or directory")
  }
}
