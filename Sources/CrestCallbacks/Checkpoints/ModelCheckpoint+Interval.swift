extension ModelCheckpoint {
  /// How often a checkpoint is saved.
  public enum Interval: Sendable, Hashable, CustomStringConvertible {
    /// Every n epochs, after their validation.
    case epochs(Int)
    /// Every n optimiser steps.
    case steps(Int)
    /// Every n minutes, after the next training batch.
    case minutes(Double)

    /// As in `2 epochs`.
    public var description: String {
      switch self {
      case .epochs(let count): count == 1 ? "1 epoch" : "\(count) epochs"
      case .steps(let count): count == 1 ? "1 step" : "\(count) steps"
      case .minutes(let minutes): "\(minutes) minutes"
      }
    }

    /// Parses a ``description``, with or without the space; nil for any other text.
    public init?(_ text: String) {
      let number = text.prefix { $0.isNumber || $0 == "." }
      let unit = text.dropFirst(number.count).drop { $0 == " " }
      switch unit {
      case "epoch", "epochs":
        guard let count = Int(number) else { return nil }
        self = .epochs(count)
      case "step", "steps":
        guard let count = Int(number) else { return nil }
        self = .steps(count)
      case "minute", "minutes":
        guard let minutes = Double(number) else { return nil }
        self = .minutes(minutes)
      default: return nil
      }
    }

    /// Refuses what never comes, or always.
    func check(for callback: String) throws(CallbackError) {
      let isSensible =
        switch self {
        case .epochs(let count), .steps(let count): count >= 1
        case .minutes(let minutes): minutes.isFinite && minutes > 0
        }
      try CallbackError.require(isSensible, "every", self, "an interval above 0", of: callback)
    }
  }
}
