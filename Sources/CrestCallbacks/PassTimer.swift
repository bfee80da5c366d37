import CrestRuntime
public import CrestTraining

/// Measures how long training and validation take, all in all.
///
/// Epochs report `training_seconds` and `validation_seconds`, of the fit so far; a resumed run continues counting. A limit
/// of the time is ``TimeLimit``.
///
/// Lightning's `Timer`, ignite's `Timer`.
public final class PassTimer: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The time of training in the passes that ended, in seconds.
    public fileprivate(set) var trainingSeconds = 0.0
    /// The time of validation in the passes that ended, in seconds.
    public fileprivate(set) var validationSeconds = 0.0
  }

  /// All it remembers.
  public var state = State()

  /// A timer that has measured nothing.
  public init() {}

  /// Adds up the passes' own times.
  public var hooks: [Hook] {
    [
      .beforeFit { [self] _ in state = State() },
      .afterTrain { [self] in state.trainingSeconds += $0.result?.seconds ?? 0 },
      .afterValidate { [self] in state.validationSeconds += $0.result?.seconds ?? 0 },
      .afterEpoch(report),
    ]
  }
  /// The times so far.
  public var reports: [String] { ["training_seconds", "validation_seconds"] }

  /// Times that aren't.
  public func objection(to state: State, in learner: Learner) -> String? {
    [state.trainingSeconds, state.validationSeconds].allSatisfy { $0.isFinite && $0 >= 0 }
      ? nil : "times of at least 0 s"
  }

  private func report(_ epoch: EpochContext) {
    epoch.learner.report(state.trainingSeconds, as: "training_seconds")
    epoch.learner.report(state.validationSeconds, as: "validation_seconds")
  }
}
