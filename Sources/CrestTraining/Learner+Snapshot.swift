import CrestData
import CrestLayers
import CrestOptimizers
public import CrestRuntime
import CrestTensor

extension Learner {
  /// All that training changes in a learner, copied bit for bit.
  public struct Snapshot {
    let optimizer: String
    /// The optimiser steps taken.
    public let stepsTaken: Int
    /// The batches trained on.
    public let batchesTrained: Int
    /// The epochs begun.
    public let epochsBegun: Int
    let stepsSinceReset: Int
    /// Parameters, running statistics and moments.
    public let store: ParameterStore.Snapshot
    let callbackStates: [CallbackState]
    let preprocessing: Preprocessing?
    let classNames: [String]?
    let classAxis: Int?
  }
}

/// What a callback remembered.
struct CallbackState {
  let callback: any Callback
  let restore: () -> Void
}

extension Learner {
  /// Copies parameters, running statistics, moments, the position in the data and the random numbers,
  /// and what every ``StatefulCallback`` of the learner (in a fit, of the fit) remembers.
  public func snapshot() -> Snapshot {
    Snapshot(
      optimizer: optimizer.name, stepsTaken: stepsTaken, batchesTrained: batchesTrained,
      epochsBegun: epochsBegun, stepsSinceReset: stepsSinceReset,
      store: model.store.with(moments) { model.store.snapshot() },
      callbackStates: runningCallbacks.compactMap { $0 as? any StatefulCallback }
        .map { CallbackState(callback: $0, restore: Self.restoration(of: $0)) },
      preprocessing: model.preprocessing, classNames: model.classNames,
      classAxis: model.classAxis)
  }

  private var runningCallbacks: [any Callback] { loop?.callbacks ?? callbacks }

  /// Restores a snapshot: all of this learner, and the callbacks of the snapshot that it has.
  ///
  /// - Precondition: the snapshot is of a learner of the same model (names and shapes of parameters and statistics) and
  ///   optimiser, and no other learner's fit of the model is running.
  public func restore(_ snapshot: Snapshot) {
    programmerError(
      unless: loop != nil || !model.store.isTraining,
      "a snapshot was restored during another learner's fit of the same model")
    programmerError(
      unless: snapshot.optimizer == optimizer.name,
      "the snapshot is of a learner with \(snapshot.optimizer), not \(optimizer.name)")
    stepsTaken = snapshot.stepsTaken
    batchesTrained = snapshot.batchesTrained
    epochsBegun = snapshot.epochsBegun
    stepsSinceReset = snapshot.stepsSinceReset
    model.store.with(moments) { model.store.restore(snapshot.store) }
    model.preprocessing = snapshot.preprocessing
    model.classNames = snapshot.classNames
    model.classAxis = snapshot.classAxis
    hasDescribedModel = false
    let callbacks = Set(runningCallbacks.map { ObjectIdentifier($0) })
    for state in snapshot.callbackStates
    where callbacks.contains(ObjectIdentifier(state.callback)) { state.restore() }
  }

  private static func restoration(of callback: some StatefulCallback) -> () -> Void {
    let state = callback.state
    return { callback.state = state }
  }
}
