import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
public import CrestTraining

/// Estimates the optimal learning rate while a network trains, from two steps that follow each other.
///
/// See ``Form`` for the formulas and ``Estimate`` for what comes of them. An estimate is of a step i and known when step
/// i + 1 is taken, or at once with ``Form/sameBatch(every:)``. A step whose denominator is 0, or that gives no finite
/// number above 0, gives none.
///
/// Only trained parameters count, in sums of `Double`. Training takes the same steps with it, to the bit. Its state is
/// part of checkpoints, so that a resumed run gives the same estimates. After training went back
/// (``DivergenceGuard``), it begins with the next two steps.
///
/// ``StepLogger`` writes `lr_estimate`, `lr_estimate_l2` and `lr_estimate_mean` for each step that has them; epochs report
/// `lr_estimate`, the mean.
///
/// What it proves and what it doesn't is in docs/learning-rate-estimate.md: on mini-batches, all forms but
/// ``Form/sameBatch(every:)`` measure the noise of the gradients more than the curvature of the loss.
///
/// Smith & Topin, "Super-Convergence" (arXiv:1708.07120).
public final class LearningRateEstimate: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The whole network, and then the groups if they were asked for.
    var parts: [Part] = []
    /// The step that the next one is compared with; nil if there is none.
    var previous: Step?
    /// The parameters before the step to come; empty while the optimiser's pass is watched.
    var parameters: [Float] = []
    /// How the parameters changed in the step before, or its gradients.
    var others: [Float] = []
    /// The estimates in a row that the learning rate was more than twice of.
    var excesses = 0
  }

  /// A step of the fit.
  struct Step: Codable, Sendable, Hashable {
    let index: Int
    let learningRate: Double
    /// Of each group, or of the network: Σ |Δθ| and Σ Δθ².
    var changes: [Double] = []
    var changeSquares: [Double] = []
  }

  /// What is known of the network or of a group.
  struct Part: Codable, Sendable, Hashable {
    var running = RunningEstimate()
    var latest: Estimate?
  }

  /// Which formula.
  public let form: Form
  /// Whether there is an estimate for each of the learner's parameter groups, too.
  public let byGroup: Bool
  /// All it remembers.
  public var state = State()
  /// Where the parameters of each group lie, or of the network.
  private(set) var ranges: [[Range<Int>]] = []
  /// Parameters and gradients before the step that runs, of ``Form/sameBatch(every:)``.
  private(set) var start: (parameters: [Float], gradients: [Float])?

  /// The estimates in a row that must be too low before there is a note.
  static let patience = 5

  /// An estimate.
  ///
  /// - Parameters:
  ///   - form: Which formula.
  ///   - byGroup: Whether each of the learner's parameter groups has an estimate of its own, too.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` when `every` is below 1.
  public init(_ form: Form = .smith, byGroup: Bool = false) throws(CallbackError) {
    if case .sameBatch(let every) = form {
      try CallbackError.require(
        every >= 1, "every", every, "at least 1 step", of: "LearningRateEstimate")
    }
    (self.form, self.byGroup) = (form, byGroup)
  }

  /// Compares each step with the one before.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .beforeStep(prepare), .afterStep(estimate), .afterBatch(forget),
      .afterTrain(report),
    ]
  }
  /// After what adds gradients up, and before what clips them.
  public var order: Int { CallbackOrder.estimate }
  /// The mean of the estimates.
  public var reports: [String] { ["lr_estimate"] }
  /// What single steps have.
  public var stepReports: [String] {
    ["lr_estimate", "lr_estimate_l2", "lr_estimate_mean"]
  }
  /// Which formula, and of what.
  public var settings: [String: String] { ["form": "\(form)", "byGroup": "\(byGroup)"] }

  /// The latest estimate for the whole network; nil before the first.
  public var latest: Estimate? { state.parts.first?.latest }

  /// The latest estimate for each parameter group; empty unless they were asked for.
  public var latestByGroup: [Estimate?] { state.parts.dropFirst().map(\.latest) }

  /// Arrays of another model, or of another number of groups.
  public func objection(to state: State, in learner: Learner) -> String? {
    let count = learner.model.store.withBuffer(.parameters, \.count)
    let fits = [state.parameters, state.others].allSatisfy { $0.isEmpty || $0.count == count }
    let parts = byGroup ? learner.parameterGroups.count + 1 : 1
    return fits && state.parts.count == parts && (0...Self.patience).contains(state.excesses)
      ? nil : "changes of this model in \(parts) parts"
  }

  // MARK: Hooks

  private func begin(_ fit: FitContext) throws {
    if case .sameBatch = form, fit.batchesPerStep > 1 {
      throw CallbackError.severalBatches(callback: name, batchesPerStep: fit.batchesPerStep)
    }
    let store = fit.learner.model.store
    let groups = byGroup ? fit.learner.parameterGroups : []
    ranges =
      byGroup
      ? groups.map { $0.compactMap { store.entry(named: $0)?.range } }
      : [[0..<store.withBuffer(.parameters, \.count)]]
    state = State()
    state.parts = [Part](repeating: Part(), count: groups.count + 1)
    start = nil
  }

  private func prepare(_ batch: BatchContext) {
    let store = batch.learner.model.store
    switch form {
    case .smith, .rateCorrected:
      if isFused(in: batch.learner) {
        if !state.parameters.isEmpty { forgetStep() }
        store.watch = ParameterStore.Watch(previousRate: state.previous?.learningRate ?? 0)
      } else if state.parameters.isEmpty {
        forgetStep()
        state.parameters = store.withBuffer(.parameters) { Array($0) }
        state.others = [Float](repeating: 0, count: state.parameters.count)
      }
    case .gradient: compareGradients(batch)
    case .sameBatch(let every):
      guard batch.step.isMultiple(of: every) else { return }
      start = (
        store.withBuffer(.parameters) { Array($0) }, store.withBuffer(.gradients) { Array($0) }
      )
    }
  }

  private func estimate(_ batch: BatchContext) throws {
    let store = batch.learner.model.store
    let watched = store.watch?.sums
    store.watch = nil
    guard batch.outcome.isFinished else { return start = nil }
    switch form {
    case .smith, .rateCorrected: compareSteps(batch, watched)
    case .gradient: break
    case .sameBatch:
      if let start { try compareOnSameBatch(batch, start) }
      start = nil
    }
    report(batch)
  }

  /// What is gone is no step to compare with.
  private func forget(_ batch: BatchContext) {
    if batch.hasGoneBack { forgetStep() }
  }

  private func forgetStep() {
    state.previous = nil
    (state.parameters, state.others) = ([], [])
  }

  private func report(_ batch: BatchContext) {
    guard let latest, latest.step == reportedStep(batch) else { return }
    batch.report(latest.optimal, as: "lr_estimate")
    batch.report(latest.euclidean, as: "lr_estimate_l2")
    batch.report(latest.mean, as: "lr_estimate_mean")
  }

  /// The step whose estimate this step gave, if any.
  private func reportedStep(_ batch: BatchContext) -> Int {
    if case .sameBatch = form { batch.step } else { batch.step - 1 }
  }

  private func report(_ pass: PassContext) {
    guard pass.purpose == .training, let latest else { return }
    pass.learner.report(latest.displayed, as: "lr_estimate")
  }
}
