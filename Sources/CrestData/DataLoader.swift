public import CrestTensor

/// Puts the examples of a set into batches, epoch after epoch.
///
/// The loader has no position: the batches of an epoch are a pure function of its settings and the
/// epoch's number and can start at any batch, so a run resumes in the middle of an epoch with the
/// bits of the uninterrupted one.
public struct DataLoader: Sendable {
  /// The set.
  public let dataset: any Dataset
  /// The number of examples in a full batch.
  public let batchSize: Int
  /// The key of the order and of the transforms.
  public let seed: UInt64
  /// The smallest number of examples in the last batch of an epoch, if there are as many; fewer
  /// join the previous batch.
  public let smallestBatch: Int
  /// Whether every epoch has its own order.
  public let shuffle: Bool
  /// The transforms of images, in the order of their stages, those of one stage in this order.
  public let transforms: [any Transform]
  /// How examples are mixed, after the transforms; one of several is drawn for each batch.
  public let mixing: [Mixing]
  /// How many batches are made ahead on a separate thread; 0 makes each on demand.
  public let prefetch: Int
  private let pool: BatchPool
  let pipeline: TransformPipeline
  let mixer: BatchMixer?

  /// The most batches that are made ahead: far more than hide the time of any.
  package static let prefetchLimit = 1024
  /// The most transforms, each of which has random numbers of its own.
  package static let transformLimit = 255

  /// A loader of the batches of `dataset`.
  ///
  /// - Parameters:
  ///   - dataset: The set; a ``Subset`` for a part of one.
  ///   - batchSize: The number of examples in a full batch; the last one of an epoch may be
  ///     smaller.
  ///   - smallestBatch: The smallest number of examples in the last batch of an epoch; fewer join
  ///     the previous batch, which is then larger than `batchSize`.
  ///   - seed: The key of the order and of the transforms.
  ///   - shuffle: Whether every epoch has its own order; otherwise it is the set's.
  ///   - transforms: Changes of `float32` inputs with channels, rows and columns.
  ///   - mixing: How examples are mixed, after the transforms; one of several is drawn for each batch. The targets
  ///     of classes then are probabilities of as many classes as have names.
  ///   - prefetch: How many batches are made ahead; this doesn't change their contents.
  /// - Throws: ``DataError/unsuitableTransform(name:dataset:reason:)``.
  /// - Precondition: `batchSize` is positive, `smallestBatch` in `1 ... batchSize`, `prefetch` in
  ///   `0 ... 1024`, there are at most 255 transforms, and α of what is mixed is above 0 and at most 1000.
  public init(
    _ dataset: any Dataset, batchSize: Int = 64, smallestBatch: Int = 1, seed: UInt64 = 0,
    shuffle: Bool = true, transforms: [any Transform] = [], mixing: [Mixing] = [],
    prefetch: Int = 2
  ) throws(DataError) {
    let targets: MixedTargets =
      dataset.target.classNames.map { .probabilities(count: $0.count) } ?? .values
    try self.init(
      dataset, batchSize: batchSize, smallestBatch: smallestBatch, seed: seed, shuffle: shuffle,
      transforms: transforms, mixing: mixing, mixedTargets: targets, prefetch: prefetch)
  }

  /// A loader whose mixed targets are of a kind.
  package init(
    _ dataset: any Dataset, batchSize: Int, smallestBatch: Int = 1, seed: UInt64, shuffle: Bool,
    transforms: [any Transform], mixing: [Mixing], mixedTargets: MixedTargets, prefetch: Int
  ) throws(DataError) {
    programmerError(unless: dataset.count >= 0, "a data set of \(dataset.count) examples")
    programmerError(unless: batchSize > 0, "the batch size is \(batchSize)")
    programmerError(
      unless: 1 <= smallestBatch && smallestBatch <= batchSize,
      "the smallest batch is \(smallestBatch) of \(batchSize)")
    programmerError(
      unless: 0 <= prefetch && prefetch <= Self.prefetchLimit,
      "prefetch is \(prefetch), expected 0 to \(Self.prefetchLimit) batches")
    programmerError(
      unless: transforms.count <= Self.transformLimit,
      "\(transforms.count) transforms, expected at most \(Self.transformLimit)")
    for choice in mixing {
      NumberRange.concentration.require(choice.alpha, "α")
      if let reason = choice.objection(to: dataset) {
        throw .unsuitableTransform(name: choice.name, dataset: dataset.name, reason: reason)
      }
    }
    pipeline = try TransformPipeline(transforms, for: dataset)
    mixer =
      mixing.isEmpty
      ? nil : BatchMixer(choices: mixing, targets: mixedTargets)
    self.dataset = dataset
    self.batchSize = batchSize
    self.smallestBatch = smallestBatch
    self.seed = seed
    self.shuffle = shuffle
    self.transforms = transforms
    self.mixing = mixing
    self.prefetch = prefetch
    pool = BatchPool(limit: prefetch + 2)
  }

