import CPeaks
import Dispatch

/// Two arrays, of which one is added to the other by all threads: what a pass over memory takes at least.
final class Stream: @unchecked Sendable {
  private let sums: UnsafeMutablePointer<Float>
  private let terms: UnsafeMutablePointer<Float>
  private let count: Int
  private let threads: Int

  init(count: Int, threads: Int) {
    (self.count, self.threads) = (count, threads)
    sums = .allocate(capacity: count)
    terms = .allocate(capacity: count)
    // Pages that were never written would all be the same one.
    sums.initialize(repeating: 1, count: count)
    terms.initialize(repeating: 0.5, count: count)
  }

  deinit {
    sums.deallocate()
    terms.deallocate()
  }

  /// Bytes a second, read and written both counted: the median of some passes.
  func bytesPerSecond(passes: Int = 5) -> Double {
    let part = (count + threads - 1) / threads
    let seconds = (0..<passes).map { _ in
      let start = ContinuousClock.now
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        let first = min(count, thread * part)
        peak_additions(sums + first, terms + first, min(part, count - first))
      }
      return start.duration(to: .now) / .seconds(1)
    }
    return 12 * Double(count) / seconds.median
  }
}
