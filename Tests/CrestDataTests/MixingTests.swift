import CrestData
import CrestTensor
import Testing

@Suite struct `Mixed examples` {
  /// Images whose every value is the number of their class.
  static func images(_ count: Int, classes: Int = 4) -> TensorExamples {
    let pixels = (0..<count).flatMap { example in
      [Float](repeating: Float(example % classes), count: 2 * 6 * 8)
    }
    return TensorExamples(
      name: "classes", inputs: [("image", Tensor(pixels, shape: [count, 2, 6, 8]))],
      targets: Tensor((0..<count).map { Int64($0 % classes) }),
      classNames: (0..<classes).map { "\($0)" })
  }

  static let kinds: [[Mixing]] = [
    [.mixUp()], [.cutMix()], [.mixUp(alpha: 2), .cutMix(alpha: 0.5)],
  ]

  private static func batches(_ loader: DataLoader, epoch: Int, startingAt first: Int = 0) throws
    -> [Batch]
  {
    let iterator = loader.batches(epoch: epoch, startingAt: first)
    var batches: [Batch] = []
    while let batch = try iterator.next() { batches.append(batch) }
    return batches
  }

  @Test(arguments: kinds)
  func `have the targets of what they show`(_ mixing: [Mixing]) throws {
    let loader = try DataLoader(
      Self.images(50), batchSize: 16, seed: 3, mixing: mixing, prefetch: 2)
    var mixed = 0
    for epoch in 0..<4 {
      for batch in try Self.batches(loader, epoch: epoch) {
        #expect(batch.targets.shape == [batch.count, 4] && batch.targets.elementType == .float32)
        let targets = batch.targets.array(as: Float.self)
        let values = batch.inputs[0].array(as: Float.self)
        for row in 0..<batch.count {
          let probabilities = targets[row * 4..<(row + 1) * 4]
          #expect(abs(probabilities.reduce(0, +) - 1) < 1e-6)
          #expect(probabilities.allSatisfy { $0 >= 0 && $0 <= 1 })
          // Sums of classes' numbers and of pixels, each by its share.
          let expected = zip(0..., probabilities).reduce(Float(0)) { $0 + Float($1.0) * $1.1 }
          let mean = values[row * 96..<(row + 1) * 96].reduce(0, +) / 96
          #expect(abs(mean - expected) < 1e-4, "row \(row) of batch \(batch.index), seed 3")
          if probabilities.count(where: { $0 > 0 }) > 1 { mixed += 1 }
        }
      }
    }
    #expect(mixed > 60)
  }

  @Test func `are mostly themselves by mixup, pixel by pixel`() throws {
    let plain = try Self.batches(
      DataLoader(Self.images(40), batchSize: 40, shuffle: false, prefetch: 0), epoch: 0)[0]
    let labels = plain.targets.array(as: Int64.self)
    let loader = try DataLoader(
      Self.images(40), batchSize: 40, seed: 8, shuffle: false, mixing: [.mixUp(alpha: 1)],
      prefetch: 0)
    let batch = try Self.batches(loader, epoch: 0)[0]
    let targets = batch.targets.array(as: Float.self)
    let values = batch.inputs[0].array(as: Float.self)
    for row in 0..<40 {
      #expect(targets[row * 4 + Int(labels[row])] >= 0.5)
      #expect(values[row * 96..<(row + 1) * 96].allSatisfy { $0 == values[row * 96] })
    }
  }

