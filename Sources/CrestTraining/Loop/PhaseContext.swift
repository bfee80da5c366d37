import CrestLayers
import CrestOptimizers
public import CrestRuntime
import CrestTensor

/// What the hooks around a phase see of it, valid while it lasts.
public class PhaseContext {
  /// The learner whose phase it is.
  public let learner: Learner
  /// How the phase ended, for its after hooks; `.running` before.
  public internal(set) var outcome = Outcome.running

  init(_ learner: Learner) { self.learner = learner }
}

/// What hooks see of a fit.
public final class FitContext: PhaseContext {
  /// What the fit remembers.
  var state: LoopState
  /// The number of epochs.
  public var epochCount: Int { state.epochCount }
  /// The training batches of an epoch.
  public private(set) var batchesPerEpoch: Int
  /// The validation batches of an epoch at most; nil for all.
  private var validationLimit: Int?
  /// Nodes of the training program without a kernel, which run on the slow reference.
  public let referenceNodes: [Program.ReferenceNode]
  /// What makes the fit slow, for messages: a debug build, operations without kernels.
  public var slowdowns: [String] {
    var slowdowns: [String] = []
    if !Engine.isOptimized {
      slowdowns.append("slow, kernels were built without optimisation: build with -c release")
    }
    if !referenceNodes.isEmpty {
      let names = referenceNodes.map { "\($0.operation) (\($0.path), \($0.stage))" }
      slowdowns.append("slow, no kernel for: \(names.joined(separator: ", "))")
    }
    return slowdowns
  }
  /// The optimiser steps taken in this fit so far.
  public var stepsTaken: Int { state.stepsTaken }
  /// The training loss over the last few dozen batches of this fit; NaN before the first.
  ///
  /// fastai's `AvgSmoothLoss`.
  public var smoothedLoss: Double { state.smoothedLoss.value }
  /// The names under which callbacks of the fit report numbers, in the order of the callbacks.
  public let reportNames: [String]
  /// The names under which callbacks of the fit report numbers of training steps, in the order of the callbacks.
  public let stepReportNames: [String]
  var restoration: Learner.Snapshot?
  /// What the fit ends with when those who save it have done so.
  private(set) var failure: (any Error)?

  /// Ends the fit with `error` before the next batch, or after the last, once `beforeInterruption`
  /// hooks have saved it.
  ///
  /// For errors that must end a fit but don't harm it, such as a log that can't be written; the
  /// first error counts. An error thrown from a hook ends the fit at once, and nothing can be saved
  /// there.
  public func end(with error: any Error) { failure = failure ?? error }

  var resumption: Learner.Resumption?

  /// Whether the fit resumes a saved one; callbacks restored by then have their state after the
  /// `beforeFit` hooks.
  public var isResumed: Bool { resumption != nil }

  /// The optimiser steps of the fit when nothing is cancelled: the length of schedules.
  public var stepCount: Int {
    epochCount * LoopState.steps(in: batchesPerEpoch, by: batchesPerStep)
  }

  /// The training batches whose gradients make one optimiser step, the last of an epoch perhaps of fewer; 1
  /// unless a callback accumulates gradients, which sets it in its `beforeFit` hook.
  public private(set) var batchesPerStep = 1

  /// Declares that a callback takes one optimiser step per `batchesPerStep` training batches and
  /// one after the last batch of an epoch, so that schedules have the right length.
  ///
  /// - Throws: ``LearnerError/twoAccumulators`` when another has said so.
  /// - Precondition: `batchesPerStep` is positive, and a `beforeFit` hook is running.
  public func accumulate(batchesPerStep: Int) throws(LearnerError) {
    requireBeginning("steps of \(batchesPerStep) batches were chosen")
    programmerError(unless: batchesPerStep > 0, "a step of \(batchesPerStep) batches")
    guard !isAccumulating else { throw .twoAccumulators }
    isAccumulating = true
    self.batchesPerStep = batchesPerStep
  }

  private var isAccumulating = false

