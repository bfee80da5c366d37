import CrestData
import CrestTensor
import ProcessSupport
import Testing

@Suite struct CIFAR10FolderTests {
  static let classNames = [
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
  ]

  /// A record of class `label` whose red, green and blue are 1, 2 and 3 times `label`.
  static func record(_ label: UInt8) -> [UInt8] {
    [label] + (1...3).flatMap { [UInt8](repeating: $0 * label, count: 1024) }
  }

  /// Batch `i` holds classes `i` and 9.
  static func folder(replacing name: String = "", by bytes: [UInt8]? = nil) throws
    -> TemporaryFolder
  {
    let folder = try TemporaryFolder()
    var files = (1...5).map { ("data_batch_\($0).bin", record(UInt8($0)) + record(9)) }
    files.append(("test_batch.bin", record(8)))
    files.append(("batches.meta.txt", Array((classNames.joined(separator: "\n") + "\n\n").utf8)))
    for (fileName, original) in files {
      if fileName != name {
        try folder.write(original, to: fileName)
      } else if let bytes {
        try folder.write(bytes, to: fileName)
      }
    }
    return folder
  }

  @Test func `reads the batches in order, channel by channel`() throws {
    let folder = try CIFAR10FolderTests.folder()
    let source = try DataSource(folder.path)
    #expect(source.format == CIFAR10Folder.self)
    let split = try source.load()
    #expect(split.train.labels == [1, 9, 2, 9, 3, 9, 4, 9, 5, 9])
    #expect(split.valid.labels == [8])
    #expect(split.train.target == .classes(names: CIFAR10FolderTests.classNames, shape: []))
    #expect(split.origin == .ownValidation)
    let batch = try split.train.batch([4])
    let pixels = batch.inputs[0].array(as: Float.self)
    let expected = (0..<3).map { channel in
      Preprocessing.cifar10.value(Double(3 * (channel + 1)), channel: channel)
    }
    #expect(batch.inputs[0].shape == [1, 3, 32, 32])
    #expect([pixels[0], pixels[1024], pixels[3071]] == expected)
    #expect([pixels[1023], pixels[2047], pixels[2048]] == expected)
  }

  static let files =
    (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin", "batches.meta.txt"]

  @Test(arguments: files)
  func `a missing file is named`(name: String) throws {
    let folder = try CIFAR10FolderTests.folder(replacing: name)
    #expect(throws: DataError.missingFile(path: folder.path + "/" + name)) {
      try DataSource(folder.path).load()
    }
  }

  struct Bad: Sendable {
    let name: String
    let bytes: [UInt8]
    let error: @Sendable (_ path: String) -> DataError
  }

  static let bad: [Bad] = [
    Bad(name: "data_batch_3.bin", bytes: []) { .noExamples(path: $0) },
    Bad(name: "data_batch_3.bin", bytes: record(1) + [0]) {
      .partialRecord(path: $0, byteCount: 3074, recordByteCount: 3073)
    },
    Bad(name: "data_batch_3.bin", bytes: record(1) + record(10)) {
      .labelOutOfRange(path: $0, index: 1, label: 10, classCount: 10)
    },
    Bad(name: "test_batch.bin", bytes: record(255 / 3)) {
      .labelOutOfRange(path: $0, index: 0, label: 85, classCount: 10)
    },
    Bad(name: "batches.meta.txt", bytes: Array("cat\ndog\n".utf8)) {
      .wrongClassCount(path: $0, expected: 10, got: 2)
    },
    Bad(name: "batches.meta.txt", bytes: [UInt8](repeating: 0x0A, count: 5000)) {
      .fileTooLarge(path: $0, byteCount: 5000, limit: 4096)
    },
  ]

  @Test(arguments: bad.indices)
  func `a damaged file is named with what is wrong`(index: Int) throws {
    let bad = CIFAR10FolderTests.bad[index]
    let folder = try CIFAR10FolderTests.folder(replacing: bad.name, by: bad.bytes)
    #expect(throws: bad.error(folder.path + "/" + bad.name)) {
      try DataSource(folder.path).load()
    }
  }
}
