import CrestData
import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor

/// One call of `fit`: the phases, nested as they run, and the hooks around them.
final class TrainingLoop {
  let fit: FitContext
  let learner: Learner
  let roles: CallbackRoles
  private let hooks: HookTable
  let reads: Set<Capture>
  /// The parts of the data whose numbers are looked through batch by batch.
  private let uncheckedParts: Set<DataPart>
  private var programs: [ProgramKey: Program] = [:]
  var runningPhases: [Phase] = []
  var runningCallback: Int?
  private var runningEpoch: EpochContext?
  /// What the running pass has summed up.
  var tally: PassTally?
  /// What it had summed up before the training batch that runs.
  private var tallyBefore: PassTally?
  /// The pass to resume, until it has begun.
  var entry: LoopPosition?
  /// Whether what runs now may save the run.
  var isAtSavePoint = false
  /// Whether a batch runs, its after hooks included: its program's memory belongs to it.
  private(set) var isInBatch = false
  /// Whether those who save the run were called for an interruption, which then was for this fit.
  private(set) var hasSeenInterruption = false
  /// Whether nothing of the fit is left to do.
  private(set) var isOver = false

  private struct ProgramKey: Hashable {
    let isTraining: Bool
    let count: Int
    /// Whether losses of single examples are kept, of which some aren't counted.
    let isFilled: Bool
  }

