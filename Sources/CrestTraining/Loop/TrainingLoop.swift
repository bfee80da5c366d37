import CrestData
import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor

/// One call of `fit`: the phases, nested as they run, and the hooks around them.
final class TrainingLoop {
  let callbacks: [any Callback]
  let fit: FitContext
  private let learner: Learner
  private let hooks: HookTable
  private let owners: [Ownership: Int]
  private let reporters: [String: Int]
  private let reads: Set<Read>
  /// The parts of the data whose numbers are looked through batch by batch.
  private let uncheckedParts: Set<DataPart>
  private var smoothedLoss = SmoothedLoss()
  private var programs: [ProgramKey: Program] = [:]
  private var runningPhases: [Phase] = []
  private var runningCallback: Int?
  private var runningEpoch: EpochContext?

  private var position = LoopPosition(epoch: 0)
  private var train: PassResult?
  /// What was reported in the epoch to go on with.
  private var reports: [String: Double] = [:]
  private var tally: PassTally?
  private var ending: Cancellation?
  /// What the last epoch gave that saw an example.
  private var last: LastEpoch?
  /// Whether what runs now may save the run.
  private(set) var isAtSavePoint = false
  /// Whether nothing of the fit is left to go on with.
  private(set) var isOver = false
  /// The pass to go on with, until that has begun.
  private var entry: LoopPosition?

  private struct ProgramKey: Hashable {
    let isTraining: Bool
    let count: Int
    /// Whether losses of single examples are kept, of which some aren't counted.
    let isFilled: Bool
  }

  /// Prepares a fit: orders the callbacks, finds contradictions and compiles the first program.
  init(
    _ learner: Learner, epochs: Int, callbacks: [any Callback], resumption: Resumption?
  ) throws {
    self.learner = learner
    self.callbacks = try Self.ordered(callbacks)
    owners = try Self.owners(self.callbacks)
    reporters = try Self.reporters(self.callbacks, besides: learner.metrics.map(\.name))
    hooks = HookTable(self.callbacks)
    reads = callbacks.reduce(learner.metrics.isEmpty ? [] : [.predictions]) {
      $0.union($1.reads)
    }
    uncheckedParts = Set([.train, .valid].filter(learner.needsNumberCheck))
    let loader = learner.trainLoader
    // Random numbers and checkpoints count batches in 32 bits.
    let mostEpochs = Int(UInt32.max) / loader.batchCount
    guard epochs <= mostEpochs else {
      throw LearnerError.tooManyEpochs(
        epochs, most: mostEpochs, batchesPerEpoch: loader.batchCount)
    }
    let program = try learner.programs.program(
      learner.request(
        isTraining: true, count: min(loader.batchSize, loader.exampleCount), reads: reads))
    try learner.checkMetrics(predictions: program.predictionType)
    fit = FitContext(
      learner, epochCount: epochs, batchesPerEpoch: loader.batchCount,
      referenceNodes: program.referenceNodes, reportNames: self.callbacks.flatMap(\.reports))
    fit.resumption = resumption
  }

  /// Lower orders first, equals as they were added.
  static func ordered(_ callbacks: [any Callback]) throws(LearnerError) -> [any Callback] {
    var seen = Set<ObjectIdentifier>()
    for callback in callbacks where !seen.insert(ObjectIdentifier(callback)).inserted {
      throw .callbackAddedTwice(callback.name)
    }
    // By place too: the standard sort does not promise to be stable.
    return callbacks.enumerated()
      .sorted { ($0.element.order, $0.offset) < ($1.element.order, $1.offset) }
      .map(\.element)
  }

  private static func owners(
    _ callbacks: [any Callback]
  ) throws(LearnerError) -> [Ownership: Int] {
    var owners: [Ownership: Int] = [:]
    for (place, callback) in callbacks.enumerated() {
      for part in callback.owns.sorted(by: { $0.description < $1.description }) {
        if let first = owners.updateValue(place, forKey: part) {
          throw .twoOwners(of: part, first: callbacks[first].name, second: callback.name)
        }
      }
    }
    return owners
  }

  private static func reporters(
    _ callbacks: [any Callback], besides metrics: [String]
  ) throws(LearnerError) -> [String: Int] {
    var reporters: [String: Int] = [:]
    for (place, callback) in callbacks.enumerated() {
      for name in callback.reports {
        guard !metrics.contains(name) else {
          throw .twoReporters(of: name, first: "the learner's metric", second: callback.name)
        }
        if let first = reporters.updateValue(place, forKey: name) {
          throw .twoReporters(of: name, first: callbacks[first].name, second: callback.name)
        }
      }
    }
    return reporters
  }

