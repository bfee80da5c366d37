/// Batches whose memory can be used again, so that an epoch allocates only its first few.
final class BatchPool: Sendable {
  private let batches = Monitor<[Batch]>([])
  private let limit: Int

  /// A pool that keeps at most `limit` batches.
  init(limit: Int) {
    self.limit = limit
  }

  /// A batch of `count` examples of any content; nil when there is none.
  func take(count: Int) -> Batch? {
    batches.withLock { batches in
      batches.lastIndex { $0.count == count }.map { batches.remove(at: $0) }
    }
  }

  /// Keeps `batch` for use again; the oldest makes room.
  ///
  /// Tensors of it that somebody else still holds are copied before they are written, as all are.
  func give(_ batch: consuming Batch) {
    // Moved in, not copied: the next taker may write at once, and would copy what is held twice.
    var moved: Batch? = consume batch
    batches.withLock { batches in
      if batches.count == limit { batches.removeFirst() }
      if let batch = moved.take() { batches.append(batch) }
    }
  }
}
