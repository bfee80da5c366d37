/// A hook and the callback it belongs to, by its place in the order of the fit.
struct BoundHook<Context> {
  let callback: Int
  let action: (Context) throws -> Void

  init(_ callback: Int, _ action: @escaping (Context) throws -> Void) {
    self.callback = callback
    self.action = action
  }
}

/// The hooks of a phase.
struct PhaseHooks<Context> {
  var before: [BoundHook<Context>] = []
  var after: [BoundHook<Context>] = []
}

/// All hooks of a fit, by where they are called, each list in the order of the callbacks.
struct HookTable {
  private(set) var fit = PhaseHooks<FitContext>()
  private(set) var epoch = PhaseHooks<EpochContext>()
  private(set) var train = PhaseHooks<PassContext>()
  private(set) var validate = PhaseHooks<PassContext>()
  private(set) var batch = PhaseHooks<BatchContext>()
  private(set) var backward = PhaseHooks<BatchContext>()
  private(set) var step = PhaseHooks<BatchContext>()
  private(set) var afterPrediction: [BoundHook<BatchContext>] = []
  private(set) var afterLoss: [BoundHook<BatchContext>] = []
  private(set) var beforeInterruption: [BoundHook<FitContext>] = []

  /// The hooks of `callbacks`, which are in order.
  init(_ callbacks: [any Callback]) {
    for (place, callback) in callbacks.enumerated() {
      for hook in callback.hooks { add(hook, of: place) }
    }
  }

  private mutating func add(_ hook: Hook, of callback: Int) {
    switch hook {
    case .beforeFit(let action): fit.before.append(.init(callback, action))
    case .beforeEpoch(let action): epoch.before.append(.init(callback, action))
    case .beforeTrain(let action): train.before.append(.init(callback, action))
    case .beforeBatch(let action): batch.before.append(.init(callback, action))
    case .afterPrediction(let action): afterPrediction.append(.init(callback, action))
    case .afterLoss(let action): afterLoss.append(.init(callback, action))
    case .beforeBackward(let action): backward.before.append(.init(callback, action))
    case .afterBackward(let action): backward.after.append(.init(callback, action))
    case .beforeStep(let action): step.before.append(.init(callback, action))
    case .afterStep(let action): step.after.append(.init(callback, action))
    case .afterBatch(let action): batch.after.append(.init(callback, action))
    case .afterTrain(let action): train.after.append(.init(callback, action))
    case .beforeValidate(let action): validate.before.append(.init(callback, action))
    case .afterValidate(let action): validate.after.append(.init(callback, action))
    case .afterEpoch(let action): epoch.after.append(.init(callback, action))
    case .beforeInterruption(let action): beforeInterruption.append(.init(callback, action))
    case .afterFit(let action): fit.after.append(.init(callback, action))
    }
  }
}
