import CrestData
import CrestImages
import CrestLayers
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport
import Testing

/// A PNG file of 8 bits a channel, without compression.
private func png(_ pixels: [UInt8], height: Int, width: Int, channels: Int) -> [UInt8] {
  func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xff) } }
  func sum(_ bytes: [UInt8]) -> [UInt8] {
    let crc = bytes.reduce(~UInt32(0)) { value, byte in
      (0..<8).reduce(value ^ UInt32(byte)) { value, _ in
        value >> 1 ^ (value & 1 == 0 ? 0 : 0xedb8_8320)
      }
    }
    return number(Int(~crc))
  }
  func chunk(_ kind: String, _ content: [UInt8]) -> [UInt8] {
    let named = Array(kind.utf8) + content
    return number(content.count) + named + sum(named)
  }
  let line = width * channels
  let rows = (0..<height).flatMap { [0] + pixels[$0 * line..<($0 + 1) * line] }
  var (a, b) = (1, 0)
  for byte in rows {
    a = (a + Int(byte)) % 65521
    b = (b + a) % 65521
  }
  let length = [UInt8(rows.count & 0xff), UInt8(rows.count >> 8)]
  let stored = [0x78, 0x01, 0x01] + length + length.map { ~$0 } + rows + number(b << 16 | a)
  return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    + chunk("IHDR", number(width) + number(height) + [8, channels == 3 ? 2 : 0, 0, 0, 0])
    + chunk("IDAT", stored) + chunk("IEND", [])
}

/// CIFAR-10's binary files, and the same images as PNG with a table in the order of the binary files.
@Suite struct `CIFAR-10 as images` {
  private static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  private static func records(_ count: Int, seed: UInt64) -> [(label: UInt8, planes: [UInt8])] {
    var generator = XorShift(seed: seed)
    return (0..<count).map { number in
      (UInt8(number % 10), (0..<3072).map { _ in UInt8.random(in: 0...255, using: &generator) })
    }
  }

  private static func write(to folder: TemporaryFolder) throws {
    var table = "file,label,part\n"
    for batch in 1...6 {
      let (name, part) = batch < 6 ? ("data_batch_\(batch)", "train") : ("test_batch", "valid")
      let records = records(batch < 6 ? 10 : 20, seed: UInt64(batch))
      try folder.write(records.flatMap { [$0.label] + $0.planes }, to: "binary/\(name).bin")
      for (number, record) in records.enumerated() {
        let pixels = (0..<1024).flatMap { place in
          (0..<3).map { record.planes[$0 * 1024 + place] }
        }
        // Names in another order than the table's.
        let file = "\(name)/\(97 - number).png"
        try folder.write(png(pixels, height: 32, width: 32, channels: 3), to: "images/\(file)")
        table += "\(file),\(classNames[Int(record.label)]),\(part)\n"
      }
    }
    try folder.write(
      Array((classNames.joined(separator: "\n") + "\n").utf8), to: "binary/batches.meta.txt")
    try folder.write(Array(table.utf8), to: "labels.csv")
  }

  /// The weights and results after two epochs.
  private static func trained(on data: DataSplit) throws -> (
    ParameterStore.Snapshot, FitResult.Pass?
  ) {
    let model = try BuiltInModel.make("small-cnn", input: [3, 32, 32], classes: 10, seed: 3)
    let learner = try Learner(
      model, data: data, metrics: [Accuracy()], batchSize: 8, seed: 5,
      transforms: [PadAndCrop(padding: 4), HorizontalFlip()])
    try learner.fit(epochs: 2, learningRate: 0.05)
    return (model.store.snapshot(), learner.fitResult?.validation)
  }

  @Test func `trains bit for bit as its binary files do`() throws {
    let folder = try TemporaryFolder()
    try Self.write(to: folder)
    let binary = try DataSource(folder["binary"].path).load()
    let images = try ImageFolder(
      folder["images"].path, labels: .table(.init(folder["labels.csv"].path)),
      normalization: .cifar10
    ).split()
    #expect(images.train.labels == binary.train.labels)
    #expect(images.train.target == binary.train.target)
    let (first, second) = (try Self.trained(on: binary), try Self.trained(on: images))
    #expect(first.0 == second.0)
    #expect(first.1?.loss == second.1?.loss && first.1?.metrics == second.1?.metrics)
  }

  @Test func `has the figures of all its images, as they are small`() throws {
    let folder = try TemporaryFolder()
    try Self.write(to: folder)
    let images = try ImageFolder(
      folder["images"].path, labels: .table(.init(folder["labels.csv"].path))
    ).split()
    let records = (1...5).flatMap { Self.records(10, seed: UInt64($0)) }
    for channel in 0..<3 {
      let values = records.flatMap {
        $0.planes[channel * 1024..<(channel + 1) * 1024].map { Double($0) / 255 }
      }
      let mean = values.reduce(0, +) / Double(values.count)
      #expect(abs(images.train.preprocessing.mean[channel] - mean) < 1e-12)
    }
  }

  @Test(arguments: [
    (ImageNormalization.imageNet, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    (.half, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]), (.none, [], []),
  ])
  func `is normalised by other figures`(
    normalization: ImageNormalization, mean: [Double], deviation: [Double]
  ) throws {
    let folder = try TemporaryFolder()
    try Self.write(to: folder)
    let preprocessing = try ImageFolder(
      folder["images"].path, labels: .table(.init(folder["labels.csv"].path)),
      normalization: normalization
    ).split().train.preprocessing
    #expect(preprocessing.mean == mean && preprocessing.standardDeviation == deviation)
    #expect(preprocessing.divisor == 255 && preprocessing.images != nil)
  }
}

/// The same numbers in every run.
private struct XorShift: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
