import CrestTensor

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
  /// The transforms of images, in this order.
  public let transforms: [any Transform]
  /// How many batches are made ahead on a separate thread; 0 makes each on demand.
  public let prefetch: Int
  private let pool: BatchPool

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
  ///   - prefetch: How many batches are made ahead; this doesn't change their contents.
  /// - Throws: ``DataError/unsuitableTransform(name:dataset:reason:)``.
  /// - Precondition: `batchSize` is positive, `smallestBatch` in `1 ... batchSize`, `prefetch` in
  ///   `0 ... 1024`, and there are at most 255 transforms.
  public init(
    _ dataset: any Dataset, batchSize: Int = 64, smallestBatch: Int = 1, seed: UInt64 = 0,
    shuffle: Bool = true, transforms: [any Transform] = [], prefetch: Int = 2
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
    let images = dataset.inputs.filter(\.isImage)
    for transform in transforms {
      let reason =
        images.isEmpty
        ? "it takes float32 images with channels, rows and columns, and the set has none"
        : images.lazy.compactMap { image in
          Preprocessing.Layout(ofImages: image.shape) == .channelsLast
            ? "it takes images with channels first, and the set's, \(image.shape), have them last"
            : transform.objection(to: image.shape)
        }.first
      if let reason {
        throw .unsuitableTransform(name: transform.name, dataset: dataset.name, reason: reason)
      }
    }
    self.dataset = dataset
    self.batchSize = batchSize
    self.smallestBatch = smallestBatch
    self.seed = seed
    self.shuffle = shuffle
    self.transforms = transforms
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
      transforms: transforms, prefetch: prefetch)
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

extension Field {
  /// Whether transforms apply.
  fileprivate var isImage: Bool { elementType == .float32 && shape.rank == 3 }
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
    try loader.dataset.write(examples, into: &batch)
    batch.require(examples.count, of: loader.dataset)
    if !loader.transforms.isEmpty { transform(examples, in: &batch) }
    return batch
  }

  private func transform(_ examples: ArraySlice<Int>, in batch: inout Batch) {
    let generator = Philox(
      seed: loader.seed, stream: Philox.Stream.augmentation, step: UInt32(epoch))
    for (position, field) in loader.dataset.inputs.enumerated() where field.isImage {
      let size = field.shape.elementCount
      withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { scratch in
        scratch.initialize(repeating: 0)
        batch.inputs[position].withMutableElements(as: Float.self) { values in
          for (row, example) in examples.enumerated() {
            let image = UnsafeMutableBufferPointer(
              rebasing: values[row * size..<(row + 1) * size])
            for (number, transform) in loader.transforms.enumerated() {
              transform.apply(
                to: image, shape: field.shape, scratch: scratch,
                random: ExampleRandom(generator: generator, example: example, position: number))
            }
          }
        }
      }
    }
  }
}
