import CrestData
import CrestTensor
import Testing

@Suite struct DataSplitTests {
  static func values(_ count: Int) -> TensorExamples {
    TensorExamples(
      name: "values", inputs: [("x", Tensor(zeros: [count, 2]))],
      targets: Tensor(zeros: [count, 1]))
  }

  static func classes(_ labels: [Int64]) -> TensorExamples {
    TensorExamples(
      name: "classes", inputs: [("x", Tensor(zeros: [labels.count, 2]))], targets: Tensor(labels),
      classNames: (0...(labels.max() ?? 0)).map(String.init))
  }

  static let sizes: [(Int, Int)] = [(3, 1), (5, 1), (7, 1), (8, 2), (10, 2), (1000, 200)]

  @Test(arguments: sizes)
  func `a fifth is the nearest whole number`(count: Int, expected: Int) throws {
    let split = try DataSplit(dividing: DataSplitTests.values(count))
    #expect(split.valid.count == expected)
    #expect(split.train.count == count - expected)
  }

  @Test func `every example is in exactly one part, in the order of the set`() throws {
    let split = try DataSplit(dividing: DataSplitTests.values(103))
    let train = try #require(split.train as? Subset).indices
    let valid = try #require(split.valid as? Subset).indices
    #expect((train + valid).sorted() == Array(0..<103))
    #expect(train == train.sorted())
    #expect(valid == valid.sorted())
    #expect(valid != Array(valid[0]..<valid[0] + valid.count), "drawn at random, not in a row")
  }

  @Test func `each class gives a fifth, and a rare one stays for training`() throws {
    let labels = [Int64](repeating: 0, count: 50) + [Int64](repeating: 1, count: 10) + [2, 2]
    let split = try DataSplit(dividing: DataSplitTests.classes(labels))
    let valid = try #require(split.valid.labels)
    #expect((0...2).map { label in valid.count { $0 == label } } == [10, 2, 0])
  }

  @Test(arguments: [2, 1])
  func `classes too small to give a fifth each give one together`(size: Int) throws {
    let labels = (0..<1000).map { Int64($0 / size) }
    let split = try DataSplit(dividing: DataSplitTests.classes(labels))
    #expect(split.valid.count == 200)
    #expect(split.train.count == 800)
    let (train, valid) = (try #require(split.train.labels), try #require(split.valid.labels))
    #expect((train + valid).sorted() == labels)
    // Where a class has two, one of them stays to learn from.
    if size == 2 { #expect(Set(train).count == 500) }
    let again = try DataSplit(dividing: DataSplitTests.classes(labels))
    #expect(again.valid.fingerprint == split.valid.fingerprint)
  }

  @Test func `few examples of as many classes are split`() throws {
    let split = try DataSplit(dividing: DataSplitTests.classes([0, 1, 2, 3, 4]))
    #expect(split.train.count == 4)
    #expect(split.valid.count == 1)
  }

  @Test func `splits stay what they were`() throws {
    // As they were before classes of two were split; the hashes take in which examples lie where.
    let split = try Digits.split()
    #expect(split.train.fingerprint == "xxh64:c4078dab52963cd8")
    #expect(split.valid.fingerprint == "xxh64:2a45f31d2c713405")
  }

  @Test func `a single example can't be split, and of two each part gets one`() throws {
    #expect(throws: DataError.tooFewExamples(name: "values", count: 1)) {
      try DataSplit(dividing: DataSplitTests.values(1))
    }
    let split = try DataSplit(dividing: DataSplitTests.values(2))
    #expect(split.train.count == 1)
    #expect(split.valid.count == 1)
  }

  @Test func `another fraction is drawn from each class, and described`() throws {
    let split = try DataSplit(
      dividing: DataSplitTests.classes((0..<40).map { Int64($0 % 2) }), fraction: 0.25)
    #expect(split.valid.labels?.count { $0 == 0 } == 5 && split.valid.count == 10)
    let text = try DataSplit.Description(describing: split).description
    #expect(text.contains(", 0.25 of all drawn at random with a fixed key"), "\(text)")
  }
}
