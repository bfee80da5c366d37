import CPeaks
import Crest
import Dispatch
import Synchronization

/// What the machine does at best with a number of threads, measured when it is asked for first.
final class Peaks {
  private let threads: Int
  private var rates: [Engine.InstructionSet: Double] = [:]
  private var copyRates: [Int: Double] = [:]

  init(threads: Int) { self.threads = threads }

  /// Floating-point operations a second, a multiply-add being two, with nothing from memory.
  func operationsPerSecond(_ set: Engine.InstructionSet) -> Double {
    if let rate = rates[set] { return rate }
    let rounds = 1_000_000
    let rate = best { _ in peak_multiply_adds(set.peak, rounds) }
    rates[set] = rate
    return rate
  }

  /// Bytes a second that copying moves, read and written both counted, when each thread copies its part of
  /// `footprint` bytes: from the caches when that is small.
  func bytesPerSecond(footprint: Int) -> Double {
    // A half is read and a half written, by each thread; in powers of two, so that few are measured, and not
    // more than asked for, so that a floor stays one.
    var size = 4096
    while size * 4 * threads <= footprint, size < 64 << 20 { size *= 2 }
    if let rate = copyRates[size] { return rate }
    let copies = (0..<threads).map { _ in Copy(size: size) }
    let rounds = max(1, (8 << 20) / size)
    let rate = best { copies[$0].run(rounds: rounds) }
    copyRates[size] = rate
    return rate
  }

  /// The most that all threads together did in a second, of many short tries: others may be running.
  private func best(_ work: @Sendable (Int) -> Double) -> Double {
    let tries = (0..<40).map { _ in
      let done = Mutex(0.0)
      let start = ContinuousClock.now
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        let count = work(thread)
        done.withLock { $0 += count }
      }
      let duration = start.duration(to: .now)
      return done.withLock { $0 } / (duration / .seconds(1))
    }
    return tries.max() ?? 0
  }
}

/// Two arrays of which one thread copies the one to the other.
private final class Copy: @unchecked Sendable {
  private let from: UnsafeMutableRawPointer
  private let to: UnsafeMutableRawPointer
  private let size: Int

  init(size: Int) {
    self.size = size
    from = .allocate(byteCount: size, alignment: 4096)
    to = .allocate(byteCount: size, alignment: 4096)
    // Pages that were never written would all be the same one.
    from.initializeMemory(as: UInt8.self, repeating: 1, count: size)
    to.initializeMemory(as: UInt8.self, repeating: 2, count: size)
  }

  deinit {
    from.deallocate()
    to.deallocate()
  }

  /// The bytes that were read and written.
  func run(rounds: Int) -> Double {
    peak_copies(from, to, size, rounds)
    return 2 * Double(size) * Double(rounds)
  }
}

extension Engine.InstructionSet {
  fileprivate var peak: peak_isa {
    switch self {
    case .baseline: PEAK_BASELINE
    case .neon: PEAK_NEON
    case .avx2: PEAK_AVX2
    case .avx512: PEAK_AVX512
    }
  }
}
