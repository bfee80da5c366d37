import CrestData
import CrestTensor
import ProcessSupport
import Testing

@Suite struct IDXFolderTests {
  static let names = [
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
  ]

  /// Three training images and one test image of 1×2 pixels.
  static let good: [[UInt8]] = [
    idx(magic: 2051, sizes: [3, 1, 2], [0, 255, 0, 255, 0, 255]),
    idx(magic: 2049, sizes: [3], [0, 2, 1]),
    idx(magic: 2051, sizes: [1, 1, 2], [255, 255]),
    idx(magic: 2049, sizes: [1], [2]),
  ]

  static func folder(replacing index: Int = 0, by file: [UInt8]? = nil) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (position, name) in names.enumerated() {
      try folder.write(position == index ? file ?? good[position] : good[position], to: name)
    }
    return folder
  }

  @Test(arguments: [false, true])
  func `reads plain and compressed files alike`(compressed: Bool) throws {
    let folder = try TemporaryFolder()
    for (name, bytes) in zip(IDXFolderTests.names, IDXFolderTests.good) {
      _ =
        try compressed ? folder.write(gzip(bytes), to: name + ".gz") : folder.write(bytes, to: name)
    }
    #expect(try DataSource(folder.path).format == IDXFolder.self)
    let split = try DataSource(folder.path).load()
    #expect(split.origin == .ownValidation)
    #expect(split.train.count == 3)
    #expect(split.train.labels == [0, 2, 1])
    #expect(
      split.train.inputs == [
        Field(name: "image", elementType: .float32, shape: [1, 1, 2], storedType: .uint8)
      ])
    #expect(split.valid.labels == [2])
    // Half of the training pixels are 0, half 255, so the set's own mean and deviation are ½.
    #expect(split.train.preprocessing.mean == [0.5])
    #expect(split.train.preprocessing.standardDeviation == [0.5])
    #expect(try split.train.batch([0]).inputs[0].array(as: Float.self) == [-1, 1])
    #expect(try split.valid.batch([0]).inputs[0].array(as: Float.self) == [1, 1])
    #expect(split.train.target == .classes(names: ["0", "1", "2"], shape: []))
  }

  @Test func `a plain file is preferred to a compressed one beside it`() throws {
    let folder = try IDXFolderTests.folder()
    try folder.write("no gzip", to: "train-labels-idx1-ubyte.gz")
    #expect(try DataSource(folder.path).load().train.count == 3)
  }

  @Test func `images of one grey are not divided by zero`() throws {
    let folder = try IDXFolderTests.folder(
      replacing: 0, by: idx(magic: 2051, sizes: [3, 1, 2], [7, 7, 7, 7, 7, 7]))
    let split = try DataSource(folder.path).load()
    #expect(split.train.preprocessing.standardDeviation == [1])
    #expect(try split.train.batch([0]).inputs[0].array(as: Float.self) == [0, 0])
  }

  struct Bad: Sendable {
    let index: Int
    let file: [UInt8]
    let error: @Sendable (_ path: String) -> DataError
  }

  static let bad: [Bad] = [
    Bad(index: 0, file: []) { .truncated(path: $0, expected: 16, got: 0) },
    Bad(index: 0, file: [0, 0, 8]) { .truncated(path: $0, expected: 16, got: 3) },
    Bad(index: 0, file: good[1] + [0, 0, 0, 0, 0]) {
      .wrongMagic(path: $0, expected: 2051, got: 2049)
    },
    Bad(index: 0, file: idx(magic: 2051, sizes: [3, 1, 2], [1, 2, 3, 4, 5])) {
      .truncated(path: $0, expected: 22, got: 21)
    },
    Bad(index: 0, file: idx(magic: 2051, sizes: [3, 1, 2], [1, 2, 3, 4, 5, 6, 7])) {
      .trailingBytes(path: $0, expected: 22)
    },
    Bad(index: 0, file: idx(magic: 2051, sizes: [0, 1, 2], [])) { .noExamples(path: $0) },
    Bad(index: 0, file: idx(magic: 2051, sizes: [3, 0, 2], [])) {
      .impossibleSizes(path: $0, sizes: [3, 0, 2])
    },
    Bad(index: 0, file: idx(magic: 2051, sizes: [.max, .max, .max], [])) {
      .impossibleSizes(path: $0, sizes: [4_294_967_295, 4_294_967_295, 4_294_967_295])
    },
    Bad(index: 0, file: idx(magic: 2051, sizes: [1 << 31, 1 << 15, 1 << 15], [])) {
      .truncated(path: $0, expected: 16 + 1 << 61, got: 16)
    },
    Bad(index: 1, file: good[0]) { .wrongMagic(path: $0, expected: 2049, got: 2051) },
    Bad(index: 1, file: idx(magic: 2049, sizes: [2], [0, 1])) {
      .countMismatch(
        path: $0.replacing("labels-idx1", with: "images-idx3"), count: 3, otherPath: $0,
        otherCount: 2)
    },
    Bad(index: 2, file: idx(magic: 2051, sizes: [1, 2, 1], [0, 0])) {
      .exampleMismatch(
        path: $0, example: "[1, 2, 1]", otherPath: $0.replacing("t10k", with: "train"),
        otherExample: "[1, 1, 2]")
    },
    Bad(index: 3, file: idx(magic: 2049, sizes: [1], [3])) {
      .labelOutOfRange(path: $0, index: 0, label: 3, classCount: 3)
    },
  ]

  @Test(arguments: bad.indices)
  func `a damaged file is named with what is wrong`(index: Int) throws {
    let bad = IDXFolderTests.bad[index]
    let folder = try IDXFolderTests.folder(replacing: bad.index, by: bad.file)
    let path = folder.path + "/" + IDXFolderTests.names[bad.index]
    #expect(throws: bad.error(path)) { try DataSource(folder.path).load() }
  }

  @Test(arguments: IDXFolderTests.names.indices)
  func `a missing file is named`(index: Int) throws {
    let folder = try TemporaryFolder()
    for (position, name) in IDXFolderTests.names.enumerated() where position != index {
      try folder.write(IDXFolderTests.good[position], to: name)
    }
    let path = folder.path + "/" + IDXFolderTests.names[index]
    #expect(throws: DataError.missingFile(path: path)) { try DataSource(folder.path).load() }
  }

  @Test func `a folder in a file's place is refused`() throws {
    let folder = try TemporaryFolder()
    try folder.write(IDXFolderTests.good[1], to: IDXFolderTests.names[1])
    let inner = try TemporaryFolder(named: IDXFolderTests.names[0], in: folder)
    #expect(throws: DataError.notARegularFile(path: inner.path)) {
      try DataSource(folder.path).load()
    }
  }
}

