/// The numbers of an optimiser that schedules may change from step to step.
public struct Hyperparameters: Sendable, Equatable, Codable {
  /// The step size.
  public var learningRate: Double
  /// The part of the moving gradient that stays; β₁ for Adam and its kin.
  public var momentum: Double
  /// How strongly decayed parameters are pulled to 0.
  public var weightDecay: Double

  /// The three numbers, unchecked: a schedule may pass through anything.
  public init(learningRate: Double, momentum: Double, weightDecay: Double = 0) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
  }

  /// Refuses numbers no optimiser has a meaning for.
  ///
  /// - Throws: ``OptimizerError/outOfRange(optimizer:parameter:value:expected:)``.
  public func validate(for optimizer: String) throws(OptimizerError) {
    try OptimizerError.checkNotNegative(learningRate, "learning rate", of: optimizer)
    try OptimizerError.checkFraction(momentum, "momentum", of: optimizer)
    try OptimizerError.checkNotNegative(weightDecay, "weight decay", of: optimizer)
  }
}
