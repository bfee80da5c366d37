import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState

/// Gives the model the average that an optimiser makes of its weights, from validation to the next epoch and after the fit;
/// in between it has the weights that train.
///
/// A fit that is saved has the latter. Between fits the model has the average, however the fit ended.
final class AveragedWeights: StatefulCallback {
  /// All it remembers.
  struct State: Codable, Sendable, Hashable {
    /// What is trained, while the model has the average in a fit.
    fileprivate var trained: ParameterStore.Weights?
  }

  private let optimizer: any AveragingOptimizer
  var state = State()

  init(by optimizer: any AveragingOptimizer) { self.optimizer = optimizer }

  var hooks: [Hook] {
    [
      .beforeFit(begin), .beforeEpoch(takeBack), .afterBatch(startAnew), .beforeValidate(lend),
      .afterFit(finish),
    ]
  }
  /// That of the optimiser, by which messages and checkpoints name it.
  var name: String { optimizer.name }
  /// Before what keeps weights to go back to.
  var order: Int { -11 }

  /// Whether a saved run has the weights that train as the model's, as it has in training.
  static func areTrained(in saved: StateValue, by optimizer: any AveragingOptimizer) -> Bool {
    let place = StateValue.Path(["callbacks", optimizer.name, "state"])
    guard let state = saved[place] else { return false }
    return (state["trained"] ?? .null) == .null
  }

  func objection(to state: State, in learner: Learner) -> String? {
    state.trained.map { $0.fits(learner.model.store) } ?? true ? nil : "weights of this model"
  }

  private func begin(_ fit: FitContext) throws {
    try fit.lendWeights(by: self)
    state = State()
    optimizer.toTraining(fit.learner.model.store)
  }

  private func lend(_ pass: PassContext) {
    let store = pass.learner.model.store
    guard state.trained == nil else { return }
    state.trained = ParameterStore.Weights(of: store)
    optimizer.toAverage(store)
  }

  /// Training went back to weights that train, perhaps in validation.
  private func startAnew(_ batch: BatchContext) {
    guard batch.hasGoneBack, state.trained != nil else { return }
    state.trained = ParameterStore.Weights(of: batch.learner.model.store)
    optimizer.toAverage(batch.learner.model.store)
  }

  private func takeBack(_ epoch: EpochContext) {
    state.trained?.write(to: epoch.learner.model.store)
    state.trained = nil
  }

  private func finish(_ fit: FitContext) {
    if state.trained == nil { optimizer.toAverage(fit.learner.model.store) }
    state = State()
  }
}
