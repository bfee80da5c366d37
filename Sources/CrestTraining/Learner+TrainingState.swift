import CrestLayers
import CrestOptimizers
public import CrestRuntime
import CrestTensor

extension Learner {
  /// What optimiser steps change: parameters, running statistics, and the optimiser's moments.
  ///
  /// Unlike a ``Snapshot`` it leaves alone where the learner is in data and random numbers and what callbacks remember,
  /// and it can be part of a callback's state.
  public struct TrainingState: Codable, Sendable, Hashable {
    fileprivate let weights: ParameterStore.Weights
    fileprivate let moments: [[Float]]
    /// What the optimiser keeps of the network as a whole; nil where that is nothing.
    fileprivate let numbers: [Double]?
    /// The steps that the moments are of, by which Adam and its like correct them.
    fileprivate let stepsSinceReset: Int

    /// Whether it is of a model with as many parameters and statistics as that of `learner`, and an optimiser with as
    /// many moments.
    public func fits(_ learner: Learner) -> Bool {
      moments.count == learner.optimizer.momentCount
        && (numbers ?? []).count == learner.optimizer.numberCount
        && (0...Int(UInt32.max)).contains(stepsSinceReset)
        && weights.fits(learner.model.store)
        && moments.allSatisfy { $0.count == weights.parameters.count }
    }
  }

  /// A copy of parameters, running statistics and moments as they are now.
  public func trainingState() -> TrainingState {
    let store = model.store
    return store.with(moments) {
      TrainingState(
        weights: ParameterStore.Weights(of: store),
        moments: (0..<store.momentCount).map { number in
          store.withBuffer(.moments(number)) { Array($0) }
        }, numbers: store.optimizerNumbers.isEmpty ? nil : store.optimizerNumbers,
        stepsSinceReset: stepsSinceReset)
    }
  }

  /// Puts back what optimiser steps have changed.
  func restore(_ state: TrainingState) {
    programmerError(
      unless: state.fits(self), "the training state is of another model or optimiser")
    let store = model.store
    store.with(moments) {
      state.weights.write(to: store)
      for (number, values) in state.moments.enumerated() {
        store.withBuffer(.moments(number)) { _ = $0.update(fromContentsOf: values) }
      }
      store.optimizerNumbers = state.numbers ?? []
    }
    stepsSinceReset = state.stepsSinceReset
  }
}
