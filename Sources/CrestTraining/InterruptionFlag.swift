import Synchronization

extension Learner {
  /// Interrupts a learner, from any thread or a signal handler.
  ///
  /// The learner checks it between batches, so the current batch is finished, all after hooks run,
  /// and the model stays consistent. The run that it ends clears the request.
  public final class InterruptionFlag: Sendable {
    private let flag = Atomic(false)

    init() {}

    /// Requests the interruption; safe in a signal handler.
    public func raise() { flag.store(true, ordering: .releasing) }

    /// Whether there is a pending request.
    public var isRaised: Bool { flag.load(ordering: .acquiring) }

    /// Clears a request with the run that has ended anyway.
    func clear() { flag.store(false, ordering: .releasing) }

    /// Clears a request.
    ///
    /// - Throws: ``LearnerError/interrupted`` when there was one.
    func check() throws(LearnerError) {
      // Reading first keeps the cache line shared: this runs once a batch.
      if isRaised && flag.exchange(false, ordering: .acquiringAndReleasing) { throw .interrupted }
    }
  }
}