  @Test(arguments: kinds)
  func `are the same whoever makes the batch, and others in each epoch`(_ mixing: [Mixing]) throws {
    func loader(prefetch: Int) throws -> DataLoader {
      try DataLoader(
        Self.images(50), batchSize: 16, seed: 3, transforms: [HorizontalFlip()], mixing: mixing,
        prefetch: prefetch)
    }
    let expected = try Self.batches(loader(prefetch: 0), epoch: 1)
    for (prefetch, first) in [(0, 2), (3, 0), (2, 1)] {
      let got = try Self.batches(loader(prefetch: prefetch), epoch: 1, startingAt: first)
      #expect(got.map(\.inputs) == expected.dropFirst(first).map(\.inputs))
      #expect(got.map(\.targets) == expected.dropFirst(first).map(\.targets))
    }
    #expect(
      try Self.batches(loader(prefetch: 0), epoch: 2).map(\.targets) != expected.map(\.targets))
  }

  @Test func `of numbers have the numbers between`() throws {
    let inputs = Tensor((0..<30).map { Float($0) }, shape: [30, 1])
    let targets = Tensor((0..<30).map { Float($0) * 2 + 1 }, shape: [30, 1])
    let set = TensorExamples(name: "line", inputs: [("x", inputs)], targets: targets)
    let loader = try DataLoader(
      set, batchSize: 30, seed: 1, mixing: [.mixUp(alpha: 1)], prefetch: 0)
    let batch = try Self.batches(loader, epoch: 0)[0]
    let (x, y) = (batch.inputs[0].array(as: Float.self), batch.targets.array(as: Float.self))
    #expect(zip(x, y).allSatisfy { abs(2 * $0 + 1 - $1) < 1e-4 })
    #expect(x.count { $0 != $0.rounded() } > 20)
  }

  @Test(arguments: [0.01, 0.1, 0.4, 1, 3, 200])
  func `have shares from the beta distribution`(alpha: Double) {
    var random = MixingRandom(seed: 2, epoch: 0, batch: 0)
    let shares = (0..<4000).map { _ in random.beta(alpha) }
    #expect(shares.allSatisfy { $0 >= 0 && $0 <= 1 })
    let mean = shares.reduce(0, +) / 4000
    let variance = shares.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / 4000
    let expected = 1 / (4 * (2 * alpha + 1))
    #expect(abs(mean - 0.5) < 0.03, "α \(alpha), seed 2")
    #expect(abs(variance / expected - 1) < 0.12, "α \(alpha), seed 2: \(variance) of \(expected)")
  }

  /// fastai's: half a side rounded down to both sides, clipped at the edge.
  static let parts: [(share: Double, across: Double, down: Double, part: ImagePart)] = [
    (0.75, 0.5, 0.5, ImagePart(left: 3, top: 2, width: 4, height: 2)),
    (0.75, 0, 0.99, ImagePart(left: 0, top: 4, width: 2, height: 2)),
    (1, 0.5, 0.5, ImagePart(left: 5, top: 3, width: 0, height: 0)),
    (0, 0.5, 0.5, ImagePart(left: 0, top: 0, width: 10, height: 6)),
  ]

  @Test(arguments: parts.indices)
  func `show a rectangle of another by cutmix`(_ index: Int) {
    let row = Self.parts[index]
    #expect(
      BatchMixer.part(
        height: 6, width: 10, share: row.share, across: row.across, down: row.down) == row.part)
  }

  @Test func `are refused with a reason`() throws {
    let table = TensorExamples(
      name: "table", inputs: [("x", Tensor(zeros: [4, 3]))],
      targets: Tensor([Int64](repeating: 0, count: 4)), classNames: ["a"])
    let indices = TensorExamples(
      name: "words", inputs: [("x", Tensor([Int64](repeating: 0, count: 4), shape: [4, 1]))],
      targets: Tensor([Int64](repeating: 0, count: 4)), classNames: ["a"])
    let masks = TensorExamples(
      name: "masks", inputs: [("x", Tensor(zeros: [4, 1, 2, 2]))],
      targets: Tensor([Int64](repeating: 0, count: 16), shape: [4, 2, 2]), classNames: ["a"])
    let rows: [(any Dataset, Mixing, String)] = [
      (
        table, .cutMix(),
        "the transform cutmix(alpha 1) can't be used on table: it takes images with channels, rows and columns in this "
          + "order, and x is [3]"
      ),
      (
        indices, .mixUp(alpha: 0.4),
        "the transform mixup(alpha 0.4) can't be used on words: it mixes float32 inputs, and x is int64"
      ),
      (
        masks, .mixUp(),
        "the transform mixup(alpha 0.4) can't be used on masks: it mixes one label an example, and the set's have the "
          + "shape [2, 2]"
      ),
    ]
    for (set, mixing, message) in rows {
      let error = #expect(throws: DataError.self) { try DataLoader(set, mixing: [mixing]) }
      #expect(error.map { "\($0)" } == message)
    }
  }
}
