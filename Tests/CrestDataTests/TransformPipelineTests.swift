import CrestData
import CrestTensor
import Synchronization
import Testing

/// Writes down what it is given.
private struct Probe: Transform {
  let stage: TransformStage
  var name: String { "probe of \(stage)" }
  func objection(to shape: Shape) -> String? { nil }
  let body: @Sendable (UnsafeMutableBufferPointer<Float>) -> Void

  func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) { body(image) }
}

@Suite struct `Augmentations in a loader` {
  static let shape: Shape = [3, 8, 8]

  /// Images of bytes, normalised.
  static func images(
    _ count: Int, shape: Shape = shape, preprocessing: Preprocessing? = nil
  ) -> ByteImages {
    let generator = Philox(seed: 5, stream: Philox.Stream.split)
    return ByteImages(
      name: "bytes",
      bytes: (0..<UInt64(count * shape.elementCount)).map { UInt8(generator.word($0) & 255) },
      shape: shape, labels: (0..<count).map { Int64($0 % 3) }, classNames: ["a", "b", "c"],
      preprocessing: preprocessing
        ?? Preprocessing(
          layout: .channelsFirst, divisor: 255, mean: [0.1, 0.4, 0.6],
          standardDeviation: [0.2, 0.3, 0.5]))
  }

  static let all: [any Transform] = [
    RandomErasing(), RandomHue(), HorizontalFlip(), TrivialAugment(), RandomRotation(),
    RandAugment(), RandomBrightness(), RandomContrast(formula: .logit), RandomSaturation(),
    RandomBlur(size: 3), RandomGreyscale(probability: 0.5), RandomWarp(), RandomZoom(),
    RandomShear(), RandomTranslation(), RandomDihedral(), RandomResizedCrop(), Cutout(size: 3),
    PadAndCrop(padding: 2),
  ]

  private static func batches(_ loader: DataLoader, epoch: Int, startingAt first: Int = 0) throws
    -> [Batch]
  {
    let iterator = loader.batches(epoch: epoch, startingAt: first)
    var batches: [Batch] = []
    while let batch = try iterator.next() { batches.append(batch) }
    return batches
  }

  @Test func `the bits hang on seed, epoch and example alone`() throws {
    func loader(_ batchSize: Int, prefetch: Int, seed: UInt64 = 9) throws -> DataLoader {
      try DataLoader(
        Self.images(20), batchSize: batchSize, seed: seed, shuffle: false, transforms: Self.all,
        prefetch: prefetch)
    }
    func values(_ batches: [Batch]) -> [Float] {
      batches.flatMap { $0.inputs[0].array(as: Float.self) }
    }
    let expected = values(try Self.batches(loader(20, prefetch: 0), epoch: 2))
    #expect(expected.allSatisfy { $0.isFinite })
    for (batchSize, prefetch) in [(1, 0), (3, 1), (7, 4)] {
      #expect(values(try Self.batches(loader(batchSize, prefetch: prefetch), epoch: 2)) == expected)
    }
    let rest = values(try Self.batches(loader(5, prefetch: 2), epoch: 2, startingAt: 2))
    #expect(rest == Array(expected.suffix(rest.count)) && rest.count == expected.count / 2)
    #expect(values(try Self.batches(loader(20, prefetch: 0), epoch: 3)) != expected)
    #expect(values(try Self.batches(loader(20, prefetch: 0, seed: 8), epoch: 2)) != expected)
  }

  @Test(arguments: all.indices)
  func `each by itself changes images, and leaves them finite`(_ index: Int) throws {
    let set = Self.images(40)
    let plain = try DataLoader(set, batchSize: 40, shuffle: false, prefetch: 0)
    let changed = try DataLoader(
      set, batchSize: 40, shuffle: false, transforms: [Self.all[index]], prefetch: 0)
    let before = try Self.batches(plain, epoch: 0)[0].inputs[0].array(as: Float.self)
    let after = try Self.batches(changed, epoch: 0)[0].inputs[0].array(as: Float.self)
    let size = Self.shape.elementCount
    let different = (0..<40).count { image in
      before[image * size..<(image + 1) * size] != after[image * size..<(image + 1) * size]
    }
    #expect(different > 5 && after.allSatisfy { $0.isFinite && abs($0) < 10 })
  }

