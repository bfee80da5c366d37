extension Learner {
  /// A return of training to an earlier state, because it had diverged, at lower learning rates from there on.
  public struct BackOff: Codable, Sendable, Hashable {
    /// What showed the divergence.
    public enum Cause: String, Codable, Sendable, Hashable, CaseIterable {
      /// A loss of training or validation that isn't finite, or a prediction that is not a number.
      case lossNotFinite
      /// A training loss that stayed far above its best.
      case lossRose
      /// A parameter, a moment or a running statistic that isn't finite.
      case weightsNotFinite
    }

    /// What showed the divergence.
    public let cause: Cause
    /// The optimiser step of the fit at which that was, from 0.
    public let step: Int
    /// The steps after which the weights were as they are again.
    public let restoredStep: Int
    /// The highest learning rate of what is left of the fit, of the last group of parameters.
    public let highestRate: Double

    /// A return from `step`, counted as in ``BatchContext/step``, to what was after `restoredStep` steps.
    public init(cause: Cause, step: Int, restoredStep: Int, highestRate: Double) {
      (self.cause, self.step) = (cause, step)
      (self.restoredStep, self.highestRate) = (restoredStep, highestRate)
    }
  }
}

extension Learner.BackOff: CustomStringConvertible {
  /// What was found, and what was done.
  public var description: String {
    let found =
      switch cause {
      case .lossNotFinite: "the loss was not finite"
      case .lossRose: "the training loss stayed far above its best"
      case .weightsNotFinite: "a weight was not finite"
      }
    return
      "\(found) in step \(step): training goes on from the weights after \(restoredStep) steps, with learning "
      + "rates of at most \(highestRate)"
  }
}
