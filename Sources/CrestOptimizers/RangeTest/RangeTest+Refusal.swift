extension RangeTest {
  /// Why a range test, or another search for a learning rate, can't be made.
  public enum Refusal: Error, Equatable, Sendable {
    /// A number that is out of range.
    case outOfRange(parameter: String, value: String, expected: String)
    /// Data all of whose held-out examples are of one class, so that nothing can be learned of classes.
    case oneClass(data: String, label: Int64)
    /// A loss of the untrained network from which progress can't be told.
    case untrainedLoss(Double, loss: String)
    /// Losses that never fall at any rate that was tried.
    case neverLearns(rates: ClosedRange<Double>)
    /// No rate that was tried in short runs, after which the loss was finite.
    case allDiverged(rates: [Double])
    /// A curve that allows no verdict, where one was needed to go on.
    case noVerdict([Doubt])
  }
}

extension RangeTest.Refusal: CustomStringConvertible {
  /// What is wrong, what was expected, and what to do.
  public var description: String {
    switch self {
    case .outOfRange(let parameter, let value, let expected):
      "range test: \(parameter) is \(value), expected \(expected)"
    case .oneClass(let data, let label):
      "\(data): all held-out examples are of class \(label), so nothing can be learned; add examples of others"
    case .untrainedLoss(let value, let loss):
      "the loss \(loss) of the untrained network is \(value), expected a number above 0, from which progress can be "
        + "told; use a loss that is never below 0"
    case .neverLearns(let rates):
      "the loss falls at no learning rate from \(rates.lowerBound.short) to \(rates.upperBound.short): check the "
        + "data, the loss and what is frozen"
    case .allDiverged(let rates):
      "training diverged at every learning rate that was tried, \(rates.map(\.short).joined(separator: ", ")): check "
        + "the data and the model, or give a rate"
    case .noVerdict(let doubts):
      "range test: no verdict: " + doubts.map { "\($0)" }.joined(separator: "; ")
    }
  }
}
