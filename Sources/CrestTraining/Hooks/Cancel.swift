/// Ends a phase early when thrown from a hook.
///
/// ```swift
/// throw Cancel(.fit, reason: "the loss is flat")
/// ```
///
/// The phase's after hooks run, as do those of the phases inside it, and training continues after
/// it. The rest of the phase is skipped: cancelling `.step` keeps the parameters, cancelling
/// `.backward` keeps the gradients as they are, for a callback that computes them itself.
///
/// fastai's `CancelBatchException` and similar; Keras's `stop_training` is a cancelled `.fit`.
public struct Cancel: Error, Hashable, Sendable {
  /// The phase to end.
  public let phase: Phase
  /// The reason, for the log.
  public let reason: String

  /// A request to end `phase`.
  public init(_ phase: Phase, reason: String) {
    self.phase = phase
    self.reason = reason
  }
}

extension PhaseContext {
  /// A ``Cancel`` and the callback it came from.
  public struct Cancellation: Error, Hashable, Sendable, Codable {
    /// The phase that was ended.
    public let phase: Phase
    /// Why.
    public let reason: String
    /// The name of the callback that ended it.
    public let callback: String
  }
}

extension PhaseContext.Cancellation: CustomStringConvertible {
  /// As in `fit cancelled by EarlyStopping: the loss is flat`.
  public var description: String { "\(phase) cancelled by \(callback): \(reason)" }
}

extension PhaseContext {
  /// How a phase ended, as its after hooks and the caller of `fit` see it.
  public enum Outcome: Sendable {
    /// It has not ended yet.
    case running
    /// It finished.
    case finished
    /// A callback ended it, or a phase around it.
    case cancelled(Cancellation)
    /// The learner's ``Learner/InterruptionFlag`` was raised.
    case interrupted
    /// An error ended it.
    case failed(any Error)

    /// Whether the phase did all it had to do.
    public var isFinished: Bool {
      if case .finished = self { true } else { false }
    }

    /// Whether the phase ended as it should or as a callback wanted it to, so that its results count.
    public var isInOrder: Bool {
      switch self {
      case .finished, .cancelled: true
      case .running, .interrupted, .failed: false
      }
    }

    /// What an error that leaves the body of a phase makes of it.
    init(_ error: any Error) {
      switch error {
      case let cancellation as Cancellation: self = .cancelled(cancellation)
      case LearnerError.interrupted: self = .interrupted
      default: self = .failed(error)
      }
    }

    /// Whether the loop ends in order and `phase` is where that stops.
    func ends(at phase: Phase) -> Bool {
      switch self {
      case .running, .failed: false
      case .finished: true
      case .cancelled(let cancellation): cancellation.phase == phase
      case .interrupted: phase == .fit
      }
    }

    /// How much it ends: of two reasons to end a phase, the one that ends more counts.
    var reach: Int {
      switch self {
      case .running, .finished: 0
      case .cancelled(let cancellation): Phase.allCases.count - cancellation.phase.rawValue
      case .interrupted: Phase.allCases.count + 1
      case .failed: Phase.allCases.count + 2
      }
    }
  }
}