  /// Declares that a callback ends the passes of each epoch after some batches, so that schedules have the right
  /// length.
  ///
  /// Of several limits the lowest counts.
  ///
  /// - Parameters:
  ///   - training: The training batches of an epoch at most; nil for all.
  ///   - validation: The validation batches at most; nil for all.
  /// - Precondition: the limits are positive, and a `beforeFit` hook is running.
  public func limitBatches(training: Int?, validation: Int?) {
    requireBeginning("batches were limited")
    for limit in [training, validation].compactMap(\.self) {
      programmerError(unless: limit > 0, "a limit of \(limit) batches")
    }
    if let training { batchesPerEpoch = min(batchesPerEpoch, training) }
    if let validation { validationLimit = min(validationLimit ?? validation, validation) }
  }

  /// The batches of a pass that has so many.
  func limited(_ count: Int, of purpose: PassContext.Purpose) -> Int {
    switch purpose {
    case .training: min(count, batchesPerEpoch)
    case .validation: min(count, validationLimit ?? count)
    }
  }

  /// Declares that a callback exchanges the model's weights from validation to the next epoch.
  ///
  /// The callback restores the trained weights itself, and declares this in its `beforeFit` hook.
  ///
  /// - Throws: ``LearnerError/twoLenders(first:second:)`` when another has said so: each would
  ///   mistake the other's weights for the trained ones.
  /// - Precondition: a `beforeFit` hook is running.
  public func lendWeights(by callback: some Callback) throws(LearnerError) {
    requireBeginning("\(callback.name) lends weights")
    if let lender { throw .twoLenders(first: lender, second: callback.name) }
    lender = callback.name
  }

  private var lender: String?

  /// Declares that a callback lets the learning rate rise, or fall, over `steps` steps, and adds a note to the learner's
  /// when the running statistics of batch norm can't follow (``Learner/Note/slowBatchNorm(kept:halfCycle:)``).
  ///
  /// Of several declarations the shortest counts.
  ///
  /// - Precondition: a `beforeFit` hook is running.
  public func declareCycle(halfCycle steps: Int) {
    requireBeginning("a half cycle of \(steps) steps was declared")
    halfCycle = min(halfCycle ?? steps, steps)
  }

  /// Declares that a callback estimates the running statistics of batch norm before each validation, so that their
  /// momentum doesn't matter.
  ///
  /// - Precondition: a `beforeFit` hook is running.
  public func declareBatchNormRecomputation() {
    requireBeginning("an estimate of batch-norm statistics was declared")
    recomputesBatchNorm = true
  }

  /// Declares the learning rates that a schedule has for the steps of the fit, of which it has `total`, before anything
  /// multiplies them.
  ///
  /// - Precondition: a `beforeFit` hook is running.
  public func declareLearningRates(_ rate: @escaping (_ step: Int, _ total: Int) -> Double) {
    requireBeginning("a schedule was declared")
    scheduledRate = rate
  }

  /// The highest learning rate that the declared schedule has for `step` or a later one; nil if none was declared, or
  /// there is no such step.
  public func highestLearningRate(from step: Int) -> Double? {
    guard let scheduledRate, step < stepCount else { return nil }
    return (max(step, 0)..<stepCount).lazy.map { scheduledRate($0, self.stepCount) }.max()
  }

  private var scheduledRate: ((_ step: Int, _ total: Int) -> Double)?
  private var halfCycle: Int?
  private var recomputesBatchNorm = false

  /// Notes what the declarations come to.
  func noteDeclarations() {
    if learner.optimizer is any AveragingOptimizer { noteAverage() }
    guard let halfCycle, !recomputesBatchNorm else { return }
    learner.noteSlowBatchNorm(halfCycle: halfCycle)
  }

  /// Notes what doesn't go well with an optimiser that averages weights itself.
  private func noteAverage() {
    if !recomputesBatchNorm, learner.hasTrainedBatchNorm {
      learner.addOnce(.batchNormOfOtherWeights(optimizer: learner.optimizer.name))
    }
    if let scheduledRate, let highest = highestLearningRate(from: 0),
      scheduledRate(stepCount - 1, stepCount) < highest / 2
    {
      learner.addOnce(.scheduledAverage(optimizer: learner.optimizer.name))
    }
  }

