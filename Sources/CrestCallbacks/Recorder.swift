import CrestOptimizers
public import CrestTraining

/// Remembers losses, learning rates and momenta of steps and the results of each epoch of the last fit.
///
/// fastai's `Recorder`, Keras's `History`. Of a long fit it keeps fewer steps, evenly spread from the first to the last:
/// each one up to 2,048, then every second, every fourth and so on, at least 1,024. So neither its memory nor its part
/// of a checkpoint grows with the number of steps, unless it is asked for every step.
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
    /// How many steps there are for each that is kept, if not every one was asked for; a power of two.
    private var stride = 1

    fileprivate init() {}

    private enum CodingKeys: CodingKey {
      case step, loss, smoothedLoss, learningRate, momentum, epochs
    }

    /// Adds a step, which may be one too many.
    fileprivate mutating func add(_ step: Step) {
      guard step.step.isMultiple(of: stride) else { return }
      steps.append(step)
      // More than once for a checkpoint that has every step.
      while steps.count > Recorder.stepLimit {
        stride *= 2
        steps.removeAll { !$0.step.isMultiple(of: stride) }
      }
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
      // Steps that were thinned out are more than half of the limit, and every one a multiple of the stride.
      if steps.count > Recorder.stepLimit / 2 {
        stride = 1 << min(step.reduce(0, |).trailingZeroBitCount, Int.bitWidth - 2)
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
  /// The steps of the last fit that are kept, in order.
  public var steps: [Step] { state.steps }
  /// The epochs of the last fit.
  public var epochs: [Epoch] { state.epochs }
  /// Whether it keeps every step.
  public let everyStep: Bool
  /// The most steps that are kept if not every one is.
  fileprivate static let stepLimit = 2048

  /// An empty recorder.
  ///
  /// - Parameter everyStep: Whether every step is kept, which takes 40 bytes each, in memory and in checkpoints.
  public init(everyStep: Bool = false) { self.everyStep = everyStep }

  /// Resets before the fit, and records steps and epochs.
  public var hooks: [Hook] { [.beforeFit(reset), .afterStep(note), .afterEpoch(note)] }
  /// After what changes losses.
  public var order: Int { CallbackOrder.recorder }

  private func reset(_ fit: FitContext) {
    state = State()
    // One more than are kept is there for a moment.
    let most = everyStep ? fit.stepCount : min(fit.stepCount, Self.stepLimit + 1)
    state.steps.reserveCapacity(most)
  }

  private func note(_ batch: BatchContext) {
    guard batch.outcome.isFinished else { return }
    let step = Step(
      step: batch.step, loss: batch.loss, smoothedLoss: batch.fit.smoothedLoss,
      learningRate: batch.hyperparameters.learningRate, momentum: batch.hyperparameters.momentum)
    if everyStep {
      state.steps.append(step)
    } else {
      state.add(step)
    }
  }

  private func note(_ epoch: EpochContext) {
    guard epoch.outcome.isInOrder else { return }
    state.epochs.append(Epoch(train: epoch.train, validation: epoch.validation))
  }
}
