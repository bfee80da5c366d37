import CrestLayers
import CrestOptimizers
import CrestPlatform
public import CrestRuntime
import CrestTensor
public import CrestTraining

/// Goes back when training diverges: to the weights from before the rise, and to lower learning rates.
///
/// It acts when
///
/// - a loss of training or validation, a parameter, a moment or a running statistic isn't finite, or a prediction is
///   not a number, unless that came with the data; or
/// - the smoothed training loss has been above best + |best| + 0.5 for 50 batches, or for a tenth of a shorter fit's
///   (5 at least): more than twice its best, and 0.5. So dips of accuracy alone, which large rates bring, are left
///   alone; or
/// - the smoothed training loss is above a hundred times that.
///
/// Parameters, running statistics and moments then become those of the last copy from before: one is made every 50th of
/// the fit, and every 25 steps at most, while the loss is near its best, and counts as soon as the next is due and the
/// loss still is. The rates of the rest of the fit are multiplied so that the highest of them is a factor times the rate
/// at which training diverged, and at most that factor times what it would have been: `factor` the first time, its
/// square the second, as a rate that diverged twice is far too high, and so on. After `maxBackOffs` times it leaves the
/// fit to ``TerminateOnNaN``, which otherwise comes after it.
///
/// Data, schedules, random numbers, logs and checkpoints go on where they are: no example comes twice, and the batch in
/// which a loss showed the divergence takes no step. ``EMA`` begins again at the weights that came back, and validation
/// begins again if that is where it was. Each return is among the learner's notes (`Learner.Note.backedOff(_:)`).
///
/// It takes the memory of two copies, which checkpoints hold too, so that a run resumes with the same bits before and
/// after a return. Lightning's `SpikeDetection` skips batches instead.
public final class DivergenceGuard: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The returns so far, in order.
    public fileprivate(set) var backOffs: [Learner.BackOff] = []
    fileprivate var smoothed = SmoothedLoss()
    /// The batches that the smoothed loss is of.
    fileprivate var batches = 0
    /// The lowest smoothed loss, of enough batches that chance doesn't make it; until then that of the first batch.
    fileprivate var best: Double?
    /// The batches since the smoothed loss rose too far.
    fileprivate var risenBatches = 0
    /// The learning rate at which it did.
    fileprivate var riseRate: Double?
    /// What training goes back to.
    fileprivate var kept: Copy?
    /// What it will go back to if the loss stays near its best.
    fileprivate var candidate: Copy?
  }

  /// A state to go back to.
  fileprivate struct Copy: Codable, Sendable, Hashable {
    /// The steps of the fit before it.
    let step: Int
    let state: Learner.TrainingState
  }

  /// What the highest rate of the rest is of that at which training diverged first.
  public let factor: Double
  /// How often training goes back at most.
  public let maxBackOffs: Int
  /// All it remembers.
  public var state = State()
  /// The parameters that weren't finite when the fit began, as the infinities of a mask.
  private var accepted: [Program.NonFinite] = []

  /// The batches for which the loss is too high before it acts, in a long fit.
  private static let patience = 50
  /// How often the loss that is too high for a while is too high at once.
  private static let burst = 100.0
  /// The batches of which a smoothed loss may be the best.
  private static let settling = 20
  /// The copies that are made in a long fit.
  private static let copyCount = 50
  /// The least steps between two copies: fewer than a rise takes would copy the rise.
  private static let copyInterval = 25

  /// A guard.
  ///
  /// - Parameters:
  ///   - factor: What the highest rate of the rest of the fit is of that at which training diverged first.
  ///   - maxBackOffs: How often training goes back at most.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)``.
  public init(factor: Double = 0.5, maxBackOffs: Int = 3) throws(CallbackError) {
    try CallbackError.require(
      factor > 0 && factor < 1, "factor", factor, "a number above 0 and below 1",
      of: "DivergenceGuard")
    try CallbackError.require(
      maxBackOffs >= 1, "maxBackOffs", maxBackOffs, "at least 1", of: "DivergenceGuard")
    (self.factor, self.maxBackOffs) = (factor, maxBackOffs)
  }

  /// Looks at each loss and each step, and copies what it may go back to.
  public var hooks: [Hook] {
    [.beforeFit(begin), .afterLoss(check), .afterStep(checkStep), .afterFit(end)]
  }
  /// Before what ends a fit that diverges, and before what averages weights.
  public var order: Int { CallbackOrder.divergence }
  /// The factor of the learning rate.
  public var owns: Set<Hyperparameter.Part> { [.factor(.learningRate)] }
  /// The predictions: one that is not a number may leave the loss finite.
  public var reads: Set<Capture> { [.predictions] }
  /// By how much it lowers the rates, and how often.
  public var settings: [String: String] {
    ["factor": "\(factor)", "maxBackOffs": "\(maxBackOffs)"]
  }

  /// Copies of another model, or counts that can't be.
  public func objection(to state: State, in learner: Learner) -> String? {
    let copies = [state.kept, state.candidate].compactMap(\.self)
    guard state.kept != nil, copies.allSatisfy({ $0.state.fits(learner) }) else {
      return "copies of this model"
    }
    return (0..<Self.patience).contains(state.risenBatches) && state.batches >= 0
      && state.backOffs.count <= maxBackOffs
      ? nil : "fewer than \(Self.patience) batches and at most \(maxBackOffs) returns"
  }

  private func begin(_ fit: FitContext) {
    state = State()
    state.kept = Copy(step: 0, state: fit.learner.trainingState())
    accepted = fit.learner.model.store.nonFiniteParameters
  }

  private func end(_ fit: FitContext) { (state.kept, state.candidate) = (nil, nil) }

  // MARK: What shows a divergence

  private func check(_ batch: BatchContext) throws {
    guard state.backOffs.count < maxBackOffs else { return }
    if let cause = try notFinite(batch) { try goBack(batch, cause) }
    guard batch.isTraining else { return }
    let smoothed = state.smoothed.add(Double(batch.loss))
    state.batches += 1
    if state.batches >= Self.settling { state.best = min(state.best ?? smoothed, smoothed) }
    let best = state.best ?? smoothed
    state.best = best
    guard smoothed > limit(best) else {
      state.risenBatches = 0
      state.riseRate = nil
      return
    }
    if state.riseRate == nil { state.riseRate = batch.hyperparameters.learningRate }
    state.risenBatches += 1
    let isBurst = smoothed > Self.burst * limit(best)
    if isBurst || state.risenBatches >= patience(batch.fit) { try goBack(batch, .lossRose) }
  }

  private func patience(_ fit: FitContext) -> Int {
    min(Self.patience, max(5, fit.stepCount / 10))
  }

  /// Above which a smoothed loss is too high.
  private func limit(_ best: Double) -> Double { best + abs(best) + 0.5 }

  private func notFinite(_ batch: BatchContext) throws -> Learner.BackOff.Cause? {
    if batch.hasNaNPrediction || !batch.loss.isFinite {
      let error = try NonFiniteLoss(in: batch)
      if error.isOfData { throw error }
      return .lossNotFinite
    }
    return batch.learner.model.store.nonFiniteStatistics.isEmpty ? nil : .weightsNotFinite
  }

  private func checkStep(_ batch: BatchContext) {
    guard batch.outcome.isFinished, state.backOffs.count < maxBackOffs else { return }
    let isHarmed = batch.nonFiniteUpdates.contains { found in
      !accepted.contains { $0.source == found.source }
    }
    if isHarmed { return backOff(batch, .weightsNotFinite) }
    let done = batch.step + 1
    let interval = max(
      Self.copyInterval, (batch.fit.stepCount + Self.copyCount - 1) / Self.copyCount)
    guard done.isMultiple(of: interval), isNearBest(batch) else { return }
    state.kept = state.candidate ?? state.kept
    state.candidate = Copy(step: done, state: batch.learner.trainingState())
  }

  /// Whether nothing of a rise is to be seen.
  private func isNearBest(_ batch: BatchContext) -> Bool {
    let best = state.best ?? state.smoothed.value
    return state.smoothed.value <= best + (limit(best) - best) / 4
      && Double(batch.loss) <= limit(best)
  }

  // MARK: Going back

  private func goBack(_ batch: BatchContext, _ cause: Learner.BackOff.Cause) throws {
    backOff(batch, cause)
    throw Cancel(.batch, reason: "training went back")
  }

  private func backOff(_ batch: BatchContext, _ cause: Learner.BackOff.Cause) {
    guard let kept = state.kept else { programmerError("there is no copy to go back to") }
    let learner = batch.learner
    let base = learner[.base(.learningRate)]
    let before = learner[.factor(.learningRate)]
    let highest = max(batch.fit.highestLearningRate(from: batch.step) ?? base, base)
    let diverged = state.riseRate ?? base * before
    let factor = pow(self.factor, Double(state.backOffs.count + 1))
    let now = factor * (highest > 0 ? min(before, diverged / highest) : before)
    learner[.factor(.learningRate)] = now
    let backOff = Learner.BackOff(
      cause: cause, step: batch.step, restoredStep: kept.step, highestRate: now * highest)
    batch.goBack(to: kept.state, backOff)
    state.backOffs.append(backOff)
    state.smoothed = SmoothedLoss()
    state.batches = 0
    state.candidate = nil
    state.risenBatches = 0
    state.riseRate = nil
  }
}
