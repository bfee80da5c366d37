/// Batches whose memory can be reused, so that an epoch allocates only its first few.
final class BatchPool: Sendable {
  private let batches = Condition<[Batch]>([])
  private let limit: Int

  /// A pool that keeps at most `limit` batches.
  init(limit: Int) {
    self.limit = limit
  }

  /// A batch of `count` examples with arbitrary contents; nil if there is none.
  func take(count: Int) -> Batch? {
    batches.withLock { batches in
      batches.lastIndex { $0.count == count }.map { batches.remove(at: $0) }
    }
  }

  /// Keeps `batch` for reuse and drops the oldest if there is no room.
  ///
  /// Its tensors that are still referenced elsewhere are copied on write, as usual.
  func give(_ batch: consuming Batch) {
    // Moved, not copied: the next user may write at once, which would copy a tensor with two
    // references.
    var moved: Batch? = consume batch
    batches.withLock { batches in
      if batches.count == limit { batches.removeFirst() }
      if let batch = moved.take() { batches.append(batch) }
    }
  }
}
