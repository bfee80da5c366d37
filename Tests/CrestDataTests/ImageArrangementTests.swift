import CrestData
import CrestTensor
import Testing

@Suite struct ImageArrangementTests {
  static let layouts: [(Shape, Preprocessing.Layout?)] = [
    ([1, 28, 28], .channelsFirst), ([3, 32, 32], .channelsFirst), ([28, 28, 1], .channelsLast),
    ([32, 32, 3], .channelsLast), ([4, 4, 3], .channelsLast), ([4, 3, 3], .channelsFirst),
    ([3, 32, 3], .channelsFirst), ([1, 1, 1], .channelsFirst), ([8, 28, 28], nil),
    ([28, 28, 2], .channelsLast), ([28, 28], nil), ([784], nil),
  ]

  @Test(arguments: layouts)
  func `the sizes of axes tell where the channels are`(shape: Shape, layout: Preprocessing.Layout?)
  {
    #expect(Preprocessing.Layout(ofImages: shape) == layout)
  }

  static let fits: [(Shape, [Int?], ImageArrangement?)] = [
    ([32, 32, 3], [32, 32, 3], nil), ([32, 32, 3], [nil, nil, nil], nil),
    ([32, 32, 3], [nil, nil, 3], nil), ([32, 32, 3], [3, nil, nil], .channelsFirst),
    ([32, 32, 3], [3, 32, 32], .channelsFirst), ([1, 28, 28], [28, 28, 1], .channelsLast),
    ([28, 28], [1, 28, 28], .channelBefore), ([28, 28], [28, 28, 1], .channelAfter),
    ([28, 28], [nil, nil, nil], nil), ([32, 32, 5], [5, 32, 32], .channelsFirst),
    ([784], [1, 28, 28], nil),
    ([32, 32, 3], [3, 28, 28], nil),
  ]

  @Test(arguments: fits)
  func `a model's sizes decide`(stored: Shape, sizes: [Int?], expected: ImageArrangement?) {
    #expect(ImageArrangement(from: stored, toFit: sizes) == expected)
  }

  @Test(arguments: [ElementType.uint8, .float16, .float32, .int64])
  func `pixels go where they belong, whatever their type`(type: ElementType) throws {
    // The pixel of an example, row, column and channel.
    func pixel(_ n: Int, _ y: Int, _ x: Int, _ c: Int) -> Int { ((n * 2 + y) * 3 + x) * 4 + c }
    func tensor(_ numbers: [Int], _ shape: Shape) -> Tensor {
      type.isFloat
        ? Tensor(rounding: numbers.map(Double.init), to: type, shape: shape)
        : Tensor(wrapping: numbers.map(Int64.init), to: type, shape: shape)
    }
    let last = tensor(Array(0..<48), [2, 2, 3, 4])
    var first: [Int] = []
    for n in 0..<2 {
      for c in 0..<4 { for y in 0..<2 { for x in 0..<3 { first.append(pixel(n, y, x, c)) } } }
    }
    #expect(ImageArrangement.channelsFirst.applied(to: last) == tensor(first, [2, 4, 2, 3]))
    #expect(ImageArrangement.channelsLast.applied(to: tensor(first, [2, 4, 2, 3])) == last)
    let grey = tensor(Array(0..<12), [2, 2, 3])
    #expect(ImageArrangement.channelBefore.applied(to: grey).shape == [2, 1, 2, 3])
    #expect(ImageArrangement.channelAfter.applied(to: grey).shape == [2, 2, 3, 1])
  }

  @Test func `a rearranged set is the same set, with its preprocessing`() throws {
    let preprocessing = Preprocessing(
      layout: .channelsFirst, divisor: 255, mean: [0.1, 0.2, 0.3], standardDeviation: [1, 2, 3])
    let images = ByteImages(
      name: "colour", bytes: (0..<48).map { UInt8($0) }, shape: [3, 2, 4], labels: [1, 0],
      classNames: ["a", "b"], preprocessing: preprocessing)
    let split = DataSplit(measuringOn: images)
    let last = try split.rearranged(to: [2, 4, 3])
    #expect(last.notes == [.rearranged(from: [3, 2, 4], to: [2, 4, 3])])
    #expect(last.train.inputs[0].shape == [2, 4, 3])
    #expect(last.train.preprocessing.layout == .channelsLast)
    let batch = try last.train.batch([1, 0])
    let original = try images.batch([1, 0])
    #expect(ImageArrangement.channelsLast.applied(to: original.inputs[0]) == batch.inputs[0])
    #expect(batch.targets == original.targets)
    let back = try last.rearranged(to: [3, 2, 4])
    #expect(try back.train.batch([1, 0]).inputs == original.inputs)
    #expect(
      throws: DataError.unsuitableShape(name: "colour", stored: [3, 2, 4], wanted: [4, 2, 3])
    ) {
      try split.rearranged(to: [4, 2, 3])
    }
  }

  @Test func `parts of a set keep their examples`() throws {
    let whole = TensorExamples(
      name: "ten", inputs: [("x", Tensor((0..<120).map { Float($0) }, shape: [10, 2, 2, 3]))],
      targets: Tensor((0..<10).map { Int64($0 % 2) }), classNames: ["0", "1"])
    let split = try DataSplit(dividing: whole)
    let other = try split.rearranged(to: [3, 2, 2])
    #expect(other.origin == .drawnPart)
    #expect((other.valid as? Subset)?.indices == (split.valid as? Subset)?.indices)
    let before = try split.valid.batch([1]).inputs[0]
    #expect(
      try other.valid.batch([1]).inputs[0] == ImageArrangement.channelsFirst.applied(to: before))
  }

  @Test func `transforms refuse images whose channels are last`() throws {
    let set = TensorExamples(
      name: "last", inputs: [("x", Tensor(zeros: [2, 8, 8, 3]))],
      targets: Tensor([0, 1] as [Int64]), classNames: ["0", "1"])
    #expect(
      throws: DataError.unsuitableTransform(
        name: "flip", dataset: "last",
        reason: "it takes images with channels first, and the set's, [8, 8, 3], have them last")
    ) { try DataLoader(set, transforms: [HorizontalFlip()]) }
  }
}
