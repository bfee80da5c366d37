import CrestData
import CrestTensor
import Foundation
import Testing

/// The real sets, where they are at hand.
@Suite(.enabled(if: SharedData.isThere, Comment(rawValue: SharedData.reason)))
struct SharedDataTests {
  static let sets: [(folder: String, name: String, train: [Int64], valid: [Int64], first: String)] = [
    ("mnist", "MNIST", [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9], "0"),
    ("fashion-mnist", "Fashion-MNIST", [9, 0, 0, 3, 0, 2, 7, 2, 5, 5], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7], "T-shirt/top"),
  ]

  @Test(arguments: sets.indices)
  func `reads and recognises the IDX sets`(index: Int) throws {
    let expected = SharedDataTests.sets[index]
    let split = try DataSource(SharedData.folder(expected.folder)).load()
    #expect(split.train.name == expected.name)
    #expect(split.train.count == 60000)
    #expect(split.valid.count == 10000)
    #expect(split.train.labels.map { Array($0.prefix(10)) } == expected.train)
    #expect(split.valid.labels.map { Array($0.prefix(10)) } == expected.valid)
    #expect(split.train.target.classNames?.first == expected.first)
    #expect(split.train.inputs[0].shape == [1, 28, 28])
    let batch = try split.train.batch(Array(0..<2000))
    let values = batch.inputs[0].array(as: Float.self)
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    #expect(mean.magnitude < 0.05, "normalised, the mean of 2,000 images is near 0")
  }

  @Test(.enabled(if: CIFAR10Archive.canUnpack, "there is no tar, or no xz for it"))
  func `reads CIFAR-10's test batch`() throws {
    let folder = try TemporaryFolder()
    let unpacked = try CIFAR10Archive.unpackTestBatch(into: folder)
    // Five copies of the test batch stand in for training, which would take a minute to unpack.
    for number in 1...5 {
      try FileManager.default.createSymbolicLink(
        atPath: unpacked + "/data_batch_\(number).bin",
        withDestinationPath: unpacked + "/test_batch.bin")
    }
    let split = try DataSource(unpacked).load()
    #expect(split.train.count == 50000)
    #expect(split.valid.count == 10000)
    let labels = try #require(split.valid.labels)
    #expect(Array(labels.prefix(10)) == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1])
    #expect((0..<10).map { label in labels.count { $0 == label } } == [Int](repeating: 1000, count: 10))
    #expect(split.valid.target.classNames == CIFAR10FolderTests.classNames)
  }
}

/// CIFAR-10 as the shared folder has it.
enum CIFAR10Archive {
  static var canUnpack: Bool {
    let folders = ProcessInfo.processInfo.environment["PATH"]?.split(separator: ":") ?? []
    return ["tar", "xz"].allSatisfy { program in
      folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }
  }

  /// Unpacks the test batch and the class names, and returns their folder.
  static func unpackTestBatch(into folder: TemporaryFolder) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "tar", "-xJf", SharedData.folder("cifar-10/cifar-10-binary.tar.xz"), "-C", folder.path,
      "cifar-10-batches-bin/test_batch.bin", "cifar-10-batches-bin/batches.meta.txt",
    ]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "tar failed")
    return folder.path + "/cifar-10-batches-bin"
  }
}
