import CrestLayers
import CrestRuntime
import CrestState
import CrestTensor

extension Learner {
  /// Saves the run, or its weights, as a safetensors file: atomically, and on disk when this
  /// returns.
  ///
  /// In a fit, call it from the hooks `afterBatch`, `afterEpoch` or `beforeInterruption`, after all other
  /// callbacks (a high ``Callback/order``); the fit can then be resumed from there, bit for bit.
  ///
  /// - Parameters:
  ///   - path: The file, which is replaced if it exists.
  ///   - contents: Everything, or what other programs need.
  /// - Throws: `CheckpointError`; what a callback's or metric's own `encode(to:)` throws.
  public func save(to path: String, _ contents: Contents = .everything) throws {
    try CheckpointFile.write(try runState(contents), to: path)
  }

  /// Restores the learner's own state.
  ///
  /// This includes parameters, running statistics, moments, and the positions of data and random
  /// numbers, but not fits and callbacks; ``resume(from:epochs:callbacks:skipping:reschedules:)``
  /// restores those.
  ///
  /// Everything is checked before anything changes: model, data, optimiser and loader must be those that the
  /// checkpoint was saved with.
  ///
  /// - Parameters:
  ///   - path: A file saved by ``save(to:_:)`` with all contents.
  ///   - skipping: Fields to leave as they are, each with everything within it, as in
  ///     `optimizer.moments`.
  /// - Throws: `CheckpointError`.
  /// - Precondition: no fit is running.
  public func load(from path: String, skipping: [String] = []) throws {
    programmerError(unless: !model.store.isTraining, "\(path) was loaded during a fit")
    try restore(CheckpointFile.read(path), from: path, skipping: skipping)
  }

  /// Loads parameters and running statistics from any safetensors file, a checkpoint or another
  /// program's.
  ///
  /// The preprocessing, class names and class axis of a checkpoint become the model's, and the
  /// learner uses them unless it was made with another choice; ``notes`` say so.
  ///
  /// - Parameters:
  ///   - path: The file. It must have an array for each name, of the same shape and `float32`.
  ///   - skipping: Names that are left as they are, or are not in the model.
  /// - Throws: `CheckpointError`.
  public func loadWeights(from path: String, skipping: [String] = []) throws {
    let store = model.store
    let (read, state) = try CheckpointFile.readWeightsAndState(path)
    var weights = read
    let described: (preprocessing: Preprocessing?, classNames: [String]?, classAxis: Int?)?
    do throws(StateError) {
      described = try state.map { (state) throws(StateError) in
        (try state.preprocessing(), try state.classNames(), try state.classAxis())
      }
    } catch {
      throw CheckpointError.unsuitable(path: path, error)
    }
    for name in skipping {
      let current = store.entry(named: name).map { store.value(of: $0) }
      guard current != nil || weights[name] != nil else {
        throw CheckpointError.weights(
          path: path, .nothingToSkip(name, known: weights.keys.sorted()))
      }
      weights[name] = current
    }
    let restore: () -> Void
    do throws(StateError) {
      restore = try store.restoration(
        store.parameters + store.statistics,
        from: .fields(weights.mapValues { .array($0) }), at: StateValue.Path([]))
    } catch {
      throw CheckpointError.weights(path: path, error)
    }
    if let described {
      let before = (model.preprocessing, model.classNames, model.classAxis)
      model.preprocessing = described.preprocessing
      if let names = described.classNames { model.classNames = names }
      if let axis = described.classAxis { model.classAxis = axis }
      do {
        try prepareData()
      } catch {
        (model.preprocessing, model.classNames, model.classAxis) = before
        throw error
      }
    }
    restore()
  }

  /// Resumes the fit in which a checkpoint was saved, and ends with the bits of the uninterrupted
  /// fit.
  ///
  /// Make the learner and the callbacks as before. `beforeFit` hooks run again, then everything is
  /// restored, and training continues with the next hook; other hooks that had run don't run again.
  ///
  /// - Parameters:
  ///   - path: A file that was saved during a fit.
  ///   - epochs: The number of epochs of the fit; the saved one when nil. A different number
  ///     changes the schedule and needs `reschedules`.
  ///   - callbacks: The callbacks of the fit, beside the learner's own.
  ///   - skipping: Fields to leave as they are, each with everything within it, as in
  ///     `callbacks.EarlyStopping` or `engine.instructionSet`.
  ///   - reschedules: Whether the number of epochs may differ.
  /// - Returns: How the fit ended.
  /// - Throws: `CheckpointError` before anything has changed; what `fit` throws.
  @discardableResult
  public func resume(
    from path: String, epochs: Int? = nil, callbacks: [any Callback] = [],
    skipping: [String] = [], reschedules: Bool = false
  ) throws -> PhaseContext.Outcome {
    let resumption = try Resumption(path: path, skipping: skipping, reschedules: reschedules)
    guard let epochs = epochs ?? resumption.epochCount else {
      throw CheckpointError.unsuitable(
        path: path, .missing(StateValue.Path(["fit", "epochCount"])))
    }
    return try fit(
      epochs: epochs, learningRate: nil, callbacks: callbacks, resumption: resumption)
  }
}
