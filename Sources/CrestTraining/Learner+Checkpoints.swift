import CrestLayers
import CrestRuntime
import CrestState
import CrestTensor

extension Learner {
  /// Saves the run, or its weights, as a safetensors file: whole or not at all, and on the disk when this
  /// returns.
  ///
  /// In a fit, call it from the hooks `afterBatch`, `afterEpoch` or `beforeInterruption`, after all other
  /// callbacks (a high ``Callback/order``); the fit can then be resumed from there, bit for bit.
  ///
  /// - Parameters:
  ///   - path: The file, which is replaced if it is there.
  ///   - contents: Everything, or what other programs need.
  /// - Throws: `CheckpointError`; what a callback's or metric's own `encode(to:)` throws.
  public func save(to path: String, _ contents: Contents = .everything) throws {
    try CheckpointFile.write(try runState(contents), to: path)
  }

  /// Puts back what the learner itself remembers.
  ///
  /// That is parameters, running statistics, moments, and how far the data and the random numbers have come. Fits
  /// and callbacks are left out; ``resume(from:epochs:callbacks:skipping:reschedules:)`` goes on with them.
  ///
  /// Everything is checked before anything changes: model, data, optimiser and loader must be those that the
  /// checkpoint was saved with.
  ///
  /// - Parameters:
  ///   - path: A file of ``save(to:_:)`` with all contents.
  ///   - skipping: Fields to be left as they are, each with all within it, as in `optimizer.moments`.
  /// - Throws: `CheckpointError`.
  /// - Precondition: no fit is running.
  public func load(from path: String, skipping: [String] = []) throws {
    programmerError(unless: loop == nil, "\(path) was loaded during a fit")
    try restore(CheckpointFile.read(path), from: path, skipping: skipping)
  }

  /// Puts parameters and running statistics back from any safetensors file, a checkpoint or another program's.
  ///
  /// A checkpoint says how its data were prepared, what its classes are called and along which axis they lie, which
  /// becomes the model's: the learner takes all of it likewise, unless it was made to choose otherwise, and
  /// ``notes`` say so.
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
        from: .fields(weights.mapValues { .array($0) }), at: StatePath([]))
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

  /// Goes on with the fit in which a checkpoint was saved, and ends with the bits it would have had.
  ///
  /// The learner and the callbacks must be made as they were. `beforeFit` hooks run again, then everything is
  /// put back, and training goes on with what comes next; hooks that had run are not run again.
  ///
  /// - Parameters:
  ///   - path: A file that was saved during a fit.
  ///   - epochs: The number of epochs of the fit; the saved one when nil. Another one changes the schedule and
  ///     has to be asked for by `reschedules`.
  ///   - callbacks: The callbacks of the fit, beside the learner's own.
  ///   - skipping: Fields to be left as they are here, each with all within it, as in
  ///     `callbacks.EarlyStopping` or `engine.instructionSet`.
  ///   - reschedules: Whether the number of epochs may be another one.
  /// - Returns: How the fit ended.
  /// - Throws: `CheckpointError` before anything has changed; what `fit` throws.
  @discardableResult
  public func resume(
    from path: String, epochs: Int? = nil, callbacks: [any Callback] = [],
    skipping: [String] = [], reschedules: Bool = false
  ) throws -> Outcome {
    let resumption = try Resumption(path: path, skipping: skipping, reschedules: reschedules)
    guard let epochs = epochs ?? resumption.epochCount else {
      throw CheckpointError.unsuitable(path: path, .missing(StatePath(["fit", "epochCount"])))
    }
    return try fit(
      epochs: epochs, learningRate: nil, callbacks: callbacks, resumption: resumption)
  }
}
