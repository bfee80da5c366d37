public import CrestOptimizers
import CrestTensor

extension Learner {
  /// The effective hyperparameters of the last parameter group: of the running fit, or of the last
  /// one.
  public var hyperparameters: Hyperparameters { table.values }

  /// A part of a hyperparameter of the running fit, or the last one.
  ///
  /// In a fit, a callback that has the part among its ``Callback/owns`` may set it in its hooks;
  /// each fit begins with the optimiser's default values.
  ///
  /// - Precondition: to set it, the hook of a callback that owns it is running, and the value is finite
  ///   and not negative.
  public subscript(part: Hyperparameter.Part) -> Double {
    get { table[part] }
    set {
      preconditionOwnership(of: part)
      table[part] = newValue
    }
  }

  /// The learning rate of each group of parameters: of the running fit, or the last one.
  public var learningRates: [Double] {
    trained.rateFactors.map { hyperparameters.learningRate * $0 }
  }

  /// Sets the parameter groups' learning rates in the proportions of `rates` for the rest of the
  /// fit; the last group gets the effective learning rate, and each fit begins with one rate for
  /// all.
  ///
  /// - Precondition: the hook of a callback that owns the learning rate is running.
  /// - Throws: `ParameterError` when a rate isn't finite and above 0, or there isn't one for each group.
  public func spreadLearningRate(over rates: ParameterGroup.Values) throws(ParameterError) {
    preconditionOwnership(of: .base(.learningRate))
    try trained.setRates(rates)
  }

  /// Reports a number of the running epoch, which logs and progress show beside the metrics; of several
  /// in an epoch the last one counts.
  ///
  /// - Precondition: the hook of a callback that has `name` among its ``Callback/reports`` is running,
  ///   and so is an epoch, its after hooks included.
  public func report(_ value: Double, as name: String) {
    guard let loop else { programmerError("\(name) was reported while no fit is running") }
    loop.report(value, as: name)
  }

  private func preconditionOwnership(of part: Hyperparameter.Part) {
    guard let loop else { programmerError("\(part) was set while no fit is running") }
    loop.roles.requireOwner(of: part, loop.runningCallback)
  }
}
