import CrestPlatform

/// Whether the first moments of a wait are spent trying, so that the processor does not fall asleep.
///
/// As a kernel does for its guests: as long as it pays. After a wait in vain the next is begun asleep, after n in
/// a row the next 2ⁿ - 1, up to 1,023.
package struct Wakefulness {
  /// How long is tried: waking the other side's processor takes some 20 µs, and an answer less.
  static let nanoseconds: UInt64 = 50_000

  private var failureCount = 0
  private var skipCount = 0
  private let isPossible: Bool

  /// - Parameter processorCount: Those there are; on a single one the other side could not run meanwhile.
  package init(processorCount: Int = sysconf(CInt(_SC_NPROCESSORS_ONLN))) {
    isPossible = processorCount > 1
  }

  /// Begins a wait; whether awake.
  package mutating func begin() -> Bool {
    guard isPossible else { return false }
    if skipCount == 0 { return true }
    skipCount -= 1
    return false
  }

  /// Whether the answer came while it was tried for.
  package mutating func note(isAnswered: Bool) {
    failureCount = isAnswered ? 0 : min(failureCount + 1, 10)
    skipCount = (1 << failureCount) - 1
  }
}

/// A point in time until which something is waited for.
///
/// By a clock that goes forward only, and stands still while the machine sleeps: so does the other side.
struct Deadline {
  /// How long the wait is in all.
  let seconds: Double
  private let end: SuspendingClock.Instant

  init(seconds: Double) {
    self.seconds = seconds
    end = SuspendingClock().now + .seconds(seconds)
  }

  var hasPassed: Bool { SuspendingClock().now >= end }

  /// - Throws: ``ChildProcess/Fault/tooSlow(seconds:)`` once it has passed.
  func check() throws(ChildProcess.Fault) {
    if hasPassed { throw .tooSlow(seconds: seconds) }
  }

  /// What is left, rounded up, so that waiting that long is enough.
  var milliseconds: CInt {
    let left = (end - SuspendingClock().now) / .milliseconds(1)
    return left <= 0 ? 0 : CInt(min(left.rounded(.up), 1e6))
  }
}
