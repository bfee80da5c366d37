import ArgumentParser
import Crest

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a network.",
    discussion: """
      Schedules: one-cycle (up and down once, momentum in the opposite direction), constant, flat-cosine \
      (constant for three quarters, then down), cosine and linear (down to 0), triangular (up from \
      a quarter and back, in cycles of four epochs), step (a tenth after half of the run, a \
      hundredth after three quarters), and those that --schedule lists. Rates in a schedule's settings are multiples \
      of --max-lr, from 0 to 1; lengths are 500steps, 2epochs, or a part of the run as 0.25.
      Every run ends when a loss is not finite, and names the layer where it began.
      """)

  @OptionGroup(title: "Model and data") var model: ModelOptions

  @Option(
    name: .customLong("epochs"), parsing: .unconditional,
    help: ArgumentHelp(
      "Passes over all training examples (default: \(StandardRun.list { "\($0.epochs)" })).",
      valueName: "n"))
  private var givenEpochs: Int?

  /// Passes over all training examples.
  private var epochs: Int { givenEpochs ?? (model.standard ?? .photographs).epochs }

  @OptionGroup(title: "Learning rate") var schedule: ScheduleOptions

  @OptionGroup(title: "Training") var optimizer: OptimizerOptions

  @OptionGroup(title: "Metrics") var metrics: MetricOptions

  @OptionGroup(title: "Metrics") var trainMetrics: TrainMetricOptions

  @OptionGroup(title: "Metrics") var testPart: TestPartOption

  @OptionGroup(title: "Metrics") var tta: AugmentationsOption

  @OptionGroup(title: "Checkpoints") var checkpoints: CheckpointOptions

  @OptionGroup(title: "Parameters") var parameters: ParameterOptions

  @Option(
    name: .customLong("callback"),
    help: ArgumentHelp(
      "A callback: \(NamedCallback.all.map(\.usage).joined(separator: ", ")). May be repeated.",
      valueName: "name[:key=value,…]"))
  var callbacks: [CallbackOption] = []

  @Option(
    name: .customLong("plugin"),
    help: ArgumentHelp(
      "A plugin, by its name or by a path with a / in it; see crest plugins. May be repeated.",
      valueName: "name|path[:key=value,…]"))
  var plugins: [PluginOption] = []

  @Option(
    help: ArgumentHelp(
      "What to do when a plugin fails: stop training, disable the plugin, or restart it, up to "
        + "three times, if it is a separate process (default: \(PluginFailureOption.stop.rawValue)).",
      valueName: "policy"))
  var pluginFailure: PluginFailureOption?

  @Option(help: ArgumentHelp("A CSV file, one row per epoch.", valueName: "file"))
  var log: String?

  @Option(
    help: ArgumentHelp(
      "A CSV file, one row per step: step, epoch, batch, loss, learning rate, momentum.",
      valueName: "file"))
  var logSteps: String?

  @Option(
    defaultAsFlag: EstimateOption.standard,
    help: ArgumentHelp(
      "Estimate the optimal learning rate from the steps, in reports, --log-steps and the live line: smith, "
        + "rate-corrected, gradient, or same-batch[:every=n], which alone measures curvature.",
      valueName: "form"))
  var estimateLr: EstimateOption?

  @Option(
    help: ArgumentHelp(
      "The ONNX file for the trained network, with its preprocessing and the names of its "
        + "classes.",
      valueName: "file"))
  var export: String?

  /// Refuses missing numbers, which only some kinds of data have defaults for.
  func validate() throws {
    guard model.standard == nil else { return }
    if givenEpochs == nil { throw ValidationError("Missing expected argument '--epochs <n>'") }
    guard schedule.isRateGiven else {
      throw ValidationError(
        "Missing expected argument '--max-lr <\(ScheduleOptions.rateForm)>'")
    }
  }

  /// Whether nobody has chosen the network or the rate for photographs or a table.
  private var takesStandardRun: Bool {
    (model.areImages || model.isTable) && !model.isModelGiven && !schedule.isRateGiven
  }

  /// Prints what was chosen for the data.
  private func noteChoices(_ fineTuning: FineTuning?) {
    guard let standard = model.standard else { return }
    let rate = fineTuning == nil ? standard.rate : FineTuning.standardRate
    let optimizer = optimizer.isOptimizerGiven ? nil : standard.optimizer
    let chosen =
      (model.isModelGiven ? [] : ["--model \(standard.model)"])
      + (givenEpochs == nil ? ["--epochs \(epochs)"] : [])
      + (schedule.isRateGiven ? [] : ["--max-lr \(rate.short)"])
      + (optimizer.map { ["--optimizer \($0)"] } ?? [])
      + (takesStandardRun ? ["--callback recompute-batch-norm-statistics:at=validation"] : [])
    if !chosen.isEmpty {
      Notes.write(
        "chosen for \(standard.data): \(chosen.joined(separator: " ")); give others to change that")
    }
    if model.areImages, self.optimizer.augment == nil {
      Notes.write(
        "every epoch shows the same images; --augment random-resized-crop:min-scale=0.35,flip shows parts of them, "
          + "mirrored or not, from which a network learns more")
    }
  }

  func run() throws { try run(fineTuning: nil) }

  /// Trains, or fine-tunes.
  func run(fineTuning: FineTuning?) throws {
    Notes.areEvents(model.json)
    noteChoices(fineTuning)
    // All checks of the options alone come before data are read.
    guard epochs >= 1 else { throw LearnerError.epochs(epochs) }
    try fineTuning?.check(schedule, model, epochs: epochs)
    _ = try schedule.makeScheduler(
      chosen: nil, model.standard, momentum: optimizer.chosenMomentum(model.standard),
      epochs: epochs, stepsPerEpoch: 1 << 20)
    let augmentations = try tta.augmentations()
    var chosen = try chosenCallbacks()
    let backup = try checkpoints.makeCallback()
    if let backup { chosen.append(backup) }
    try checkNeeds()
    let outputs = try outputs().open(
      besides: model.inputs + (testPart.test?.input ?? []))
    defer { outputs.close() }
    let learner = try makeLearner(
      model, optimizer, parameters, metricNames: metrics.names,
      trainMetrics: trainMetrics.isAsked, test: testPart.test,
      headForData: fineTuning != nil)
    if export != nil { try learner.model.checkONNXExport() }
    if let augmentations { try learner.check(augmentations) }
    let rate =
      fineTuning == nil
      ? try schedule.chooseRate(for: learner, epochs: epochs, callbacks: chosen) : nil
    if let rate {
      chosen.append(FoundRate(rate))
    }
    // A rate that nobody chose for these data may be too high for them.
    if rate != nil || !schedule.isRateGiven, !chosen.contains(where: { $0 is DivergenceGuard }) {
      chosen.append(try DivergenceGuard())
    }
    // In the few steps of a small folder or table running statistics don't get where they belong.
    if takesStandardRun, !chosen.contains(where: { $0 is RecomputeBatchNormStatistics }) {
      chosen.append(try RecomputeBatchNormStatistics(at: .validation))
    }
    let scheduler =
      try fineTuning?.scheduler(for: learner, schedule)
      ?? schedule.makeScheduler(
        chosen: rate, model.standard, momentum: optimizer.chosenMomentum(model.standard),
        epochs: epochs,
        stepsPerEpoch: learner.stepsPerEpoch(with: chosen))

    let failure = WriteFailure()
    let report = EpochReport(json: model.json, failure: failure)
    let progress = progress(failure, chosen.lazy.compactMap { $0 as? LearningRateEstimate }.first)
    let outcome: PhaseContext.Outcome
    do {
      outcome = try Interruption.around(
        learner, meanwhile: backup == nil ? "the run is ending" : "the run is being saved"
      ) {
        try learner.fit(
          epochs: epochs,
          callbacks: [scheduler, report, addedNotes(to: learner)] + chosen
            + schedule.plotting(scheduler) + progress)
      }
    } catch {
      throw end(of: learner, backup, by: error)
    }
    if case .interrupted = outcome { throw interruption(of: learner, backup) }
    if let loss = learner.fitResult?.validation?.loss, !loss.isFinite {
      // Measured after the last callback; this says where it began.
      _ = try learner.evaluate(requiringFinite: true)
    }
    let averaged = try augmentations.map { augmentations in
      try Interruption.around(learner, meanwhile: "the evaluation is ending") {
        try learner.evaluate(augmentations: augmentations, requiringFinite: true)
      }
    }
    let tested = try learner.data.test.map { test in
      try Interruption.around(learner, meanwhile: "the evaluation is ending") {
        try learner.evaluate(on: test, requiringFinite: true)
      }
    }
    if let export {
      Interruption.finish("the network is being written to \(export)")
      try learner.model.exportONNX(to: export)
    }
    try failure.check()
    let failures = [backup?.lastFailure] + chosen.map { ($0 as? ModelCheckpoint)?.lastFailure }
    let saveFailure = failures.lazy.compactMap(\.self).first.map { "\($0)" }
    try report.writeResult(
      learner.fitResult, averaged: averaged, tested: tested, of: outcome, saveFailure: saveFailure)
    try Notes.check()
    if let saveFailure { throw CommandError.lastSaveFailed(reason: saveFailure) }
  }

  /// Refuses options that do nothing without others.
  private func checkNeeds() throws(CommandError) {
    let resumes = "add it, or omit both"
    let saves = "name the folder of the run"
    let needs: [(option: String, isGiven: Bool, other: String, isThere: Bool, advice: String)] = [
      ("--resume", checkpoints.resume, "--checkpoint-dir", checkpoints.checkpointDir != nil, saves),
      (
        "--checkpoint-every", checkpoints.checkpointEvery != nil, "--checkpoint-dir",
        checkpoints.checkpointDir != nil, saves
      ),
      ("--reschedule", checkpoints.reschedule, "--resume", checkpoints.resume, resumes),
      ("--partial", !checkpoints.partial.isEmpty, "--resume", checkpoints.resume, resumes),
      (
        "--plugin-failure", pluginFailure != nil, "--plugin", !plugins.isEmpty,
        "name the plugin, or omit it"
      ),
      (
        "--frozen-norm", parameters.frozenNorm != nil, "--freeze or --freeze-to",
        !parameters.freeze.isEmpty || parameters.freezeTo != nil,
        "name what to freeze, or omit it"
      ),
    ]
    for need in needs where need.isGiven && !need.isThere {
      throw .needs(option: need.option, other: need.other, advice: need.advice)
    }
  }

  /// The error for a run that failed, which also says where the run was saved, if it was.
  private func end(
    of learner: Learner, _ backup: BackupAndRestore?, by error: any Error
  ) -> any Error {
    guard let backup, let became = backup.interruption, let failure = Failure(error) else {
      return error
    }
    let saved: CommandError.SavedRun
    switch became {
    case .saved: saved = .saved(folder: backup.folder)
    case .notSaved(let reason, let newest):
      // A failed save already says everything.
      if case CheckpointError.tooManyFailures(_, backup.lastFailure.map { "\($0)" }, _) = error {
        return error
      }
      saved = .notSaved(reason: "\(reason)", newest: newest)
    }
    return CommandError.ended(
      by: failure.message, failure.code, epoch: learner.epochsBegun, steps: learner.stepsTaken,
      saved)
  }

  /// All outputs of the command.
  private func outputs() throws -> [NamedOutput] {
    NamedOutput.list(("--log", log), ("--log-steps", logSteps), kind: .log)
      + NamedOutput.list(("--export", export), ("--plot-schedule", schedule.plotSchedule))
      + NamedOutput.list(("--checkpoint-dir", checkpoints.checkpointDir), kind: .folder)
      + (try callbacks.flatMap { try $0.outputs() })
  }

  /// The interruption of a run, as the user sees it.
  private func interruption(of learner: Learner, _ backup: BackupAndRestore?) -> CommandError {
    if case .notSaved(let error, let newest) = backup?.interruption {
      return .notSaved(
        epoch: learner.epochsBegun, steps: learner.stepsTaken, reason: "\(error)", newest: newest)
    }
    return .interrupted(
      epoch: learner.epochsBegun, steps: learner.stepsTaken, folder: backup?.folder)
  }

  private func chosenCallbacks() throws -> [any Callback] {
    var chosen = try callbacks.map { try $0.make() }
    if !chosen.contains(where: { $0 is TerminateOnNaN }) { chosen.append(TerminateOnNaN()) }
    chosen += try plugins.map { try $0.make(onFailure: pluginFailure ?? .stop) }
    if let log { chosen.append(CSVLogger(path: log)) }
    if let estimateLr { chosen.append(try LearningRateEstimate(estimateLr.form())) }
    if let logSteps { chosen.append(StepLogger(path: logSteps)) }
    return chosen
  }

  private func progress(
    _ failure: WriteFailure, _ estimate: LearningRateEstimate?
  ) -> [any Callback] {
    if model.json && !StandardError.isTerminal { return [slowdownNotice] }
    return [
      ProgressBar(
        model.json ? .besideJSON : .splitting(failure: failure), naming: NamedCallback.name(of:),
        details: {
          estimate?.latest.map { ["estimate \(decimal($0.displayed, 4))"] } ?? []
        })
    ]
  }
}
