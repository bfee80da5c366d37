import Synchronization

/// Asks a learner, from any thread or a signal handler, to end what it is doing in order.
///
/// The learner looks at it between batches, so that the batch in work is finished, all after hooks run,
/// and the model stays consistent. The request is used up by the run that it ends.
public final class InterruptionFlag: Sendable {
  private let flag = Atomic(false)

  init() {}

  /// Asks; safe in a signal handler.
  public func raise() { flag.store(true, ordering: .releasing) }

  /// Whether there is a request that no run has used up.
  public var isRaised: Bool { flag.load(ordering: .acquiring) }

  /// Uses a request up.
  ///
  /// - Throws: ``LearnerError/interrupted`` when there was one.
  func check() throws(LearnerError) {
    // Reading first keeps the cache line shared: this runs once a batch.
    if isRaised && flag.exchange(false, ordering: .acquiringAndReleasing) { throw .interrupted }
  }
}