  /// Prepares a fit: orders the callbacks, finds contradictions and compiles the first program.
  init(
    _ learner: Learner, epochs: Int, callbacks: [any Callback], resumption: Learner.Resumption?
  ) throws {
    self.learner = learner
    roles = try CallbackRoles(callbacks, besides: learner.metricNames)
    hooks = HookTable(roles.callbacks)
    reads = callbacks.reduce(learner.metrics.isEmpty ? [] : [.predictions]) {
      $0.union($1.reads)
    }
    _ = try learner.freeze(inEpoch: 0, by: roles.callbacks)
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
      referenceNodes: program.referenceNodes, reportNames: roles.callbacks.flatMap(\.reports),
      stepReportNames: roles.callbacks.flatMap(\.stepReports))
    fit.resumption = resumption
  }

  /// The callbacks, in the order they are called.
  var callbacks: [any Callback] { roles.callbacks }

  /// Notes a number of the running epoch.
  func report(_ value: Double, as name: String) {
    roles.requireReporter(of: name, runningCallback)
    guard let runningEpoch else {
      programmerError("\(name) was reported while no epoch is running")
    }
    fit.state.reports[name] = value
    noteResults(of: runningEpoch)
  }

  /// What an epoch has given so far is what a checkpoint behind it tells of it.
  private func noteResults(of epoch: EpochContext) {
    // Within an epoch the results of the one before count.
    guard fit.state.position.pass == nil else { return }
    fit.state.last = LastEpoch(epoch) ?? fit.state.last
  }

  // MARK: Phases

  /// Trains, and tells how that ended unless an error ended it, and what of the network that the model then holds
  /// was measured.
  func run() throws -> (PhaseContext.Outcome, FitResult?) {
    defer { if let snapshot = fit.restoration { learner.restore(snapshot) } }
    let outcome = try runFit()
    guard outcome.isInOrder, fit.restoration == nil, let last = fit.state.last else {
      return (outcome, nil)
    }
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
      results: FitResult.Epoch(last.results, validation: try learner.evaluate()))
  }

  private func runFit() throws -> PhaseContext.Outcome {
    try run(.fit, fit, hooks.fit) {
      defer { isOver = true }
      fit.noteDeclarations()
      if let resumption = fit.resumption { try learner.restore(resumption, into: self) }
      if entry == nil, let ending = fit.state.ending { throw ending }
      do {
        for index in fit.state.position.epoch..<max(fit.state.position.epoch, fit.epochCount) {
          try runEpoch(index)
        }
      } catch let cancellation as PhaseContext.Cancellation where fit.failure != nil {
        fit.state.ending = cancellation
        defer { fit.state.ending = nil }
        try checkFailure()
      }
      try checkFailure()
    }
  }

  private func runEpoch(_ index: Int) throws {
    let isResumed = entry != nil
    if try learner.freeze(inEpoch: index, by: callbacks) { programs = [:] }
    let epoch = EpochContext(fit, index: index)
    if !isResumed {
      fit.state.train = nil
      fit.state.reports = [:]
    }
    runningEpoch = epoch
    defer {
      noteResults(of: epoch)
      runningEpoch = nil
    }
    try run(.epoch, epoch, hooks.epoch, isResumed: isResumed) {
      defer {
        fit.state.position = LoopPosition(epoch: index + 1)
        noteResults(of: epoch)
      }
      if entry?.pass != .validation { try runPass(.training, of: epoch) }
      epoch.learningRate = learner.hyperparameters.learningRate
      try runPass(.validation, of: epoch)
    }
  }

  private func runPass(_ purpose: PassContext.Purpose, of epoch: EpochContext) throws {
    let isTraining = purpose == .training
    let loader = isTraining ? learner.trainLoader : learner.validLoader
    let pass = PassContext(
      epoch, purpose, batchCount: fit.limited(loader.batchCount, of: purpose))
    let isResumed = entry != nil
    try run(
      isTraining ? .train : .validate, pass, isTraining ? hooks.train : hooks.validate,
      isResumed: isResumed
    ) {
      let first = entry?.batch ?? 0
      entry = nil
      if !isResumed {
        tally = PassTally(
          learner.metrics(of: purpose), classAxis: learner.metricAxis, now: learner.now)
        if isTraining { fit.state.train = nil }
      }
      defer { endPass(purpose, of: epoch) }
      if let ending = fit.state.ending { throw ending }
      fit.state.position = LoopPosition(epoch: epoch.index, pass: purpose, batch: first)
      pass.order = isTraining ? learner.takeEpoch(isResumed: isResumed) : 0
      var batches = loader.batches(epoch: pass.order, startingAt: first)
      let batch = BatchContext(
        pass, inputOrder: try Learner.inputOrder(of: learner.model, for: loader.dataset))
      while fit.state.position.batch < pass.batchCount, let next = try batches.next() {
        try checkInterruption()
        fit.state.position.batch = next.index + 1
        batch.begin(next, randomKey: isTraining ? learner.takeRandomKey() : learner.fixedRandomKey)
        try runPhases(of: batch)
        // What was measured is of weights that are gone.
        if batch.hasGoneBack && !isTraining { batches = loader.batches(epoch: pass.order) }
      }
    }
  }

  private func runPhases(of batch: BatchContext) throws {
    isInBatch = true
    defer {
      isInBatch = false
      batch.release()
    }
    try run(.batch, batch, hooks.batch) { try runBatch(batch) }
  }

  /// Forgets what was measured of weights that are taken back: a training loss that isn't finite, or all of validation.
  func takeBack(_ loss: Float, isTraining: Bool) {
    fit.state.smoothedLoss = SmoothedLoss()
    if !isTraining {
      fit.state.position.batch = 0
      tally = PassTally(learner.metrics, classAxis: learner.metricAxis, now: learner.now)
    } else if !loss.isFinite {
      tally = tallyBefore
    }
  }

  /// Keeps what a pass gave.
  private func endPass(_ purpose: PassContext.Purpose, of epoch: EpochContext) {
    switch purpose {
    case .training: fit.state.train = tally?.result
    case .validation:
      epoch.validation = tally?.result
      if epoch.validation != nil { epoch.measuredFingerprint = learner.model.store.fingerprint }
    }
    tally = nil
  }

  private func runBatch(_ batch: BatchContext) throws {
    let filled = try batch.filled()
    let program = try program(for: filled, isTraining: batch.isTraining)
    try batch.check(filled, numbers: uncheckedParts.contains(batch.isTraining ? .train : .valid))
    try batch.feed(program, filled)
    try program.run(.forward, random: batch.randomKey)
    try call(hooks.afterPrediction, batch)
    try program.run(.loss, random: batch.randomKey)
    if batch.isTraining { tallyBefore = tally }
    batch.loss = try filled.add(to: &tally, program, learner.loss, of: learner.validLoader.dataset)
    batch.lossWeight = program.lossWeight.map(Double.init)
    if batch.isTraining && batch.lossWeight != 0 { fit.state.smoothedLoss.add(Double(batch.loss)) }
    try call(hooks.afterLoss, batch)
    guard batch.isTraining else { return }
    try run(.backward, batch, hooks.backward) {
      try program.run(.backward, random: batch.randomKey)
    }
    try run(.step, batch, hooks.step) {
      learner.takeStep()
      fit.state.stepsTaken += 1
    }
  }

  /// Ends the fit when that was asked for, after those who save it.
  private func checkInterruption() throws {
    guard learner.interruption.isRaised else { return try checkFailure() }
    hasSeenInterruption = true
    try callSaving()
    // What failed fails again when the fit is resumed.
    if let failure = fit.failure { learner.errorsWhileEnding.append(failure) }
    try learner.interruption.check()
  }

  /// Ends the fit with what a callback found, after those who save it.
  private func checkFailure() throws {
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

  private func program(for batch: FilledBatch, isTraining: Bool) throws -> Program {
    let key = ProgramKey(isTraining: isTraining, count: batch.size, isFilled: batch.isFilled)
    if let program = programs[key] { return program }
    let program = try learner.program(
      for: batch, isTraining: isTraining, reads: reads, of: learner.programs)
    programs[key] = program
    return program
  }
}
