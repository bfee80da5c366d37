import CrestOptimizers
public import CrestTraining

/// Remembers losses, learning rates and momenta of each step and the results of each epoch of the last
/// fit.
///
/// fastai's `Recorder`, Keras's `History`.
public final class Recorder: StatefulCallback {
  /// A training step.
  public struct Step: Codable, Sendable, Hashable {
    /// Its index in the fit, from 0.
    public let step: Int
    /// The mean loss of its batch.
    public let loss: Float
    /// The loss over the last few dozen batches.
    public let smoothedLoss: Double
    /// The learning rate, of the last group of parameters.
    public let learningRate: Double
    /// The momentum, or β₁.
    public let momentum: Double
  }

  /// An epoch.
  public struct Epoch: Codable, Sendable, Hashable {
    /// The training results; nil if there were no examples.
    public let train: FitResult.Pass?
    /// The validation results; nil if there were no examples.
    public let validation: FitResult.Pass?
  }

  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The steps of the last fit.
    public fileprivate(set) var steps: [Step] = []
    /// The epochs of the last fit.
    public fileprivate(set) var epochs: [Epoch] = []

    fileprivate init() {}

    private enum CodingKeys: CodingKey {
      case step, loss, smoothedLoss, learningRate, momentum, epochs
    }

    /// Reads the steps column by column.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      let step = try container.decode([Int].self, forKey: .step)
      let loss = try container.decode([Float].self, forKey: .loss)
      let smoothedLoss = try container.decode([Double].self, forKey: .smoothedLoss)
      let learningRate = try container.decode([Double].self, forKey: .learningRate)
      let momentum = try container.decode([Double].self, forKey: .momentum)
      epochs = try container.decode([Epoch].self, forKey: .epochs)
      let counts = [loss.count, smoothedLoss.count, learningRate.count, momentum.count]
      guard counts.allSatisfy({ $0 == step.count }) else {
        throw DecodingError.dataCorruptedError(
          forKey: .step, in: container, debugDescription: "columns of one length")
      }
      steps = step.indices.map { index in
        Step(
          step: step[index], loss: loss[index], smoothedLoss: smoothedLoss[index],
          learningRate: learningRate[index], momentum: momentum[index])
      }
    }

    /// Writes the steps column by column, which a checkpoint holds as arrays.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(steps.map(\.step), forKey: .step)
      try container.encode(steps.map(\.loss), forKey: .loss)
      try container.encode(steps.map(\.smoothedLoss), forKey: .smoothedLoss)
      try container.encode(steps.map(\.learningRate), forKey: .learningRate)
      try container.encode(steps.map(\.momentum), forKey: .momentum)
      try container.encode(epochs, forKey: .epochs)
    }
  }

  /// All it remembers.
  public var state = State()
  /// The steps of the last fit.
  public var steps: [Step] { state.steps }
  /// The epochs of the last fit.
  public var epochs: [Epoch] { state.epochs }

  /// An empty recorder.
  public init() {}

  /// Resets before the fit, and records steps and epochs.
  public var hooks: [Hook] { [.beforeFit(reset), .afterStep(note), .afterEpoch(note)] }
  /// After what changes losses.
  public var order: Int { CallbackOrder.recorder }

  private func reset(_ fit: FitContext) {
    state = State()
    state.steps.reserveCapacity(fit.stepCount)
  }

  private func note(_ batch: BatchContext) {
    guard batch.outcome.isFinished else { return }
    state.steps.append(
      Step(
        step: batch.step, loss: batch.loss, smoothedLoss: batch.fit.smoothedLoss,
        learningRate: batch.hyperparameters.learningRate,
        momentum: batch.hyperparameters.momentum))
  }

  private func note(_ epoch: EpochContext) {
    guard epoch.outcome.isInOrder else { return }
    state.epochs.append(Epoch(train: epoch.train, validation: epoch.validation))
  }
}