  /// Notes a number of the running epoch.
  func report(_ value: Double, as name: String) {
    programmerError(
      unless: runningCallback != nil && reporters[name] == runningCallback,
      "\(runningCallback.map { callbacks[$0].name } ?? "no callback") reports \(name), which only a "
        + "callback that has it among its reports may do")
    guard let runningEpoch else {
      programmerError("\(name) was reported while no epoch is running")
    }
    runningEpoch.reports[name] = value
  }

  /// The name of the callback that sets `part`; nil when none does.
  func owner(of part: Ownership) -> String? { owners[part].map { callbacks[$0].name } }

  /// Traps unless the callback whose hook runs declared that it sets `part`.
  func preconditionOwnership(of part: Ownership) {
    programmerError(
      unless: runningCallback != nil && owners[part] == runningCallback,
      "\(runningCallback.map { callbacks[$0].name } ?? "no callback") sets \(part), which only a "
        + "callback that owns it may do")
  }

  // MARK: Phases

  /// Trains, and tells how that ended unless an error ended it, and what of the network that the model then holds
  /// was measured.
  func run() throws -> (Outcome, FitResult?) {
    defer { if let snapshot = fit.restoration { learner.restore(snapshot) } }
    let outcome = try runFit()
    guard outcome.isInOrder, fit.restoration == nil, let last else { return (outcome, nil) }
    do {
      return (outcome, try result(after: last))
    } catch LearnerError.interrupted {
      return (.interrupted, nil)
    }
  }

  /// What the fit came to, by the bits of what the model holds: no callback has to tell.
  private func result(after last: LastEpoch) throws -> FitResult {
    let fingerprint = learner.model.store.fingerprint
    if let held = fit.held, held.fingerprint == fingerprint,
      held.results.epoch != last.results.epoch
    {
      return FitResult(origin: .restored, results: held.results)
    }
    guard let measured = last.fingerprint else {
      return FitResult(origin: .notMeasured, results: last.results)
    }
    if measured == fingerprint { return FitResult(origin: .lastEpoch, results: last.results) }
    return FitResult(
      origin: .measuredAfterwards,
      results: EpochResult(last.results, validation: try learner.evaluate()))
  }

  private func runFit() throws -> Outcome {
    try run(.fit, fit, hooks.fit) {
      defer { isOver = true }
      if let resumption = fit.resumption { try learner.restore(resumption, into: self) }
      if entry == nil, let ending { throw ending }
      var index = position.epoch
      do {
        while index < fit.epochCount {
          try runEpoch(index)
          index += 1
        }
      } catch let cancellation as Cancellation where fit.failure != nil {
        ending = cancellation
        defer { ending = nil }
        try heedFailure()
      }
      try heedFailure()
    }
  }

  private func runEpoch(_ index: Int) throws {
    let epoch = EpochContext(fit, index: index)
    let entry = entry
    if entry?.pass == .validation { epoch.train = train }
    if entry != nil { epoch.reports = reports }
    runningEpoch = epoch
    defer {
      if let ended = LastEpoch(epoch) { last = ended }
      runningEpoch = nil
    }
    try run(.epoch, epoch, hooks.epoch, isResumed: entry != nil) {
      defer {
        position = LoopPosition(epoch: index + 1)
        train = nil
      }
      if entry?.pass != .validation { try runPass(.training, of: epoch) }
      epoch.learningRate = learner.hyperparameters.learningRate
      try runPass(.validation, of: epoch)
    }
  }

  private func runPass(_ purpose: PassContext.Purpose, of epoch: EpochContext) throws {
    let isTraining = purpose == .training
    let loader = isTraining ? learner.trainLoader : learner.validLoader
    let pass = PassContext(epoch, purpose, batchCount: loader.batchCount)
    let isResumed = entry != nil
    try run(
      isTraining ? .train : .validate, pass, isTraining ? hooks.train : hooks.validate,
      isResumed: isResumed
    ) {
      let first = entry?.batch ?? 0
      entry = nil
      if !isResumed {
        tally = PassTally(
          isTraining ? [] : learner.metrics, classAxis: learner.metricAxis, now: learner.now)
        train = isTraining ? nil : epoch.train
      }
      defer {
        if isTraining { epoch.train = tally?.result } else { epoch.validation = tally?.result }
        if epoch.validation != nil { epoch.measuredFingerprint = learner.model.store.fingerprint }
        tally = nil
      }
      if let ending { throw ending }
      let number = isTraining ? isResumed ? learner.epochsBegun - 1 : learner.takeEpoch() : 0
      position = LoopPosition(epoch: epoch.index, pass: purpose, batch: first)
      let batches = loader.batches(epoch: number, startingAt: first)
      let batch = BatchContext(
        pass, inputOrder: try Learner.inputOrder(of: learner.model, for: loader.dataset))
      while let next = try batches.next() {
        try heedInterruption()
        position.batch = next.index + 1
        batch.begin(next, randomKey: isTraining ? learner.takeRandomKey() : learner.fixedRandomKey)
        defer { batch.release() }
        try run(.batch, batch, hooks.batch) { try runBatch(batch) }
      }
    }
  }

