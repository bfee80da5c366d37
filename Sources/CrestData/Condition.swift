import CrestPlatform
import CrestTensor

/// A state that only one thread at a time can access, and whose changes threads can wait for.
///
/// The standard library's `Mutex` has no condition to wait on. The state is accessed only under the
/// lock, so sharing one is safe.
final class Condition<State>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var state: State

  /// A condition of `state`.
  init(_ state: State) {
    self.state = state
    mutex.initialize(to: pthread_mutex_t())
    changed.initialize(to: pthread_cond_t())
    let statuses = (pthread_mutex_init(mutex, nil), pthread_cond_init(changed, nil))
    programmerError(unless: statuses == (0, 0), "the condition can't be made: \(statuses)")
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Calls `body` with the state once `condition` holds, and wakes all threads that wait for a
  /// change.
  func withLock<Result>(
    when condition: (State) -> Bool = { _ in true }, _ body: (inout State) -> Result
  ) -> Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
    while !condition(state) { pthread_cond_wait(changed, mutex) }
    return body(&state)
  }
}