  /// Ends the program unless a `beforeFit` hook is running.
  private func requireBeginning(_ what: String) {
    programmerError(
      unless: learner.loop?.runningPhases == [.fit] && stepsTaken == 0,
      "\(what) at step \(stepsTaken), which only a beforeFit hook may do")
  }

  init(
    _ learner: Learner, epochCount: Int, batchesPerEpoch: Int,
    referenceNodes: [Program.ReferenceNode],
    reportNames: [String], stepReportNames: [String]
  ) {
    state = LoopState(epochCount: epochCount)
    self.batchesPerEpoch = batchesPerEpoch
    self.referenceNodes = referenceNodes
    self.reportNames = reportNames
    self.stepReportNames = stepReportNames
    super.init(learner)
  }

  /// Makes the fit a rehearsal: however it ends, the learner is restored to `snapshot` after all
  /// hooks.
  public func restoreWhenEnded(_ snapshot: Learner.Snapshot) { restoration = snapshot }

  /// Restores the weights of an epoch; if the fit ends with them, its result is that epoch's.
  ///
  /// It is called in `afterFit` hooks; a later call replaces an earlier one.
  ///
  /// - Precondition: the weights are of a model of the same parameters.
  public func restore(_ measured: FitResult.MeasuredWeights) {
    measured.weights.write(to: learner.model.store)
    held = (measured.results, learner.model.store.fingerprint)
  }

  /// What ``restore(_:)`` was last called with.
  var held: (results: FitResult.Epoch, fingerprint: String)?

  /// Makes the fit resume the one in which `checkpoint` was saved, after all `beforeFit` hooks.
  ///
  /// A later call replaces an earlier one.
  ///
  /// - Precondition: a `beforeFit` hook is running.
  public func resume(from checkpoint: Learner.Resumption) {
    requireBeginning("a fit was resumed")
    resumption = checkpoint
  }
}

/// What hooks see of an epoch.
public final class EpochContext: PhaseContext {
  /// The fit it belongs to.
  public let fit: FitContext
  /// Its index in the fit, from 0.
  public let index: Int
  /// The results of the training pass so far; nil before its first example.
  public var train: FitResult.Pass? { fit.state.train }
  /// The results of the validation pass so far; nil before its first example.
  public internal(set) var validation: FitResult.Pass?
  /// What callbacks reported in this epoch, by name.
  public var reports: [String: Double] { fit.state.reports }
  /// The learning rate of the last step: what changes it afterwards changes the next epoch's.
  lazy var learningRate = learner.hyperparameters.learningRate
  /// Of the weights that validation measured; nil before it saw an example.
  var measuredFingerprint: String?
  /// The time that both passes took, in seconds.
  public var seconds: Double { (train?.seconds ?? 0) + (validation?.seconds ?? 0) }

  init(_ fit: FitContext, index: Int) {
    self.fit = fit
    self.index = index
    super.init(fit.learner)
  }
}

/// What hooks see of a pass over the training or the validation examples.
public final class PassContext: PhaseContext {
  /// What examples are used for.
  public enum Purpose: String, Sendable, Hashable, Codable {
    /// Training.
    case training
    /// Validation.
    case validation
  }

  /// The epoch it belongs to.
  public let epoch: EpochContext
  /// Its place among the passes of all fits of the learner, from 1.
  package let number: Int
  /// What its examples are used for.
  public let purpose: Purpose
  /// The number of batches.
  public let batchCount: Int
  /// The number of the order its examples come in: of the epoch in all fits, whatever a hook restores meanwhile.
  var order = 0
  /// The results of the pass so far, for its after hook; nil if there were no examples.
  public var result: FitResult.Pass? { purpose == .training ? epoch.train : epoch.validation }

  init(_ epoch: EpochContext, _ purpose: Purpose, batchCount: Int) {
    self.epoch = epoch
    self.purpose = purpose
    self.batchCount = batchCount
    epoch.learner.passesBegun += 1
    number = epoch.learner.passesBegun
    super.init(epoch.learner)
  }
}
