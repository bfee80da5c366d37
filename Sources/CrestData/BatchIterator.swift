/// The batches of one epoch, in order.
///
/// Whatever is left when the iterator is let go is dropped, and its thread has ended by then.
public final class BatchIterator {
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
  /// The memory of the batch before is used again: whoever keeps one longer makes it be copied then.
  ///
  /// - Throws: What the data set threw while the batch was made, or ``DataError/noThread(reason:)``, here
  ///   and at every later call.
  public func next() throws -> Batch? {
    if let failure { throw failure }
    // Taken out first: a batch that is still held here would be copied, not used again.
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
