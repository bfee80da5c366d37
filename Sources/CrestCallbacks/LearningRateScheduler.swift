import CrestOptimizers
public import CrestTraining

/// Sets the learning rate by a function of your own.
///
/// ```swift
/// try learner.fit(epochs: 10, callbacks: [
///   LearningRateScheduler("drop") { epoch, rate in epoch < 5 ? rate : rate * 0.9 }
/// ])
/// ```
///
/// A checkpoint holds the rate and the scheduler's name, not the function: a run that is resumed must have a scheduler
/// of the same name, and the function be as it was, which nothing can check. Change the name when you change the
/// function. A function of the step alone is better a `Schedule("name") { step, stepCount in … }`, whose settings are
/// compared.
///
/// Keras's `LearningRateScheduler`, PyTorch's `LambdaLR` and `MultiplicativeLR`.
public final class LearningRateScheduler: Callback {
  /// When the function is asked.
  public enum Frequency: String, Sendable, Hashable {
    /// Before each epoch, with its index from 0.
    case epoch
    /// Before each training batch, with the index of the optimiser step that it leads to, from 0.
    case step
  }

  /// The name of the function, by which a run is resumed.
  public let function: String
  /// When the function is asked.
  public let every: Frequency
  private let rate: (_ index: Int, _ rate: Double) throws -> Double

  /// A scheduler.
  ///
  /// - Parameters:
  ///   - function: The name of the function, for checkpoints.
  ///   - every: When it is asked.
  ///   - rate: The learning rate for an epoch or step, given the one that is set, of the last group of parameters; finite
  ///     and at least 0. What it throws ends the fit.
  public init(
    _ function: String, every: Frequency = .epoch,
    rate: @escaping (_ index: Int, _ rate: Double) throws -> Double
  ) {
    self.function = function
    self.every = every
    self.rate = rate
  }

  /// Asks for the rate before each epoch or batch.
  public var hooks: [Hook] {
    switch every {
    case .epoch: [.beforeEpoch { try self.set($0.index, $0.learner) }]
    case .step: [.beforeBatch { if $0.isTraining { try self.set($0.step, $0.learner) } }]
    }
  }
  /// After what changes a batch.
  public var order: Int { CallbackOrder.scheduler }
  /// The base of the learning rate.
  public var owns: Set<Hyperparameter.Part> { [.base(.learningRate)] }
  /// The name of the function, and when it is asked.
  public var settings: [String: String] { ["function": function, "every": every.rawValue] }

  private func set(_ index: Int, _ learner: Learner) throws {
    let value = try rate(index, learner[.base(.learningRate)])
    guard value.isFinite && value >= 0 else {
      throw CallbackError.outOfRange(
        callback: name, parameter: "learning rate of \(function)",
        value: "\(value) in \(every) \(index)", expected: "a finite number of at least 0")
    }
    learner[.base(.learningRate)] = value
  }
}
