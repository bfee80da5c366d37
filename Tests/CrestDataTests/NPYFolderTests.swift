import Foundation
import CrestData
import CrestTensor
import ProcessSupport
import Testing

@Suite struct NPYFolderTests {
  static func folder(_ files: [(String, Tensor)]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, tensor) in files { try folder.write(tensor.npyBytes(), to: name) }
    return folder
  }

  static let x = Tensor([0, 1, 2, 3, 4, 5] as [Float], shape: [3, 2])
  static let classes = Tensor([1, 0, 2] as [Int32])

  @Test func `float targets are values and integer targets classes`() throws {
    let values = try NPYFolderTests.folder([
      ("train-x.npy", NPYFolderTests.x), ("train-y.npy", Tensor([0.5, 1, 2] as [Double])),
    ])
    #expect(try DataSource(values.path).format == NPYFolder.self)
    let first = try DataSource(values.path).load()
    #expect(first.train.target == .values(shape: []))
    #expect(first.origin == .drawnPart)
    #expect(first.train.count + first.valid.count == 3)

    let classes = try NPYFolderTests.folder([
      ("train-x.npy", NPYFolderTests.x), ("train-y.npy", NPYFolderTests.classes),
      ("valid-x.npy", NPYFolderTests.x), ("valid-y.npy", Tensor([0, 0, 1] as [UInt8])),
    ])
    let second = try DataSource(classes.path).load()
    #expect(second.train.target == .classes(names: ["0", "1", "2"], shape: []))
    #expect(second.train.labels == [1, 0, 2])
    #expect(second.valid.labels == [0, 0, 1])
    #expect(second.origin == .ownValidation)
  }

  @Test func `booleans are two classes, several labels an example keep their shape`() throws {
    let booleans = try NPYFolderTests.folder([
      ("train-x.npy", NPYFolderTests.x), ("train-y.npy", Tensor([true, true, true])),
      ("valid-x.npy", NPYFolderTests.x), ("valid-y.npy", Tensor([true, false, true])),
    ])
    #expect(
      try DataSource(booleans.path).load().valid.target
        == .classes(names: ["false", "true"], shape: []))
    let sequences = try NPYFolderTests.folder([
      ("train-x.npy", Tensor([0, 1, 2, 3, 4, 5] as [Int64], shape: [3, 2])),
      ("train-y.npy", Tensor([1, 0, 2, 3, 0, 0] as [Int64], shape: [3, 2])),
    ])
    let split = try DataSource(sequences.path).load()
    #expect(split.train.target == .classes(names: ["0", "1", "2", "3"], shape: [2]))
    #expect(split.train.labels == nil)
  }

  @Test(arguments: [ElementType.float32, .float64, .float16])
  func `floats become float32 and are never normalised`(type: ElementType) throws {
    let numbers = [0, 255, -1.5, 1024]
    let tensor = Tensor(rounding: numbers, to: type, shape: [4, 1])
    let folder = try NPYFolderTests.folder([
      ("train-x.npy", tensor), ("train-y.npy", Tensor(rounding: numbers, to: type, shape: [4])),
      ("valid-x.npy", tensor), ("valid-y.npy", Tensor(rounding: numbers, to: type, shape: [4])),
    ])
    let train = try DataSource(folder.path).load().train
    let batch = try train.batch([0, 1, 2, 3])
    #expect(batch.inputs == [Tensor([0, 255, -1.5, 1024] as [Float], shape: [4, 1])])
    #expect(batch.targets == Tensor([0, 255, -1.5, 1024] as [Float]))
    #expect(train.preprocessing == .identity)
  }

  @Test func `several inputs come in the order of their names`() throws {
    let folder = try NPYFolderTests.folder([
      ("train-x.tokens.npy", Tensor([1, 2, 3, 4, 5] as [Int64])),
      ("train-x.image.npy", Tensor(zeros: [5, 1, 2, 2])),
      ("train-y.npy", Tensor([0, 1, 0, 1, 0] as [Int64])),
      ("valid-x.image.npy", Tensor(zeros: [2, 1, 2, 2])),
      ("valid-x.tokens.npy", Tensor([1, 2] as [Int64])),
      ("valid-y.npy", Tensor([0, 1] as [Int64])),
    ])
    let split = try DataSource(folder.path).load()
    #expect(
      split.train.inputs == [
        Field(name: "image", elementType: .float32, shape: [1, 2, 2]),
        Field(name: "tokens", elementType: .int64, shape: []),
      ])
    #expect(try split.valid.batch([1]).inputs[1] == Tensor([2] as [Int64]))
  }

  @Test func `labels in a column are one class an example, and a note says so`() throws {
    let folder = try NPYFolderTests.folder([
      ("train-x.npy", NPYFolderTests.x),
      ("train-y.npy", Tensor([1, 0, 2] as [UInt8], shape: [3, 1])),
    ])
    let split = try DataSource(folder.path).load(divides: false)
    #expect(split.train.target == .classes(names: ["0", "1", "2"], shape: []))
    #expect(split.train.labels == [1, 0, 2])
    #expect(split.notes == [.columnLabels(path: folder.path + "/train-y.npy")])
    #expect(
      split.notes.map(\.description) == [
        "the labels of \(folder.path)/train-y.npy have the shape [N, 1] and are read as [N], one "
          + "class per example"
      ])
  }

  /// Bytes 0, 51, 102, … of the shape, two examples.
  static func bytes(_ shape: Shape) -> Tensor {
    Tensor((0..<shape.elementCount).map { UInt8($0 * 51 % 256) }, shape: shape)
  }

  @Test
  func `images of bytes are normalised by their own statistics, by channel where that is known`()
    throws
  {
    let cases: [(example: Shape, layout: Preprocessing.Layout, channels: Int)] = [
      ([5, 4], .asStored, 1), ([1, 5, 4], .channelsFirst, 1), ([3, 5, 4], .channelsFirst, 3),
      ([5, 6, 3], .channelsLast, 3), ([4, 4, 3], .channelsLast, 3), ([5, 6, 1], .channelsLast, 1),
      ([3, 5, 3], .channelsFirst, 3), ([4, 1, 1], .channelsFirst, 4), ([5, 6, 2], .asStored, 1),
    ]
    for (example, layout, channels) in cases {
      let images = NPYFolderTests.bytes(Shape([2] + example))
      let folder = try NPYFolderTests.folder([
        ("train-x.npy", images), ("train-y.npy", Tensor([0, 1] as [Int64])),
        ("valid-x.npy", images), ("valid-y.npy", Tensor([0, 1] as [Int64])),
      ])
      let split = try DataSource(folder.path).load()
      #expect(split.notes == [.byteImages(input: "x")], "\(example)")
      let preprocessing = split.train.preprocessing
      #expect(preprocessing.layout == layout, "\(example)")
      #expect(preprocessing.divisor == 255)
      #expect(preprocessing.mean.count == channels, "\(example)")
      #expect(split.valid.preprocessing == preprocessing)
      #expect(split.train.inputs[0].elementType == .float32)

      // The sums of each channel, one number at a time.
      let size = example.elementCount
      func channel(_ index: Int) -> Int {
        switch layout {
        case .asStored: 0
        case .channelsFirst: index % size / (size / channels)
        case .channelsLast: index % channels
        }
      }
      let numbers = images.array(as: UInt8.self).map { Double($0) / 255 }
      let seen = try split.train.batch([0, 1]).inputs[0].array(as: Float.self)
      for number in 0..<channels {
        let own = numbers.indices.filter { channel($0) == number }
        let mean = own.reduce(0) { $0 + numbers[$1] } / Double(own.count)
        let squares = own.reduce(0) { $0 + (numbers[$1] - mean) * (numbers[$1] - mean) }
        let deviation = (squares / Double(own.count)).squareRoot()
        #expect(abs(preprocessing.mean[number] - mean) < 1e-12, "\(example)")
        #expect(abs(preprocessing.standardDeviation[number] - deviation) < 1e-12, "\(example)")
        for index in own {
          #expect(
            abs(Double(seen[index]) - (numbers[index] - mean) / deviation) < 1e-6, "\(example)")
        }
      }
    }
  }

  @Test func `bytes that are no single input of images stay as they are, and a note says so`()
    throws
  {
    let table = try NPYFolderTests.folder([
      ("train-x.npy", NPYFolderTests.bytes([3, 4])), ("train-y.npy", NPYFolderTests.classes),
    ])
    let split = try DataSource(table.path).load(divides: false)
    #expect(split.notes == [.bytesAsStored(input: "x", shape: [4])])
    #expect(
      split.notes.map(\.description) == [
        "\"x\" holds bytes, [4] per example, which are used as they are, from 0 to 255; if they "
          + "are pixels, divide them by 255, or store them as images"
      ])
    #expect(split.train.preprocessing == .identity)
    #expect(try split.train.batch([0]).inputs[0].array(as: Float.self) == [0, 51, 102, 153])
    let several = try NPYFolderTests.folder([
      ("train-x.a.npy", NPYFolderTests.bytes([3, 1, 2, 2])), ("train-x.b.npy", NPYFolderTests.x),
      ("train-y.npy", NPYFolderTests.classes),
    ])
    let pair = try DataSource(several.path).load(divides: false)
    #expect(pair.notes == [.bytesAsStored(input: "a", shape: [1, 2, 2])])
    #expect(try pair.train.batch([1]).inputs[0].array(as: Float.self) == [204, 255, 50, 101])
  }

  @Test func `unsigned whole numbers are floats where these are exact, and else stay whole`() throws
  {
    let folder = try NPYFolderTests.folder([("train-y.npy", Tensor([1, 0] as [Int64]))])
    func write(_ type: String, _ bytes: [UInt8]) throws {
      let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (2, 1), }"
      let length = UInt8(header.utf8.count)
      try folder.write(
        [0x93] + "NUMPY".utf8 + [1, 0, length, 0] + header.utf8 + bytes, to: "train-x.npy")
    }
    try write("<u2", [1, 0, 0xFF, 0xFF])
    let short = try DataSource(folder.path).load(divides: false)
    #expect(short.notes == [.integersAsFloats(input: "x")])
    #expect(short.train.inputs[0].elementType == .float32)
    #expect(
      try short.train.batch([0, 1]).inputs[0] == Tensor([1, 65535] as [Float], shape: [2, 1]))
    try write("<u4", [1, 0, 0, 0, 1, 0, 0, 1])
    let long = try DataSource(folder.path).load(divides: false)
    #expect(long.notes.isEmpty)
    #expect(
      try long.train.batch([0, 1]).inputs[0] == Tensor([1, 0x0100_0001] as [Int64], shape: [2, 1]))
  }

  struct Bad: Sendable {
    let files: [(String, Tensor)]
    let error: @Sendable (_ folder: String) -> DataError
  }

  static let bad: [Bad] = [
    Bad(files: [("train-x.npy", x)]) { .missingFile(path: $0 + "/train-y.npy") },
    Bad(files: [("train-y.npy", classes)]) { .missingFile(path: $0 + "/train-x.npy") },
    Bad(files: [("train-x.npy", x), ("train-y.npy", classes), ("valid-x.npy", x)]) {
      .missingFile(path: $0 + "/valid-y.npy")
    },
    Bad(files: [("train-x.npy", x), ("train-x.a.npy", x), ("train-y.npy", classes)]) {
      .mixedInputs(path: $0, nameless: "train-x.npy", named: ["train-x.a.npy"])
    },
    Bad(files: [("train-x.npy", x), ("train-y.npy", Tensor([0, 1] as [Int64]))]) {
      .countMismatch(
        path: $0 + "/train-x.npy", count: 3, otherPath: $0 + "/train-y.npy", otherCount: 2)
    },
    Bad(files: [("train-x.npy", Tensor(scalar: 1 as Float)), ("train-y.npy", classes)]) {
      .scalarArray(path: $0 + "/train-x.npy")
    },
    Bad(files: [("train-x.npy", Tensor(zeros: [0, 2])), ("train-y.npy", classes)]) {
      .noExamples(path: $0 + "/train-x.npy")
    },
    Bad(files: [("train-x.npy", x), ("train-y.npy", Tensor([0, -1, 2] as [Int8]))]) {
      .negativeLabel(path: $0 + "/train-y.npy", index: 1, label: -1)
    },
    Bad(files: [("train-x.npy", x), ("train-y.npy", Tensor([0, 1, .max] as [Int64]))]) {
      .tooManyClasses(
        path: $0 + "/train-y.npy", index: 2, label: .max, limit: NPYFolder.classLimit)
    },
    Bad(files: [
      ("train-x.npy", x), ("train-y.npy", classes), ("valid-x.npy", x),
      ("valid-y.npy", Tensor([0, -1, 2] as [Int64])),
    ]) { .negativeLabel(path: $0 + "/valid-y.npy", index: 1, label: -1) },
    Bad(files: [
      ("train-x.npy", x), ("train-y.npy", classes), ("valid-x.npy", x),
      ("valid-y.npy", Tensor([0, 3, 2] as [Int64])),
    ]) { .labelOutOfRange(path: $0 + "/valid-y.npy", index: 1, label: 3, classCount: 3) },
    Bad(files: [
      ("train-x.npy", x), ("train-y.npy", classes),
      ("valid-x.npy", Tensor(zeros: [3, 4])), ("valid-y.npy", classes),
    ]) {
      .exampleMismatch(
        path: $0 + "/valid-x.npy", example: "float32 [4]", otherPath: $0 + "/train-x.npy",
        otherExample: "float32 [2]")
    },
    Bad(files: [
      ("train-x.npy", x), ("train-y.npy", classes), ("valid-x.npy", x),
      ("valid-y.npy", Tensor([0, 1, 2] as [Float])),
    ]) {
      .exampleMismatch(
        path: $0 + "/valid-y.npy", example: "float32 []", otherPath: $0 + "/train-y.npy",
        otherExample: "int64 []")
    },
    Bad(files: [
      ("train-x.a.npy", x), ("train-x.b.npy", x), ("train-y.npy", classes),
      ("valid-x.a.npy", x), ("valid-y.npy", classes),
    ]) { .missingFile(path: $0 + "/valid-x.b.npy") },
    Bad(files: [
      ("train-x.a.npy", x), ("train-y.npy", classes), ("valid-x.a.npy", x),
      ("valid-x.b.npy", x), ("valid-y.npy", classes),
    ]) { .missingFile(path: $0 + "/train-x.b.npy") },
    Bad(files: [("train-x.npy", Tensor([1, 2, 1e300] as [Double])), ("train-y.npy", classes)]) {
      .valueOutOfRange(path: $0 + "/train-x.npy", index: 2, value: 1e300)
    },
    // Files of 128 bytes, which may name any number of examples.
    Bad(files: [
      ("train-x.npy", Tensor(zeros: [1 << 62, 0])), ("train-y.npy", Tensor(zeros: [1 << 62, 0])),
    ]) { .emptyExamples(path: $0 + "/train-x.npy", count: 1 << 62, shape: [0]) },
    Bad(files: [("train-x.npy", Tensor(zeros: [1, 1])), ("train-y.npy", Tensor(zeros: [1]))]) {
      .tooFewExamples(name: $0, count: 1)
    },
  ]

  /// Checkpoints hold it: another would be taken for other data.
  @Test func `the fingerprint of a set stays`() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/cases/binary-labels-one-logit/labels").path
    let split = try DataSource(path).load()
    #expect(split.train.fingerprint == "xxh64:944a9deb69115c18")
    #expect(split.valid.fingerprint == "xxh64:9545b68db2700159")
  }

  @Test(arguments: bad.indices)
  func `what doesn't fit together is named`(index: Int) throws {
    let bad = NPYFolderTests.bad[index]
    let folder = try NPYFolderTests.folder(bad.files)
    #expect(throws: bad.error(folder.path)) { try DataSource(folder.path).load() }
  }

  @Test func `a damaged array is named with its fault`() throws {
    let folder = try NPYFolderTests.folder([("train-y.npy", NPYFolderTests.classes)])
    let path = try folder.write(Array(NPYFolderTests.x.npyBytes().dropLast()), to: "train-x.npy")
    #expect(
      throws: DataError.npy(path: path, .wrongDataSize(shape: [3, 2], expected: 24, got: 23))
    ) { try DataSource(folder.path).load() }
    #expect(throws: DataError.missingFile(path: "nowhere.npy")) {
      try TensorFile.readNPY("nowhere.npy")
    }
  }
}