@Suite struct GzipTests {
  /// The error of a training image file with these compressed bytes.
  private func load(_ compressed: [UInt8]) throws -> (path: String, error: DataError?) {
    let folder = try TemporaryFolder()
    for (name, bytes) in zip(IDXFolderTests.names, IDXFolderTests.good).dropFirst() {
      try folder.write(bytes, to: name)
    }
    let path = try folder.write(compressed, to: IDXFolderTests.names[0] + ".gz")
    do throws(DataError) {
      _ = try DataSource(folder.path).load()
      return (path, nil)
    } catch {
      return (path, error)
    }
  }

  @Test func `bytes that are no gzip are refused`() throws {
    let (path, error) = try load(Array("this is no gzip file".utf8))
    #expect(
      error == .corruptGzip(path: path, offset: 2, reason: "incorrect header check"))
  }

  @Test func `a changed byte fails the checksum`() throws {
    var bytes = try gzip(IDXFolderTests.good[0])
    bytes[bytes.count - 8] ^= 1
    let (path, error) = try load(bytes)
    guard case .corruptGzip(path, _, "incorrect data check") = error else {
      Issue.record("got \(String(describing: error))")
      return
    }
  }

  @Test func `every cut is refused`() throws {
    let bytes = try gzip(IDXFolderTests.good[0])
    for count in 0..<bytes.count {
      let (path, error) = try load(Array(bytes.prefix(count)))
      guard case .corruptGzip(path, _, _) = error else {
        Issue.record("cut to \(count) of \(bytes.count): got \(String(describing: error))")
        continue
      }
    }
  }

  @Test func `content that is shorter than announced is refused`() throws {
    let (path, error) = try load(gzip(idx(magic: 2051, sizes: [3, 1, 2], [1, 2, 3])))
    #expect(error == .truncated(path: path, expected: 22, got: 19))
  }

  @Test func `a file that inflates without end is left after what it announced`() throws {
    let bomb = idx(magic: 2051, sizes: [3, 1, 2], [UInt8](repeating: 0, count: 10_000_000))
    let (path, error) = try load(gzip(bomb))
    #expect(error == .trailingBytes(path: path, expected: 22))
  }

  @Test func `more than gzip can hold is refused before it is allocated`() throws {
    let bytes = try gzip(idx(magic: 2051, sizes: [3, 1 << 30, 1 << 29], []))
    let (path, error) = try load(bytes)
    #expect(
      error
        == .corruptGzip(
          path: path, offset: bytes.count,
          reason: "\(bytes.count) compressed bytes can't hold the \(16 + 3 << 59) announced"))
  }

  @Test func `gigabytes that are announced for a few labels are refused before they are unpacked`()
    throws
  {
    let folder = try TemporaryFolder()
    for (name, bytes) in zip(IDXFolderTests.names, IDXFolderTests.good)
    where name != IDXFolderTests.names[1] {
      try folder.write(bytes, to: name)
    }
    // As much as 2 MB could hold, of bytes that can't be compressed: it would be unpacked to their end.
    var random = SystemRandomNumberGenerator()
    let noise = (0..<250_000).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
    let path = try folder.write(
      gzip(idx(magic: 2049, sizes: [2_000_000_000], noise)), to: IDXFolderTests.names[1] + ".gz")
    let imagesPath = folder.path + "/" + IDXFolderTests.names[0]
    #expect(
      throws: DataError.countMismatch(
        path: imagesPath, count: 3, otherPath: path, otherCount: 2_000_000_000)
    ) { try DataSource(folder.path).load() }
  }

  @Test func `several members follow one another`() throws {
    let bytes = IDXFolderTests.good[0]
    let (_, error) = try load(gzip(Array(bytes.prefix(9))) + gzip(Array(bytes.dropFirst(9))))
    #expect(error == nil)
  }
}
