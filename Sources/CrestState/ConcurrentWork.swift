import CrestTensor
import Dispatch
import Synchronization

/// Something that is computed on another thread meanwhile.
final class ConcurrentWork<Result: Sendable>: Sendable {
  private let result = Mutex<Result?>(nil)
  private let group = DispatchGroup()

  /// Begins `body`.
  init(_ body: @escaping @Sendable () -> Result) {
    DispatchQueue.global().async(group: group) { [self] in
      let value = body()
      result.withLock { $0 = value }
    }
  }

  /// Waits for the result.
  func wait() -> Result {
    group.wait()
    guard let value = result.withLock({ $0 }) else {
      programmerError("the work has ended without a result")
    }
    return value
  }
}
