import CrestData
import CrestTensor
import Testing

@Suite struct TransformTests {
  /// `image` after `transform`, drawing the numbers of example `example`.
  private func apply(
    _ transform: any Transform, to image: Tensor, example: Int
  ) -> [Float] {
    var image = image
    let shape = image.shape
    var scratch = [Float](repeating: .nan, count: image.elementCount)
    image.withMutableElements(as: Float.self) { values in
      scratch.withUnsafeMutableBufferPointer { scratch in
        transform.apply(
          to: values, shape: shape, scratch: scratch, random: random(example: example))
      }
    }
    return image.array(as: Float.self)
  }

  private func random(example: Int) -> ExampleRandom {
    ExampleRandom(
      generator: Philox(seed: 3, stream: Philox.Stream.augmentation), example: example, position: 0)
  }

  private let image = Tensor((0..<24).map(Float.init), shape: [2, 3, 4])

  @Test func `a flip mirrors every row or none, about half of the time`() {
    let mirrored = (0..<6).flatMap { row in (0..<4).map { Float(row * 4 + 3 - $0) } }
    let results = (0..<400).map { apply(HorizontalFlip(), to: image, example: $0) }
    let flips = results.count { $0 == mirrored }
    #expect(results.count { $0 == image.array(as: Float.self) } == 400 - flips)
    #expect((160...240).contains(flips))
  }

  @Test func `an alternating flip is drawn in epoch 0, and then alternates`() throws {
    let pixels = Tensor((0..<400).map { Float($0) }, shape: [100, 1, 2, 2])
    let set = TensorExamples(
      name: "four pixels", inputs: [("input", pixels)],
      targets: Tensor([Int64](repeating: 0, count: 100)),
      classNames: ["a"])
    func flips(epoch: Int, batchSize: Int, prefetch: Int) throws -> [Bool] {
      let loader = try DataLoader(
        set, batchSize: batchSize, seed: 9, shuffle: epoch > 2,
        transforms: [HorizontalFlip(alternating: true)], prefetch: prefetch)
      var flipped: [Int: Bool] = [:]
      let batches = loader.batches(epoch: epoch)
      while let batch = try batches.next() {
        let values = batch.inputs[0].array(as: Float.self)
        for start in stride(from: 0, to: values.count, by: 4) {
          let isFlipped = values[start] > values[start + 1]
          flipped[Int(values[start]) / 4] = isFlipped
        }
      }
      return (0..<100).map { flipped[$0] ?? false }
    }
    let first = try flips(epoch: 0, batchSize: 7, prefetch: 0)
    #expect((30...70).contains(first.count { $0 }))
    for epoch in 0..<5 {
      let wanted = epoch % 2 == 0 ? first : first.map { !$0 }
      #expect(
        try flips(epoch: epoch, batchSize: 16, prefetch: 2) == wanted, "epoch \(epoch), seed 9")
    }
    #expect(HorizontalFlip(alternating: true).name == "flip(alternating)")
    #expect(HorizontalFlip().name == "flip")
  }

  @Test(arguments: [PadAndCrop.Border.zero, .reflection], [0, 1, 2])
  func `a crop is a window of the padded image, each equally likely`(
    border: PadAndCrop.Border, padding: Int
  ) {
    // The straightforward meaning: pad first, then cut.
    func padded(_ channel: Int, _ row: Int, _ column: Int) -> Float {
      func inside(_ position: Int, _ count: Int) -> Int? {
        if (0..<count).contains(position) { return position }
        if border == .zero { return nil }
        return position < 0 ? -position : 2 * (count - 1) - position
      }
      guard let y = inside(row, 3), let x = inside(column, 4) else { return 0 }
      return image.array(as: Float.self)[(channel * 3 + y) * 4 + x]
    }
    // Reflection makes some windows of a small image alike, so each has the number of its places.
    var places: [[Float]: Int] = [:]
    for down in -padding...padding {
      for right in -padding...padding {
        let window = (0..<2).flatMap { channel in
          (0..<3).flatMap { row in (0..<4).map { padded(channel, row + down, $0 + right) } }
        }
        places[window, default: 0] += 1
      }
    }
    let count = 2000
    var seen: [[Float]: Int] = [:]
    for example in 0..<count {
      let result = apply(PadAndCrop(padding: padding, border: border), to: image, example: example)
      #expect(places[result] != nil, "example \(example) is no window")
      seen[result, default: 0] += 1
    }
    let each = Double(count) / Double((2 * padding + 1) * (2 * padding + 1))
    for (window, number) in places {
      let expected = each * Double(number)
      #expect((0.5 * expected...1.5 * expected).contains(Double(seen[window, default: 0])))
    }
  }

  @Test(arguments: [1, 2, 3])
  func `a cutout is a square of zeros in every channel, clipped at the edge`(size: Int) {
    let ones = Tensor([Float](repeating: 1, count: 24), shape: [2, 3, 4])
    var squares: Set<[Float]> = []
    for top in -size / 2..<3 - size / 2 {
      for left in -size / 2..<4 - size / 2 {
        squares.insert(
          (0..<24).map { index in
            let (row, column) = (index / 4 % 3, index % 4)
            return (top..<top + size).contains(row) && (left..<left + size).contains(column) ? 0 : 1
          })
      }
    }
    var seen: Set<[Float]> = []
    for example in 0..<500 {
      seen.insert(apply(Cutout(size: size), to: ones, example: example))
    }
    #expect(seen == squares)
  }

  @Test func `numbers of different examples, transforms and draws differ`() {
    let generator = Philox(seed: 1, stream: Philox.Stream.augmentation, step: 2)
    var seen: Set<Int> = []
    for example in [0, 1, (1 << 38) - 1] {
      for position in [0, 1, 255] {
        for draw in [0, 1, 65535] {
          let random = ExampleRandom(generator: generator, example: example, position: position)
          seen.insert(random.integer(below: .max, draw: draw))
        }
      }
    }
    #expect(seen.count == 27)
  }

  static let objections: [(any Transform, Shape, String?)] = [
    (HorizontalFlip(), [1, 1, 1], nil),
    (PadAndCrop(padding: 4), [3, 32, 32], nil),
    (
      PadAndCrop(padding: 4), [1, 4, 9],
      "a padding of 4 takes images of more rows and columns than that, got 4 × 9"
    ),
    (Cutout(size: 8), [1, 8, 8], nil),
    (Cutout(size: 9), [1, 8, 9], "a square of 9 is larger than the images, which are 8 × 9"),
  ]

  @Test(arguments: objections.indices)
  func `says what it can't be used on`(index: Int) {
    let (transform, shape, expected) = TransformTests.objections[index]
    #expect(transform.objection(to: shape) == expected)
  }

  @Test func `names tell the settings`() {
    let transforms: [any Transform] = [PadAndCrop(), HorizontalFlip(), Cutout(size: 8)]
    #expect(transforms.map(\.name) == ["crop(padding 4, reflection)", "flip", "cutout(size 8)"])
  }
}
