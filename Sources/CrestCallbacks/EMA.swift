import CrestLayers
import CrestRuntime
import CrestTensor
public import CrestTraining

/// Keeps a moving average of parameters and running statistics, which often predicts better than they do.
///
///     a ← decay · a + (1 - decay) · w   after each optimiser step; at first a is w
///
/// From the beginning of validation to the beginning of the next epoch the model has the average,
/// unless you opt out, so the network that is validated, saved by its results and kept at the end
/// is one and the same; then the trained weights come back. A fit that ends normally leaves the
/// average in the model, one that fails or is interrupted the trained weights.
///
/// If `validates` is false, validation and what is saved by it use the trained weights. The average
/// then replaces them at the end, and because it has no results yet, the fit measures it once more
/// (`FitResult.Origin.measuredAfterwards`).
///
/// Lightning's `EMAWeightAveraging`, Keras's `use_ema` with `SwapEMAWeights`, timm's `ModelEmaV3`; Polyak &
/// Juditsky 1992.
public final class EMA: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The average; nil outside of a fit.
    fileprivate var average: ParameterStore.Weights?
    /// What is trained, while the model has the average.
    fileprivate var trained: ParameterStore.Weights?
  }

  /// The decay of the average per step.
  public let decay: Double
  /// Whether validation measures the average.
  public let validates: Bool
  /// All it remembers.
  public var state = State()

  /// An average.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless `decay` is above 0 and
  ///   below 1.
  public init(decay: Double = 0.999, validates: Bool = true) throws(CallbackError) {
    try CallbackError.require(
      decay > 0 && decay < 1, "decay", decay, "a number above 0 and below 1", of: "EMA")
    self.decay = decay
    self.validates = validates
  }

  /// Averages after each step, and gives the model the average from validation to the next epoch and at the end.
  public var hooks: [Hook] {
    [
      .beforeFit(begin), .beforeEpoch(takeBack), .afterStep(average), .afterBatch(startAnew),
      .beforeValidate(lend), .afterFit(finish),
    ]
  }
  /// Before what looks at the parameters.
  public var order: Int { CallbackOrder.average }
  /// How it averages.
  public var settings: [String: String] { ["decay": "\(decay)", "validates": "\(validates)"] }

  /// Averages of another model.
  public func objection(to state: State, in learner: Learner) -> String? {
    let all = [state.average, state.trained].compactMap(\.self)
    return all.allSatisfy { $0.fits(learner.model.store) } ? nil : "averages of this model"
  }

  private func begin(_ fit: FitContext) throws {
    try fit.lendWeights(by: self)
    state = State(average: ParameterStore.Weights(of: fit.learner.model.store), trained: nil)
  }

  private func average(_ batch: BatchContext) {
    guard batch.outcome.isFinished else { return }
    state.average?.approach(batch.learner.model.store, decay: Float(decay))
  }

  /// The average of weights that were taken back begins again at those that training went back to.
  private func startAnew(_ batch: BatchContext) {
    guard batch.hasGoneBack else { return }
    let weights = ParameterStore.Weights(of: batch.learner.model.store)
    state = State(average: weights, trained: state.trained.map { _ in weights })
  }

  private func lend(_ pass: PassContext) {
    guard validates, let average = state.average, state.trained == nil else { return }
    state.trained = ParameterStore.Weights(of: pass.learner.model.store)
    average.write(to: pass.learner.model.store)
  }

  private func takeBack(_ epoch: EpochContext) {
    state.trained?.write(to: epoch.learner.model.store)
    state.trained = nil
  }

  private func finish(_ fit: FitContext) {
    let weights = fit.outcome.isInOrder ? state.average : state.trained
    weights?.write(to: fit.learner.model.store)
    state = State()
  }
}
