import CrestData
import CrestTensor
import ProcessSupport
import Testing

@Suite struct CIFAR100FolderTests {
  private static let classNames = (0..<100).map { "class \($0)" }

  /// A record of a coarse and a fine label whose red, green and blue are 1, 2 and 3.
  private static func record(_ coarse: UInt8, _ fine: UInt8) -> [UInt8] {
    [coarse, fine] + (1...3).flatMap { [UInt8](repeating: $0, count: 1024) }
  }

  private static func folder(valid: [UInt8]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(record(3, 99) + record(4, 7), to: "train.bin")
    try folder.write(valid, to: "test.bin")
    try folder.write(
      Array(classNames.joined(separator: "\n").utf8), to: "fine_label_names.txt")
    return folder
  }

  @Test func `reads the fine labels and the images behind them`() throws {
    let folder = try Self.folder(valid: Self.record(19, 0))
    let source = try DataSource(folder.path)
    #expect(source.format == CIFAR100Folder.self)
    let split = try source.load()
    #expect(split.train.labels == [99, 7])
    #expect(split.valid.labels == [0])
    #expect(split.train.target == .classes(names: Self.classNames, shape: []))
    let pixels = try split.train.batch([1]).inputs[0].array(as: Float.self)
    let expected = (0..<3).map { channel in
      Preprocessing.cifar100.value(Double(channel + 1), channel: channel)
    }
    #expect([pixels[0], pixels[1024], pixels[3071]] == expected)
  }

  @Test func `refuses half a record, and a class that there isn't`() throws {
    let half = try Self.folder(valid: Self.record(0, 0) + [1])
    #expect(
      throws: DataError.partialRecord(
        path: half.path + "/test.bin", byteCount: 3075, recordByteCount: 3074)
    ) { try DataSource(half.path).load() }
    let wrong = try Self.folder(valid: Self.record(0, 1) + Self.record(0, 100))
    #expect(
      throws: DataError.labelOutOfRange(
        path: wrong.path + "/test.bin", index: 1, label: 100, classCount: 100)
    ) { try DataSource(wrong.path).load() }
  }
}
