import CrestData
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// The real sets, where they are at hand.
@Suite(.enabled(if: SharedData.isThere, Comment(rawValue: SharedData.reason)))
struct SharedDataTests {
  static let sets: [(folder: String, name: String, train: [Int64], valid: [Int64], first: String)] =
    [
      ("mnist", "MNIST", [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9], "0"),
      (
        "fashion-mnist", "Fashion-MNIST", [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
        [9, 2, 1, 1, 6, 1, 4, 6, 5, 7], "T-shirt/top"
      ),
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
  func `reads CIFAR-10`() throws {
    let split = try DataSource(CIFAR10Archive.unpacked()).load()
    let train = try #require(split.train.labels)
    let valid = try #require(split.valid.labels)
    #expect(train.count == 50000)
    #expect(valid.count == 10000)
    #expect(Array(train.prefix(10)) == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3])
    #expect(Array(valid.prefix(10)) == [3, 8, 8, 0, 6, 6, 1, 6, 3, 1])
    for label in 0..<10 as Range<Int64> {
      #expect(train.count { $0 == label } == 5000)
      #expect(valid.count { $0 == label } == 1000)
    }
    #expect(split.valid.target.classNames == CIFAR10FolderTests.classNames)
    #expect(split.valid.fingerprint == "xxh64:67f3d65fbe4113ff")
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

  /// The folder of the unpacked set, below the package's build folder so that it is unpacked once.
  static func unpacked() throws -> String {
    let manager = FileManager.default
    let cache = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: ".build/shared-data")
    let folder = cache.appending(path: "cifar-10-batches-bin").path(percentEncoded: false)
    if manager.fileExists(atPath: folder) { return folder }
    try manager.createDirectory(at: cache, withIntermediateDirectories: true)

    // Unpacked elsewhere and moved when whole, so that a run that is stopped leaves no half of it.
    let temporary = cache.appending(path: UUID().uuidString).path(percentEncoded: false)
    try manager.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    let result = try Executable.env.run([
      "tar", "-xJf", SharedData.folder("cifar-10/cifar-10-binary.tar.xz"), "-C", temporary,
    ])
    try #require(result.status == 0, "\(result.error)")
    try manager.moveItem(atPath: temporary + "/cifar-10-batches-bin", toPath: folder)
    try manager.removeItem(atPath: temporary)
    return folder
  }
}
