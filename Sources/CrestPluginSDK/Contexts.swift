import CCrestPlugin

/// What the hooks around a phase see, valid while the hook runs.
public protocol PhaseContext {
  /// The trainer's services.
  var host: Host { get }
  /// How the phase ended, for its after hooks; `.running` before.
  var outcome: Outcome { get }
}

/// How a phase ended.
public enum Outcome: Sendable, Hashable {
  /// It has not ended yet.
  case running
  /// It did all it had to do.
  case finished
  /// A callback ended it, and why.
  case cancelled(String)
  /// The user ended it.
  case interrupted
  /// An error ended it, and which.
  case failed(String)

  /// Whether the phase did all it had to do.
  public var isFinished: Bool { self == .finished }

  init(_ event: UnsafePointer<crest_event>) {
    let reason = event.pointee.reason.map { String(cString: $0) } ?? ""
    switch event.pointee.outcome {
    case CREST_FINISHED.number: self = .finished
    case CREST_CANCELLED.number: self = .cancelled(reason)
    case CREST_INTERRUPTED.number: self = .interrupted
    case CREST_FAILURE.number: self = .failed(reason)
    default: self = .running
    }
  }
}

/// The hyperparameters in effect.
public struct Hyperparameters: Sendable, Hashable {
  /// The step size.
  public let learningRate: Double
  /// Momentum, or β₁.
  public let momentum: Double
  /// The weight decay.
  public let weightDecay: Double
}

/// What hooks see of a fit.
public struct FitContext: PhaseContext {
  let event: UnsafePointer<crest_event>
  /// The trainer's services.
  public let host: Host

  /// How the fit ended.
  public var outcome: Outcome { Outcome(event) }
  /// The number of epochs.
  public var epochCount: Int { Int(event.pointee.epoch_count) }
  /// The optimiser steps of the fit when nothing is cancelled: the length of schedules.
  public var stepCount: Int { Int(event.pointee.step_count) }
  /// The optimiser steps taken in this fit so far.
  public var stepsTaken: Int { Int(event.pointee.step) }
  /// The training batches of an epoch.
  public var batchesPerEpoch: Int { stepCount / max(epochCount, 1) }
  /// The training loss over the last few dozen batches; NaN before the first.
  public var smoothedLoss: Double { event.pointee.smoothed_loss }
}

/// What hooks see of an epoch.
public struct EpochContext: PhaseContext {
  let event: UnsafePointer<crest_event>
  /// The trainer's services.
  public let host: Host

  /// How the epoch ended.
  public var outcome: Outcome { Outcome(event) }
  /// The fit it belongs to.
  public var fit: FitContext { FitContext(event: event, host: host) }
  /// Its index in the fit, from 0.
  public var index: Int { Int(event.pointee.epoch) }
  /// The mean loss of training; nil before it is known.
  public var trainLoss: Double? { known(event.pointee.train_loss) }
  /// The mean loss of validation; nil before it is known.
  public var validationLoss: Double? { known(event.pointee.validation_loss) }
  /// The metrics of validation, by name.
  public var metrics: [String: Double] {
    let all = UnsafeBufferPointer(
      start: event.pointee.metrics, count: Int(event.pointee.metric_count))
    return Dictionary(
      all.map { (String(cString: $0.name), $0.value) }, uniquingKeysWith: { first, _ in first })
  }

  private func known(_ loss: Double) -> Double? { loss.isNaN ? nil : loss }
}

/// What hooks see of a pass over the training or the validation examples.
public struct PassContext: PhaseContext {
  let event: UnsafePointer<crest_event>
  /// The trainer's services.
  public let host: Host

  /// How the pass ended.
  public var outcome: Outcome { Outcome(event) }
  /// The epoch it belongs to.
  public var epoch: EpochContext { EpochContext(event: event, host: host) }
  /// Whether the pass is for training rather than validation.
  public var isTraining: Bool { event.pointee.purpose == CREST_TRAINING.number }
  /// The number of batches.
  public var batchCount: Int { Int(event.pointee.batch_count) }
  /// The number of examples seen, for the after hook.
  public var exampleCount: Int { Int(event.pointee.example_count) }
  /// The mean loss, for the after hook; NaN when the pass saw no example.
  public var loss: Double { event.pointee.loss }
}

/// What hooks see of a batch.
public struct BatchContext: PhaseContext {
  let event: UnsafePointer<crest_event>
  /// The trainer's services.
  public let host: Host

  /// How the batch, the backward pass or the step ended.
  public var outcome: Outcome { Outcome(event) }
  /// The pass it belongs to.
  public var pass: PassContext { PassContext(event: event, host: host) }
  /// The fit it belongs to.
  public var fit: FitContext { FitContext(event: event, host: host) }
  /// The epoch, from 0.
  public var epoch: Int { Int(event.pointee.epoch) }
  /// The index in the pass, from 0.
  public var index: Int { Int(event.pointee.batch) }
  /// The number of examples.
  public var count: Int { Int(event.pointee.example_count) }
  /// The optimiser step of the fit that the batch leads to, from 0; in validation the steps taken so far.
  public var step: Int { Int(event.pointee.step) }
  /// Whether the batch is for training rather than validation.
  public var isTraining: Bool { event.pointee.purpose == CREST_TRAINING.number }
  /// The mean loss of the batch; NaN before it is computed.
  public var loss: Float { Float(event.pointee.loss) }
  /// The hyperparameters in effect.
  public var hyperparameters: Hyperparameters {
    Hyperparameters(
      learningRate: event.pointee.learning_rate, momentum: event.pointee.momentum,
      weightDecay: event.pointee.weight_decay)
  }
}
