import CrestData
import CrestLayers
public import CrestOptimizers
import CrestRuntime
import CrestTensor

extension Learner {
  /// The names of the parameters of each group, in the order of the layers, including frozen ones.
  public var parameterGroups: [[String]] { trained.names }

  /// The names of the parameters, and of the running statistics, that training leaves as they are.
  public var frozen: Set<String> { trained.frozen }

  /// Freezes parameters, bit for bit, in addition to those frozen before.
  ///
  /// No gradient is computed for them, so frozen layers in front cost no backward pass.
  /// Normalisations follow the learner's ``Learner/FrozenNormalization``; dropout stays on. As in fastai,
  /// the optimiser's state is reset when the frozen parameters change.
  ///
  /// ```swift
  /// try learner.freeze(.matching("backbone.*"))
  /// try learner.fitOneCycle(epochs: 1, maxLR: 0.01)
  /// try learner.unfreeze()
  /// try learner.fitOneCycle(epochs: 5, maxLR: .spread(from: 1e-5, to: 1e-3))
  /// ```
  ///
  /// - Precondition: no fit is running.
  /// - Throws: `ParameterError` when no parameter matches a pattern.
  public func freeze(_ choice: ParameterChoice) throws(ParameterError) {
    freeze(exactly: trained.asked.union(try choice.names(in: model.store)))
  }

  /// Unfreezes parameters, by default all of them.
  ///
  /// - Precondition: no fit is running.
  /// - Throws: `ParameterError` when no parameter matches a pattern.
  public func unfreeze(_ choice: ParameterChoice = .all) throws(ParameterError) {
    freeze(exactly: trained.asked.subtracting(try choice.names(in: model.store)))
  }

  /// Freezes the groups before `group` and no others; negative numbers count from the last, so that -1
  /// leaves the last group to train.
  ///
  /// fastai's `freeze_to(n)`.
  ///
  /// - Precondition: no fit is running.
  /// - Throws: `ParameterError` when there is no such group.
  public func freezeTo(_ group: Int) throws(ParameterError) {
    let count = trained.names.count
    guard (-count..<count).contains(group) else {
      throw .noSuchGroup(group, groups: count)
    }
    freeze(exactly: Set(trained.names[..<(group < 0 ? count + group : group)].joined()))
  }

  private func freeze(exactly names: Set<String>) {
    programmerError(
      unless: !model.store.isTraining, "parameters were frozen or unfrozen during a fit")
    guard trained.freeze(exactly: names) else { return }
    resetMoments()
    clearGradients()
    do {
      try arrangeBatches()
    } catch {
      programmerError("the loader was made before with the same data: \(error)")
    }
  }

  // Programs write no gradient of what is frozen; what an earlier one left would count in norms.
  private func clearGradients() {
    model.store.withBuffer(.gradients) { $0.update(repeating: 0) }
  }

  /// Freezes what callbacks freeze in an epoch, and lets the rest train on with the moments that it has.
  ///
  /// - Returns: Whether anything changed.
  /// - Throws: `ParameterError` when no parameter matches a pattern, or nothing is left to train;
  ///   ``LearnerError/oneValuePerChannel(layers:batchSize:examples:)`` when a batch norm thaws that would see one value a
  ///   channel in the last batch.
  func freeze(inEpoch epoch: Int, by callbacks: [any Callback]) throws -> Bool {
    let names = try callbacks.reduce(into: Set<String>()) { names, callback in
      guard let choice = callback.frozenParameters(inEpoch: epoch) else { return }
      names.formUnion(try choice.names(in: model.store))
    }
    guard trained.freeze(byCallbacks: names) else { return false }
    clearGradients()
    guard !trained.groups.isEmpty else { throw ParameterError.nothingToTrain }
    // The number of batches belongs to the schedule, so they stay arranged as they are.
    let leftover = trainLoader.exampleCount % trainLoader.batchSize
    if trainLoader.batchSize > 1, leftover == 1, trainLoader.smallestBatch == 1 {
      let layers = normalizationsOfOneValue
      guard layers.isEmpty else {
        throw LearnerError.oneValuePerChannel(
          layers: layers, batchSize: trainLoader.batchSize, examples: trainLoader.exampleCount)
      }
    }
    return true
  }

  /// Thaws what callbacks froze in a fit.
  func endFreezingByCallbacks() {
    if trained.freeze(byCallbacks: []) { clearGradients() }
  }
}