  /// The same loader with another set or another smallest batch.
  ///
  /// - Throws: ``DataError/unsuitableTransform(name:dataset:reason:)``.
  public func replacing(
    dataset: (any Dataset)? = nil, smallestBatch: Int? = nil
  ) throws(DataError) -> DataLoader {
    try DataLoader(
      dataset ?? self.dataset, batchSize: batchSize,
      smallestBatch: smallestBatch ?? self.smallestBatch, seed: seed, shuffle: shuffle,
      transforms: transforms, mixing: mixing, mixedTargets: mixer?.targets ?? .values,
      prefetch: prefetch)
  }

  /// The type and shape of an example's targets in a batch.
  package var batchTarget: (shape: Shape, elementType: ElementType) {
    guard let mixer else { return (dataset.target.shape, dataset.target.elementType) }
    return (mixer.targets.shape(of: dataset.target), .float32)
  }

  /// The number of examples in an epoch.
  public var exampleCount: Int { dataset.count }

  /// The number of batches in an epoch, including the last, which may have fewer examples than
  /// others, or more if leftover examples joined it.
  public var batchCount: Int {
    let (full, rest) = exampleCount.quotientAndRemainder(dividingBy: batchSize)
    return full + (rest == 0 || full > 0 && rest < smallestBatch ? 0 : 1)
  }

  /// The examples in the order of `epoch`, as indices into ``dataset``.
  ///
  /// - Precondition: `epoch` is in `0 ..< 2³²`.
  public func order(epoch: Int) -> [Int] {
    programmerError(unless: UInt32(exactly: epoch) != nil, "epoch \(epoch)")
    guard shuffle else { return Array(0..<exampleCount) }
    return Philox(seed: seed, stream: Philox.Stream.shuffle, step: UInt32(epoch))
      .permutation(exampleCount)
  }

  /// The batches of `epoch` from number `first` on.
  ///
  /// - Precondition: `epoch` is in `0 ..< 2³²` and `first` in `0 ... batchCount`.
  public func batches(epoch: Int, startingAt first: Int = 0) -> Iterator {
    programmerError(unless: 0 <= first && first <= batchCount, "batch \(first) of \(batchCount)")
    let maker = BatchMaker(loader: self, epoch: epoch, order: order(epoch: epoch), pool: pool)
    return Iterator(maker: maker, first: first, pool: pool)
  }
}

/// Makes any batch of one epoch.
struct BatchMaker: Sendable {
  let loader: DataLoader
  let epoch: Int
  let order: [Int]
  let pool: BatchPool

  /// Batch number `index`.
  func make(_ index: Int) throws -> Batch {
    programmerError(
      unless: loader.exampleCount == order.count,
      "\(loader.dataset.name) has \(loader.exampleCount) examples, and had \(order.count) when the epoch began"
    )
    let start = index * loader.batchSize
    let isLast = index == loader.batchCount - 1
    let examples = isLast ? order[start...] : order[start...].prefix(loader.batchSize)
    var batch =
      pool.take(count: examples.count)
      ?? Batch(zerosFor: loader.dataset, count: examples.count)
    batch.index = index
    if loader.mixer != nil { batch.forgetTargets(of: loader.dataset) }
    try write(examples, into: &batch)
    batch.require(examples.count, of: loader.dataset)
    if !loader.pipeline.isEmpty { transform(examples, in: &batch) }
    loader.mixer?.mix(&batch, seed: loader.seed, epoch: epoch)
    return batch
  }

  /// The numbers of the epoch's transforms.
  private var generator: Philox {
    Philox(seed: loader.seed, stream: Philox.Stream.augmentation, step: UInt32(epoch))
  }

  private func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws {
    guard let crop = loader.pipeline.fileCrop, let files = loader.dataset as? any CroppedImages
    else { return try loader.dataset.write(examples, into: &batch) }
    let generator = generator
    try files.write(examples, into: &batch) { row, height, width in
      crop.transform.part(
        height: height, width: width,
        ExampleRandom(
          generator: generator, example: examples[examples.startIndex + row],
          position: crop.position))
    }
  }

  private func transform(_ examples: ArraySlice<Int>, in batch: inout Batch) {
    for (position, field) in loader.dataset.inputs.enumerated() where field.isImage {
      batch.inputs[position].withMutableElements(as: Float.self) { values in
        loader.pipeline.transform(values, shape: field.shape, of: examples, generator)
      }
    }
  }
}