  private func runBatch(_ batch: BatchContext) throws {
    // A model for one batch size measures the last examples in a batch that is filled up.
    let size = batch.isTraining ? batch.count : try learner.filledSize(batch.count)
    let program = try program(
      isTraining: batch.isTraining, count: size, isFilled: size > batch.count)
    try batch.check(numbers: uncheckedParts.contains(batch.isTraining ? .train : .valid))
    try batch.feed(program, size: size)
    try program.run(.forward, random: batch.randomKey)
    try call(hooks.afterPrediction, batch)
    try program.run(.loss, random: batch.randomKey)
    if size == batch.count {
      batch.loss = program.loss
      tally?.add(program, targets: batch.targets, count: batch.count)
    } else {
      guard let loss = tally?.add(program, targets: batch.targets, first: batch.count) else {
        let dataset = learner.validLoader.dataset
        throw LearnerError.leftover(batchSize: size, name: dataset.name, count: dataset.count)
      }
      batch.loss = Float(loss)
    }
    if batch.isTraining { fit.smoothedLoss = smoothedLoss.add(Double(batch.loss)) }
    try call(hooks.afterLoss, batch)
    guard batch.isTraining else { return }
    try run(.backward, batch, hooks.backward) {
      try program.run(.backward, random: batch.randomKey)
    }
    try run(.step, batch, hooks.step) {
      learner.takeStep()
      fit.stepsTaken += 1
    }
  }

  /// Ends the fit when that was asked for, after those who save it.
  private func heedInterruption() throws {
    guard learner.interruption.isRaised else { return try heedFailure() }
    try callSaving()
    // What failed is met again when the fit is gone on with.
    if let failure = fit.failure { learner.errorsWhileEnding.append(failure) }
    try learner.interruption.check()
  }

  /// Ends the fit with what a callback found, after those who save it.
  private func heedFailure() throws {
    guard let failure = fit.failure else { return }
    try callSaving()
    throw failure
  }

  /// Calls who saves the run before it ends.
  private func callSaving() throws {
    isAtSavePoint = true
    defer { isAtSavePoint = false }
    try call(hooks.beforeInterruption, fit)
  }

  private func program(isTraining: Bool, count: Int, isFilled: Bool) throws -> Program {
    let key = ProgramKey(isTraining: isTraining, count: count, isFilled: isFilled)
    if let program = programs[key] { return program }
    let program = try learner.programs.program(
      learner.request(
        isTraining: isTraining, count: count, reads: isFilled ? reads.union([.losses]) : reads))
    programs[key] = program
    return program
  }

  // MARK: Hooks

  /// Runs `body` as a phase: before hooks, body unless stopped, after hooks.
  ///
  /// - Parameters:
  ///   - phase: Which phase it is.
  ///   - context: What its hooks see.
  ///   - hooks: Its hooks.
  ///   - isResumed: Whether the before hooks have run already, before the checkpoint was saved.
  ///   - body: What is done.
  /// - Returns: How the phase ended, when that stops here.
  /// - Throws: What stops more than this phase.
  @discardableResult
  private func run<Context: PhaseContext>(
    _ phase: Phase, _ context: Context, _ hooks: PhaseHooks<Context>, isResumed: Bool = false,
    _ body: () throws -> Void
  ) throws -> Outcome {
    context.outcome = .running
    runningPhases.append(phase)
    var entered = 0
    var stop: (any Error)?
    do {
      if !isResumed {
        for hook in hooks.before {
          entered = hook.callback + 1
          try call(hook, context)
        }
      }
      entered = callbacks.count
      try body()
    } catch {
      stop = error
    }
    runningPhases.removeLast()
    let outcome = stop.map { Outcome($0) } ?? .finished
    context.outcome = outcome
    if outcome.ends(at: phase) { stop = nil }
    for hook in hooks.after where hook.callback < entered {
      isAtSavePoint = phase.isSavePoint && outcome.isInOrder
      ending = stop as? Cancellation
      do { try call(hook, context) } catch { stop = moreUrgent(stop, error) }
    }
    isAtSavePoint = false
    ending = nil
    if let stop { throw stop }
    return outcome
  }

  /// The one of two reasons to stop that ends more, the first of equals; an error that loses is kept in
  /// ``Learner/errorsWhileEnding``.
  private func moreUrgent(_ first: (any Error)?, _ second: any Error) -> any Error {
    guard let first else { return second }
    if Outcome(second).reach > Outcome(first).reach { return second }
    if case .failed(let error) = Outcome(second) { learner.errorsWhileEnding.append(error) }
    return first
  }

