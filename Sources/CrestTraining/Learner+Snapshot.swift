import CrestData
import CrestLayers
public import CrestRuntime
import CrestTensor

extension Learner {
  /// All that training changes in a learner, copied bit for bit.
  public struct Snapshot {
    /// The optimiser steps taken.
    public let stepsTaken: Int
    /// The batches trained on.
    public let batchesTrained: Int
    /// The epochs begun.
    public let epochsBegun: Int
    let stepsSinceReset: Int
    /// Parameters, running statistics and moments.
    public let store: ParameterStore.Snapshot
    let restoreCallbacks: [() -> Void]
    let preprocessing: Preprocessing?
    let classNames: [String]?
    let classAxis: Int?
  }
}

extension Learner {
  /// Copies parameters, running statistics, moments, the position in the data and the random numbers,
  /// and what every ``StatefulCallback`` of the learner (in a fit, of the fit) remembers.
  public func snapshot() -> Snapshot {
    Snapshot(
      stepsTaken: stepsTaken, batchesTrained: batchesTrained, epochsBegun: epochsBegun,
      stepsSinceReset: stepsSinceReset, store: model.store.snapshot(),
      restoreCallbacks: (loop?.callbacks ?? callbacks)
        .compactMap { $0 as? any StatefulCallback }
        .map { Self.restoration(of: $0) },
      preprocessing: model.preprocessing, classNames: model.classNames,
      classAxis: model.classAxis)
  }

  /// Restores a snapshot of this learner.
  public func restore(_ snapshot: Snapshot) {
    stepsTaken = snapshot.stepsTaken
    batchesTrained = snapshot.batchesTrained
    epochsBegun = snapshot.epochsBegun
    stepsSinceReset = snapshot.stepsSinceReset
    model.store.restore(snapshot.store)
    model.preprocessing = snapshot.preprocessing
    model.classNames = snapshot.classNames
    model.classAxis = snapshot.classAxis
    hasDescribedModel = false
    for restore in snapshot.restoreCallbacks { restore() }
  }

  private static func restoration(of callback: some StatefulCallback) -> () -> Void {
    let state = callback.state
    return { callback.state = state }
  }
}
