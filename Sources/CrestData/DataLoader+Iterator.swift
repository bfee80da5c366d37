extension DataLoader {
  /// The batches of one epoch, in order.
  ///
  /// Releasing the iterator drops the remaining batches, after its thread has ended.
  public final class Iterator {
    private enum Source {
      case now(BatchMaker)
      case ahead(Prefetcher)
    }

    private let source: Source
    private let batchCount: Int
    private let pool: BatchPool
    private var position: Int
    private var last: Batch?
    private var failure: (any Error)?

    init(maker: BatchMaker, first: Int, pool: BatchPool) {
      batchCount = maker.loader.batchCount
      position = first
      self.pool = pool
      guard maker.loader.prefetch > 0, first < batchCount else {
        source = .now(maker)
        return
      }
      do throws(DataError) {
        let prefetcher = try Prefetcher(depth: maker.loader.prefetch, numbers: first..<batchCount) {
          try maker.make($0)
        }
        source = .ahead(prefetcher)
      } catch {
        source = .now(maker)
        failure = error
      }
    }

    deinit {
      if case .ahead(let prefetcher) = source { prefetcher.stop() }
      if let used = last.take() { pool.give(consume used) }
    }

    /// The next batch, or nil after the last.
    ///
    /// The memory of the previous batch is reused; a batch that is kept longer is copied.
    ///
    /// - Throws: Whatever the data set threw while the batch was made, or
    ///   ``DataError/noThread(reason:)``, now and at every later call.
    public func next() throws -> Batch? {
      if let failure { throw failure }
      // Removed first: a batch still held here would be copied, not reused.
      if let used = last.take() { pool.give(consume used) }
      guard position < batchCount else { return nil }
      do {
        let batch =
          switch source {
          case .now(let maker): try maker.make(position)
          case .ahead(let prefetcher): try prefetcher.next()
          }
        position += 1
        last = batch
        return batch
      } catch {
        failure = error
        throw error
      }
    }
  }
}