  private func call<Context>(_ list: [BoundHook<Context>], _ context: Context) throws {
    for hook in list { try call(hook, context) }
  }

  private func call<Context>(_ hook: BoundHook<Context>, _ context: Context) throws {
    runningCallback = hook.callback
    defer { runningCallback = nil }
    do {
      try hook.action(context)
    } catch let cancel as Cancel {
      let name = callbacks[hook.callback].name
      guard runningPhases.contains(cancel.phase) else {
        throw LearnerError.cancelOutOfPlace(
          cancel.phase, callback: name, reason: cancel.reason)
      }
      throw Cancellation(phase: cancel.phase, reason: cancel.reason, callback: name)
    }
  }
}

extension Phase {
  /// Whether its after hooks may save the run: all of the phase is done, and the next is not begun.
  fileprivate var isSavePoint: Bool { self == .batch || self == .epoch }
}

// MARK: State

extension TrainingLoop {
  /// All that the fit remembers.
  func savedState() throws -> StateValue {
    var fields = try StateValue(
      encoding: FitState(
        epochCount: fit.epochCount, stepsTaken: fit.stepsTaken, position: position,
        smoothedLoss: smoothedLoss, hyperparameters: learner.table,
        rateFactors: learner.trained.rateFactors, ending: ending, train: train,
        reports: position.pass == nil ? [:] : runningEpoch?.reports ?? [:], tally: tally?.saved,
        // Within an epoch it is never asked for again.
        last: position.pass == nil ? runningEpoch.flatMap(LastEpoch.init) ?? last : nil))
    fields[FitState.metricsField] = try tally?.savedMetrics() ?? .null
    return fields
  }

  /// Reads what was saved.
  ///
  /// - Returns: What puts it back; it can't fail.
  func restoration(
    of saved: StateValue, epochsBegun: Int, at path: StatePath
  ) throws -> () -> Void {
    var fields = saved
    guard case .fields(let all) = saved, let metricState = all[FitState.metricsField] else {
      throw StateError.missing(path.appending(FitState.metricsField))
    }
    fields[FitState.metricsField] = nil
    let state = try fields.decode(FitState.self, at: path)
    try state.check(
      batchCount: { [learner] in
        $0 == .training ? learner.trainLoader.batchCount : learner.validLoader.batchCount
      }, batchesPerStep: fit.batchesPerStep, epochsBegun: epochsBegun, at: path)
    for name in state.reports.keys.sorted() where reporters[name] == nil {
      throw StateError.unexpected(path.appending("reports").appending(name))
    }
    var trained = learner.trained
    do throws(ParameterError) {
      try trained.setRates(.each(state.rateFactors))
    } catch {
      throw StateError.mistyped(
        path.appending("rateFactors"), expected: "\(learner.parameterGroups.count) rates above 0",
        got: "\(state.rateFactors)")
    }
    let metrics = try metrics(
      metricState, isThere: state.position.pass == .validation,
      at: path.appending(FitState.metricsField))
    return { [self, trained] in
      fit.stepsTaken = state.stepsTaken
      smoothedLoss = state.smoothedLoss
      fit.smoothedLoss = smoothedLoss.value
      learner.table = state.hyperparameters
      learner.trained = trained
      position = state.position
      entry = position.pass == nil ? nil : position
      ending = state.ending
      train = state.train
      reports = state.reports
      tally = state.tally.map {
        PassTally($0, metrics: metrics, classAxis: learner.metricAxis, now: learner.now)
      }
      last = state.last
    }
  }

  private func metrics(
    _ saved: StateValue, isThere: Bool, at path: StatePath
  ) throws -> [any Metric] {
    switch saved {
    case .null where !isThere: return []
    case .fields(let fields):
      let expected = isThere ? learner.metrics : []
      for name in fields.keys.sorted() where !expected.contains(where: { $0.name == name }) {
        throw StateError.unexpected(path.appending(name))
      }
      return try expected.map { metric in
        guard let field = fields[metric.name] else {
          throw StateError.missing(path.appending(metric.name))
        }
        return try field.decoded(like: metric, at: path.appending(metric.name))
      }
    default:
      throw StateError.mistyped(path, expected: "metrics by name", got: saved.kind)
    }
  }
}

extension StateValue {
  /// A metric of the type of `metric`.
  fileprivate func decoded<M: Metric>(like metric: M, at path: StatePath) throws -> any Metric {
    let saved = try decode(M.self, at: path)
    guard saved.name == metric.name else {
      throw StateError.mistyped(path, expected: metric.name, got: saved.name)
    }
    return saved
  }
}