  @Test func `each stage has its values, in its order whatever the list's`() throws {
    for preprocessing in [
      nil, Preprocessing(layout: .channelsFirst, divisor: 255, mean: [], standardDeviation: []),
      Preprocessing(layout: .channelsFirst, divisor: 1, mean: [], standardDeviation: []),
    ] {
      let set = Self.images(1, preprocessing: preprocessing)
      let seen = Seen()
      let probes = [TransformStage.normalized, .colour, .bytes, .geometry, .cropping].map { stage in
        Probe(stage: stage) { image in seen.add(stage, Array(image)) }
      }
      let loader = try DataLoader(set, shuffle: false, transforms: probes, prefetch: 0)
      let output = try Self.batches(loader, epoch: 0)[0].inputs[0].array(as: Float.self)
      #expect(seen.values.map(\.0) == TransformStage.allCases)
      let plain = try Self.batches(
        DataLoader(set, shuffle: false, prefetch: 0), epoch: 0)[0].inputs[0].array(as: Float.self)
      let bytes = seen.values[0].1
      #expect(bytes.allSatisfy { $0 == $0.rounded() && $0 >= 0 && $0 <= 255 })
      for (place, value) in plain.enumerated() {
        let channel = place / 64
        #expect(set.preprocessing.value(Double(bytes[place]), channel: channel) == value)
        #expect(seen.values[1].1[place] == bytes[place])
        for stage in [2, 3] {
          #expect(abs(seen.values[stage].1[place] - bytes[place] / 255) < 1e-6)
        }
        #expect(abs(seen.values[4].1[place] - value) <= 1e-5 * max(1, abs(value)))
      }
      #expect(output == seen.values[4].1)
    }
  }

