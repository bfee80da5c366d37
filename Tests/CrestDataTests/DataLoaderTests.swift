import CrestData
import CrestTensor
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite struct DataLoaderTests {
  /// All batches of an epoch from `first` on.
  private func batches(
    _ loader: DataLoader, epoch: Int, startingAt first: Int = 0
  ) throws -> [Batch] {
    let iterator = loader.batches(epoch: epoch, startingAt: first)
    var batches: [Batch] = []
    while let batch = try iterator.next() { batches.append(batch) }
    #expect(try iterator.next() == nil)
    return batches
  }

  private func examples(_ batch: Batch) -> [Int] {
    batch.inputs[0].array(as: Float.self).enumerated().compactMap { $0 % 4 == 0 ? Int($1) : nil }
  }

  @Test(arguments: [0, 1, 4])
  func `an epoch has every example once, and a smaller last batch`(prefetch: Int) throws {
    let loader = try DataLoader(numberedImages(11), batchSize: 4, prefetch: prefetch)
    #expect(loader.batchCount == 3)
    #expect(loader.exampleCount == 11)
    let batches = try batches(loader, epoch: 0)
    #expect(batches.map(\.count) == [4, 4, 3])
    #expect(batches.map(\.index) == [0, 1, 2])
    #expect(batches.map(\.inputs[0].shape) == [[4, 1, 2, 2], [4, 1, 2, 2], [3, 1, 2, 2]])
    #expect(batches.flatMap(examples) == loader.order(epoch: 0))
    #expect(batches.flatMap(examples).sorted() == Array(0..<11))
    for batch in batches {
      #expect(batch.targets == Tensor(examples(batch).map { Int64($0 % 3) }))
    }
  }

  static let sizes: [(examples: Int, batchSize: Int, batches: Int)] = [
    (0, 4, 0), (1, 4, 1), (4, 4, 1), (5, 4, 2), (8, 1, 8), (3, 100, 1),
  ]

  @Test(arguments: sizes)
  func `counts batches`(examples: Int, batchSize: Int, expected: Int) throws {
    let loader = try DataLoader(numberedImages(examples), batchSize: batchSize)
    #expect(loader.batchCount == expected)
    #expect(try batches(loader, epoch: 0).count == expected)
  }

  @Test(arguments: [0, 2])
  func `a rest that is too small joins the batch before`(prefetch: Int) throws {
    for (examples, smallest, expected) in [
      (9, 2, [4, 5]), (9, 1, [4, 4, 1]), (10, 2, [4, 4, 2]), (10, 3, [4, 6]), (8, 4, [4, 4]),
      (1, 2, [1]), (0, 2, []), (5, 4, [5]),
    ] {
      let loader = try DataLoader(
        numberedImages(examples), batchSize: 4, smallestBatch: smallest, prefetch: prefetch)
      let all = try batches(loader, epoch: 3)
      #expect(all.map(\.count) == expected, "\(examples) examples")
      #expect(loader.batchCount == expected.count)
      #expect(all.flatMap(self.examples) == loader.order(epoch: 3))
      guard let last = expected.last else { continue }
      #expect(
        try batches(loader, epoch: 3, startingAt: expected.count - 1).map(\.count) == [last])
    }
  }

  @Test func `the order is the seed's and the epoch's, or the set's`() throws {
    let set = numberedImages(50)
    let loader = try DataLoader(set, seed: 1)
    #expect(loader.order(epoch: 0) == (try DataLoader(set, batchSize: 7, seed: 1)).order(epoch: 0))
    #expect(loader.order(epoch: 0) != loader.order(epoch: 1))
    #expect(loader.order(epoch: 0) != (try DataLoader(set, seed: 2)).order(epoch: 0))
    #expect((try DataLoader(set, shuffle: false)).order(epoch: 5) == Array(0..<50))
  }

  private func augmented(prefetch: Int) throws -> DataLoader {
    try DataLoader(
      try Digits.split().train, batchSize: 100, seed: 9,
      transforms: [PadAndCrop(padding: 2), HorizontalFlip(), Cutout(size: 3)], prefetch: prefetch)
  }

  @Test(arguments: [1, 4])
  func `prefetching changes no bit of order and augmentation`(prefetch: Int) throws {
    for epoch in 0..<2 {
      let expected = try batches(augmented(prefetch: 0), epoch: epoch)
      let got = try batches(augmented(prefetch: prefetch), epoch: epoch)
      #expect(got.map(\.inputs) == expected.map(\.inputs))
      #expect(got.map(\.targets) == expected.map(\.targets))
    }
  }

  @Test(arguments: [0, 2], [0, 1, 7, 14, 15])
  func `an epoch begun in the middle goes on with the same bits`(prefetch: Int, first: Int) throws {
    let loader = try augmented(prefetch: prefetch)
    let whole = try batches(loader, epoch: 3)
    let rest = try batches(loader, epoch: 3, startingAt: first)
    #expect(rest.map(\.inputs) == whole.dropFirst(first).map(\.inputs))
    #expect(rest.map(\.index) == Array(first..<15))
  }

  @Test func `augmentation differs by epoch and seed, and not by batch size`() throws {
    func first(_ epoch: Int, seed: UInt64, batchSize: Int) throws -> [Float] {
      let loader = try DataLoader(
        try Digits.images(), batchSize: batchSize, seed: seed, shuffle: false,
        transforms: [PadAndCrop(padding: 2)])
      let iterator = loader.batches(epoch: epoch)
      let batch = try #require(try iterator.next())
      return Array(batch.inputs[0].array(as: Float.self).prefix(10 * 64))
    }
    let base = try first(0, seed: 1, batchSize: 10)
    #expect(try base == first(0, seed: 1, batchSize: 33))
    #expect(try base != first(1, seed: 1, batchSize: 10))
    #expect(try base != first(0, seed: 2, batchSize: 10))
  }

  @Test(arguments: [0, 2])
  func `memory is used again unless a batch is kept`(prefetch: Int) throws {
    let loader = try DataLoader(numberedImages(200), batchSize: 2, prefetch: prefetch)
    var addresses: Set<UInt> = []
    for epoch in 0..<3 {
      let iterator = loader.batches(epoch: epoch)
      while let batch = try iterator.next() {
        addresses.insert(batch.inputs[0].withUnsafeBytes { UInt(bitPattern: $0.baseAddress) })
      }
    }
    // Of 300 batches; the taker, the maker and the queue hold a few at once.
    #expect(addresses.count <= prefetch + 3, "\(addresses.count) buffers")
    let kept = try batches(loader, epoch: 0)
    #expect(kept.flatMap(examples) == loader.order(epoch: 0))
  }

  struct Broken: Error, Equatable {
    let example: Int
  }

  /// A set that can't give one of its examples.
  struct BrokenSet: Dataset {
    let base = numberedImages(20)
    let broken: Int
    var name: String { "broken" }
    var count: Int { base.count }
    var inputs: [Field] { base.inputs }
    var target: Target { base.target }
    var preprocessing: Preprocessing { base.preprocessing }
    var labels: [Int64]? { base.labels }
    var fingerprint: String { base.fingerprint }

    func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws {
      if examples.contains(broken) { throw Broken(example: broken) }
      base.write(examples, into: &batch)
    }
  }

  @Test(arguments: [0, 1, 4])
  func `an error comes where its batch would, and stays`(prefetch: Int) throws {
    let loader = try DataLoader(
      BrokenSet(broken: 7), batchSize: 3, shuffle: false, prefetch: prefetch)
    let iterator = loader.batches(epoch: 0)
    #expect(try iterator.next()?.index == 0)
    #expect(try iterator.next()?.index == 1)
    #expect(throws: Broken(example: 7)) { try iterator.next() }
    #expect(throws: Broken(example: 7)) { try iterator.next() }
  }

  #if os(Linux)
    /// Notes the threads that read it.
    final class Observer: Sendable {
      let threads = Mutex<Set<String>>([])
      let batches = Mutex(0)

      func note() {
        var buffer = [CChar](repeating: 0, count: 256)
        let length = readlink("/proc/thread-self", &buffer, buffer.count)
        let path = String(
          decoding: buffer.prefix(max(length, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        threads.withLock { _ = $0.insert(path) }
        batches.withLock { $0 += 1 }
      }
    }

    struct ObservedSet: Dataset {
      let base = numberedImages(200)
      let observer = Observer()
      var name: String { "observed" }
      var count: Int { base.count }
      var inputs: [Field] { base.inputs }
      var target: Target { base.target }
      var preprocessing: Preprocessing { base.preprocessing }
      var labels: [Int64]? { base.labels }
      var fingerprint: String { base.fingerprint }

      func write(_ examples: ArraySlice<Int>, into batch: inout Batch) {
        observer.note()
        base.write(examples, into: &batch)
      }
    }

    @Test(arguments: [1, 2, 4], [0, 1, 3, 200])
    func `an iteration that is let go leaves no thread`(prefetch: Int, taken: Int) throws {
      let set = ObservedSet()
      let loader = try DataLoader(set, batchSize: 1, prefetch: prefetch)
      do {
        let iterator = loader.batches(epoch: 0)
        for _ in 0..<taken { _ = try iterator.next() }
      }
      let made = set.observer.batches.withLock { $0 }
      #expect((taken...min(taken + prefetch, 200)).contains(made), "made \(made) batches")
      // The system takes a joined thread out of its list a moment after it has ended.
      for thread in set.observer.threads.withLock({ $0 }) {
        var isThere = true
        for _ in 0..<5000 where isThere {
          isThere = access("/proc/" + thread, F_OK) == 0
          if isThere { usleep(1000) }
        }
        #expect(!isThere, "thread \(thread) is still there")
      }
      #expect(set.observer.batches.withLock { $0 } == made)
    }
  #endif

  @Test func `transforms need images that fit`() throws {
    let table = TensorExamples(
      name: "table", inputs: [("x", Tensor(zeros: [3, 2]))], targets: Tensor(zeros: [3]))
    #expect(
      throws: DataError.unsuitableTransform(
        name: "flip", dataset: "table",
        reason: "it takes float32 images with channels, rows and columns, and the set has none")
    ) { try DataLoader(table, transforms: [HorizontalFlip()]) }
    #expect(
      throws: DataError.unsuitableTransform(
        name: "cutout(size 16)", dataset: "numbers",
        reason: "a square of 16 is larger than the images, which are 2 × 2")
    ) { try DataLoader(numberedImages(3), transforms: [HorizontalFlip(), Cutout()]) }
  }
}
