/// The numbers of an optimiser that schedules may change from step to step.
public struct Hyperparameters: Sendable, Equatable, Codable {
  /// The step size.
  public var learningRate: Double
  /// The decay rate of the moving gradient; β₁ in Adam and its variants.
  public var momentum: Double
  /// The weight decay of the parameters that decay.
  public var weightDecay: Double

  /// The three numbers, unchecked: a schedule may pass through any value.
  public init(learningRate: Double, momentum: Double, weightDecay: Double = 0) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.weightDecay = weightDecay
  }

  /// Refuses numbers that no optimiser can use.
  ///
  /// - Throws: ``OptimizerError/outOfRange(optimizer:parameter:value:expected:)``.
  public func validate(for optimizer: String) throws(OptimizerError) {
    try OptimizerError.checkNotNegative(learningRate, "learning rate", of: optimizer)
    try OptimizerError.checkFraction(momentum, "momentum", of: optimizer)
    try OptimizerError.checkNotNegative(weightDecay, "weight decay", of: optimizer)
  }
}