  @Test func `moves that follow each other are one interpolation`() throws {
    let set = Self.images(6)
    let transforms: [any Transform] = [
      RandomWarp(probability: 1), RandomRotation(degrees: 40, probability: 1),
      RandomZoom(factors: 0.5...2, probability: 1),
    ]
    let loader = try DataLoader(
      set, batchSize: 6, seed: 4, shuffle: false, transforms: transforms, prefetch: 0)
    let got = try Self.batches(loader, epoch: 1)[0].inputs[0].array(as: Float.self)
    let size = Self.shape.elementCount
    let generator = Philox(seed: 4, stream: Philox.Stream.augmentation, step: 1)
    let plain = try Self.batches(
      DataLoader(set, batchSize: 6, shuffle: false, prefetch: 0), epoch: 0)[0].inputs[0].array(
        as: Float.self)
    for image in 0..<6 {
      var moves = Projection.identity
      for (position, transform) in transforms.enumerated() {
        let random = ExampleRandom(generator: generator, example: image, position: position)
        let move = try #require(
          (transform as? any GeometricTransform)?.projection(of: Self.shape, random))
        moves = move.after(moves)
      }
      // Weights sum to 1, so that normalised values give the same.
      var values = Array(plain[image * size..<(image + 1) * size])
      var output = values
      values.withUnsafeMutableBufferPointer { values in
        output.withUnsafeMutableBufferPointer {
          moves.project(values, shape: Self.shape, padding: .reflection, to: $0)
        }
      }
      let far = zip(output, got[image * size..<(image + 1) * size]).map { abs($0 - $1) }.max() ?? 1
      #expect(far < 1e-5, "image \(image), seed 4")
    }
  }

  @Test func `a random part has the area and the aspect that were asked for`() {
    let crop = RandomResizedCrop(scale: 0.2...0.5, ratio: 2)
    var shares: [Double] = []
    for example in 0..<500 {
      let part = crop.part(height: 60, width: 80, Transformed.random(example: example))
      #expect(part.left >= 0 && part.top >= 0)
      #expect(part.left + part.width <= 80 && part.top + part.height <= 60)
      let aspect = Double(part.width) / Double(part.height)
      #expect(aspect > 0.45 && aspect < 2.2)
      shares.append(Double(part.width * part.height) / 4800)
    }
    #expect(shares.allSatisfy { $0 > 0.18 && $0 < 0.52 })
    let mean = shares.reduce(0, +) / 500
    #expect(mean > 0.31 && mean < 0.39)
    // Nothing of such an area fits into so narrow an image: the middle, of the aspect that comes nearest.
    let all = RandomResizedCrop(scale: 1...1, ratio: 4.0 / 3)
    let random = Transformed.random(example: 0)
    #expect(
      all.part(height: 10, width: 100, random)
        == ImagePart(left: 43, top: 0, width: 13, height: 10))
    #expect(
      all.part(height: 100, width: 10, random)
        == ImagePart(left: 0, top: 43, width: 10, height: 13))
    #expect(
      RandomResizedCrop(scale: 1...1, ratio: 1).part(height: 9, width: 9, random)
        == ImagePart(left: 0, top: 0, width: 9, height: 9))
    #expect(
      all.part(height: 1, width: 1, random) == ImagePart(left: 0, top: 0, width: 1, height: 1))
  }

  @Test func `an erased rectangle has its share, and is zero in every channel`() {
    let erase = RandomErasing(probability: 1, scale: 0.1...0.2, ratio: 2)
    var count = 0
    for example in 0..<100 {
      let image = Transformed.values(
        erase, of: [Float](repeating: 1, count: 2 * 20 * 30), [2, 20, 30], example: example)
      let zeros = (0..<600).filter { image[$0] == 0 }
      #expect(zeros == (0..<600).filter { image[600 + $0] == 0 })
      let rows = Set(zeros.map { $0 / 30 })
      let columns = Set(zeros.map { $0 % 30 })
      #expect(zeros.count == rows.count * columns.count)
      #expect(zeros.count > 50 && zeros.count < 130)
      count += 1
    }
    #expect(count == 100)
    let never = RandomErasing(probability: 0)
    #expect(Transformed.values(never, of: [1, 1, 1, 1], [1, 2, 2], example: 0) == [1, 1, 1, 1])
  }

  static let refusals: [(transforms: [any Transform], shape: Shape, message: String)] = [
    (
      [RandomHue()], [1, 8, 8],
      "the transform hue(change 0.1, probability 0.75) can't be used on bytes: it takes images of three channels, red, "
        + "green and blue, got 1"
    ),
    (
      [TrivialAugment()], [4, 8, 8],
      "the transform trivial-augment can't be used on bytes: it takes images of one channel or three, got 4"
    ),
    (
      [RandomDihedral()], [3, 8, 9],
      "the transform dihedral can't be used on bytes: it takes square images, got 8 × 9"
    ),
    (
      [RandomBlur(size: 17)], [3, 8, 9],
      "the transform blur(size 17, deviation 2, probability 0.5) can't be used on bytes: a size of 17 takes images of more "
        + "than 8 rows and columns, got 8 × 9"
    ),
    (
      [RandomResizedCrop(), RandomResizedCrop(scale: 0.5...1)], [3, 8, 8],
      "the transform random-resized-crop(0.5 to 1, aspect 1.33333) can't be used on bytes: there is a "
        + "random-resized-crop(0.08 to 1, aspect 1.33333) already; give one"
    ),
    (
      [RandomRotation(), RandomZoom(padding: .zeros)], [3, 8, 8],
      "the transform zoom(min 1, max 1.1, probability 0.75, zeros) can't be used on bytes: "
        + "rotate(degrees 10, probability 0.75, reflection) shows another padding, and both are made in one "
        + "interpolation; give both one padding"
    ),
  ]

  @Test(arguments: refusals.indices)
  func `are refused with a reason`(_ index: Int) throws {
    let (transforms, shape, message) = Self.refusals[index]
    let set = Self.images(
      2, shape: shape,
      preprocessing: Preprocessing(
        layout: .channelsFirst, divisor: 255, mean: [], standardDeviation: []))
    let error = #expect(throws: DataError.self) { try DataLoader(set, transforms: transforms) }
    #expect(error.map { "\($0)" } == message)
  }

  @Test func `need to know which value is white`() throws {
    let floats = TensorExamples(
      name: "floats", inputs: [("image", Tensor(zeros: [2, 3, 8, 8]))],
      targets: Tensor([Int64](repeating: 0, count: 2)), classNames: ["a"])
    let error = #expect(throws: DataError.self) {
      try DataLoader(floats, transforms: [HorizontalFlip(), RandomBrightness()])
    }
    #expect(
      error.map { "\($0)" }
        == "the transform brightness(change 0.2, linear, probability 0.75) can't be used on floats: it takes images of "
        + "bytes, of which 255 is white, and the set's are of other numbers; store them as uint8")
    #expect(throws: Never.self) { try DataLoader(floats, transforms: [HorizontalFlip()]) }
  }

  @Test func `names tell the settings`() {
    #expect(
      Self.all.map(\.name) == [
        "erase(0.02 to 0.33, aspect 3.3, probability 0.5)", "hue(change 0.1, probability 0.75)",
        "flip", "trivial-augment", "rotate(degrees 10, probability 0.75, reflection)",
        "rand-augment(count 2, magnitude 9)", "brightness(change 0.2, linear, probability 0.75)",
        "contrast(change 0.2, logit, probability 0.75)",
        "saturation(change 0.2, linear, probability 0.75)",
        "blur(size 3, deviation 2, probability 0.5)", "greyscale(probability 0.5)",
        "warp(magnitude 0.2, probability 0.75, reflection)",
        "zoom(min 1, max 1.1, probability 0.75, reflection)",
        "shear(degrees 10, probability 0.75, reflection)",
        "translate(fraction 0.1, probability 0.75, reflection)", "dihedral",
        "random-resized-crop(0.08 to 1, aspect 1.33333)", "cutout(size 3)",
        "crop(padding 2, reflection)",
      ])
  }
}

/// What probes saw, in order.
private final class Seen: Sendable {
  private let all = Mutex<[(TransformStage, [Float])]>([])

  func add(_ stage: TransformStage, _ values: [Float]) {
    all.withLock { $0.append((stage, values)) }
  }

  var values: [(TransformStage, [Float])] { all.withLock { $0 } }
}
