extension RangeTest {
  /// What makes a verdict less certain, or impossible.
  public enum Doubt: String, Sendable, Hashable, CaseIterable, Codable {
    /// Fewer than 20 points, or never 0.1 above chance.
    case notLearning
    /// The first rate is the best.
    case startsTooHigh
    /// It holds, but the range ends below ten times a usual rate, up to which most networks do.
    case rangeTooNarrow
    /// It holds, but the network learned so late that the rate was high by then.
    case tooShort
    /// Points lie too far from their running median.
    case tooRagged

    /// Whether there is no verdict at all.
    public var isRefusal: Bool { self == .notLearning || self == .startsTooHigh }
  }
}

extension RangeTest.Doubt: CustomStringConvertible {
  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .notLearning:
      "the network never does better than chance by a tenth: check the data and the model, or try lower rates"
    case .startsTooHigh:
      "the first rate is the best: begin lower, with a tenth of the largest rate"
    case .rangeTooNarrow:
      "the range ends below ten times a usual rate, up to which most networks hold: extend it to 30 times"
    case .tooShort:
      "the network learned late, when its rate was already above a quarter of the largest: double the steps"
    case .tooRagged:
      "points lie far from their neighbours: hold out more examples, or take a larger batch"
    }
  }
}
