import CrestRuntime
public import CrestTraining

/// Ends a fit after some time, with a validation of what was trained.
///
/// The training pass ends after the batch in which the time runs out, the epoch is validated, and
/// the fit ends. The time of validation counts too. A resumed run continues counting.
///
/// Lightning's `Timer`, TensorFlow Addons' `TimeStopping`.
public final class TimeLimit: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The time of the fit so far, in seconds.
    public fileprivate(set) var seconds: Double
  }

  /// The time after which the fit ends, in seconds.
  public let seconds: Double
  /// All it remembers.
  public var state: State {
    get { State(seconds: before + (now() - start) / .seconds(1)) }
    set {
      before = newValue.seconds
      start = now()
    }
  }
  private var before = 0.0
  private var start = Duration.zero
  private let now: () -> Duration

  /// A limit of a fit's time.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless `seconds` is above 0.
  public convenience init(seconds: Double) throws(CallbackError) {
    let start = ContinuousClock.now
    try self.init(seconds: seconds) { ContinuousClock.now - start }
  }

  /// A limit by a clock of the caller's.
  package init(seconds: Double, now: @escaping () -> Duration) throws(CallbackError) {
    guard seconds > 0 else {
      throw .outOfRange(
        callback: "TimeLimit", parameter: "seconds", value: "\(seconds)",
        expected: "a number above 0")
    }
    self.seconds = seconds
    self.now = now
  }

  /// Checks after each training batch and each epoch.
  public var hooks: [Hook] {
    [.beforeFit(begin), .afterBatch(checkBatch), .afterEpoch(checkEpoch)]
  }
  /// After what reports the epoch.
  public var order: Int { CallbackOrder.stopper }

  /// A time that is not a valid number of seconds.
  public func objection(to state: State, in learner: Learner) -> String? {
    state.seconds.isFinite && state.seconds >= 0 ? nil : "a time of at least 0 s"
  }

  private var reason: String? { state.seconds >= seconds ? "\(seconds) s have passed" : nil }

  private func begin(_ fit: FitContext) { state = State(seconds: 0) }

  private func checkBatch(_ batch: BatchContext) throws {
    if batch.isTraining, let reason { throw Cancel(.train, reason: reason) }
  }

  private func checkEpoch(_ epoch: EpochContext) throws {
    if epoch.outcome.isInOrder, let reason { throw Cancel(.fit, reason: reason) }
  }
}
