import Crest

/// What hooks do in a fit that they mustn't.
let hookMisuses: [Misuse] = reentryMisuses + readMisuses + ownershipMisuses + contextMisuses

private let reentryMisuses: [Misuse] = [
  Misuse("hook.add-callback", says: "CallbackOf was added during a fit") {
    try fit(.beforeEpoch { $0.learner.add(CallbackOf()) })
  },
  Misuse("hook.remove-callback", says: "Recorder was removed during a fit") {
    try fit(.beforeEpoch { $0.learner.remove(Recorder()) })
  },
  Misuse("hook.exchange-callbacks", says: "callbacks were exchanged during a fit") {
    try fit(.beforeBatch { $0.learner.withCallbacks([]) {} })
  },
  Misuse("hook.fit", says: "fit was called from a hook of a running fit") {
    try fit(.afterEpoch { try $0.learner.fit(epochs: 1) })
  },
  Misuse("hook.fit-one-cycle", says: "fit was called from a hook of a running fit") {
    try fit(.afterFit { try $0.learner.fitOneCycle(epochs: 1, maxLR: 0.1) })
  },
  Misuse("hook.whiten-patches", says: "patches were whitened during a fit") {
    try fit(.beforeFit { try $0.learner.whitenPatches(by: "dense.weight") })
  },
  Misuse("hook.find-learning-rate", says: "callbacks were exchanged during a fit") {
    try fit(.beforeFit { _ = try $0.learner.findLearningRate() })
  },
  Misuse("hook.range-test", says: "a trial was begun during a fit") {
    try fit(.beforeFit { _ = try $0.learner.rangeTest() })
  },
  Misuse("hook.choose-max-lr", says: "a trial was begun during a fit") {
    try fit(.afterEpoch { _ = try $0.learner.chooseMaxLR(epochs: 1) })
  },
  Misuse("hook.load", says: "nowhere.safetensors was loaded during a fit") {
    try fit(.beforeFit { try $0.learner.load(from: "nowhere.safetensors") })
  },
  Misuse("hook.freeze", says: "parameters were frozen or unfrozen during a fit") {
    try fit(.beforeEpoch { try $0.learner.freeze(.all) })
  },
  Misuse("hook.unfreeze", says: "parameters were frozen or unfrozen during a fit") {
    try fit(.beforeEpoch { try $0.learner.unfreeze() })
  },
  Misuse("hook.freeze-to", says: "parameters were frozen or unfrozen during a fit") {
    try fit(.beforeEpoch { try $0.learner.freezeTo(-1) })
  },
]

private let readMisuses: [Misuse] = [
  Misuse(
    "hook.read-too-early", says: "predictions was asked for before the batch was given to the model"
  ) {
    try fit(.beforeBatch { _ = $0.read(.predictions) }, reads: [.predictions])
  },
  Misuse(
    "hook.with-read-too-early", says: "losses was asked for before the batch was given to the model"
  ) {
    try fit(.beforeBatch { $0.withRead(.losses) { _, _ in } }, reads: [.losses])
  },
  Misuse(
    "hook.nan-prediction-too-early",
    says: "predictions was asked for before the batch was given to the model"
  ) {
    try fit(.beforeBatch { _ = $0.hasNaNPrediction }, reads: [.predictions])
  },
  Misuse(
    "hook.read-after-the-batch",
    says: "predictions was asked for before the batch was given to the model"
  ) {
    let kept = Kept<BatchContext>()
    try fit(
      .afterBatch { kept.value = $0 }, .afterFit { _ in _ = kept.value?.read(.predictions) },
      reads: [.predictions])
  },
  Misuse("hook.read-undeclared", says: "predictions is not among the reads []") {
    try fit(.afterPrediction { _ = $0.read(.predictions) })
  },
  Misuse("hook.nan-prediction-undeclared", says: "predictions is not among the reads [losses]") {
    try fit(.afterLoss { _ = $0.hasNaNPrediction }, reads: [.losses])
  },
]

private let ownershipMisuses: [Misuse] = [
  Misuse(
    "hook.set-unowned",
    says: "Careless sets the learning rate, which only a callback that owns it may do"
  ) {
    try fit(.beforeBatch { $0.learner[.base(.learningRate)] = 0.1 })
  },
  Misuse(
    "hook.spread-unowned",
    says: "Careless sets the learning rate, which only a callback that owns it may do"
  ) {
    try fit(.beforeFit { try $0.learner.spreadLearningRate(over: .same(0.1)) })
  },
  Misuse("hook.set-nan", says: "the momentum was set to nan, not to a finite number of at least 0")
  {
    try fit(.beforeBatch { $0.learner[.base(.momentum)] = .nan }, owns: [.base(.momentum)])
  },
  Misuse(
    "hook.set-negative",
    says: "the factor of the weight decay was set to -1.0, not to a finite number of at least 0"
  ) {
    try fit(
      .beforeBatch { $0.learner[.factor(.weightDecay)] = -1 }, owns: [.factor(.weightDecay)])
  },
  Misuse(
    "hook.set-overflow", says: "the learning rate is 1e+308 × 100.0, which is no finite number"
  ) {
    try fit(
      .beforeBatch {
        $0.learner[.factor(.learningRate)] = 100
        $0.learner[.base(.learningRate)] = 1e308
      }, owns: [.base(.learningRate), .factor(.learningRate)])
  },
  Misuse(
    "hook.report-undeclared",
    says: "Careless reports f1, which only a callback that has it among its reports may do"
  ) {
    try fit(.afterEpoch { $0.learner.report(1, as: "f1") })
  },
  Misuse("hook.report-before-an-epoch", says: "own was reported while no epoch is running") {
    try fit(.beforeFit { $0.learner.report(1, as: "own") })
  },
]

private let contextMisuses: [Misuse] = [
  Misuse("hook.accumulate", says: "a step of 0 batches") {
    try fit(.beforeFit { try $0.accumulate(batchesPerStep: 0) })
  },
  Misuse(
    "hook.accumulate-later",
    says: "steps of 3 batches were chosen at step 1, which only a beforeFit hook may do"
  ) {
    try fit(.afterBatch { try $0.fit.accumulate(batchesPerStep: 3) })
  },
  Misuse("hook.limit-batches", says: "a limit of 0 batches") {
    try fit(.beforeFit { $0.limitBatches(training: nil, validation: 0) })
  },
  Misuse("hook.lend-later", says: "EMA lends weights at step 0, which only a beforeFit hook may do")
  {
    let ema = try EMA()
    try fit(.beforeEpoch { try $0.fit.lendWeights(by: ema) })
  },
  Misuse(
    "hook.first-non-finite-after-the-batch",
    says: "numbers were looked for after their batch had ended"
  ) {
    let kept = Kept<BatchContext>()
    try fit(
      .afterBatch { kept.value = $0 }, .afterEpoch { _ in _ = try kept.value?.firstNonFinite() })
  },
  Misuse(
    "hook.step-report-undeclared",
    says: "own was reported of a batch, which no callback has among its step reports"
  ) {
    try fit(.afterStep { $0.report(0.5, as: "own") })
  },
  Misuse(
    "hook.gradients-after-the-batch", says: "gradients were recomputed outside of a training batch"
  ) {
    let kept = Kept<BatchContext>()
    try fit(
      .afterBatch { kept.value = $0 },
      .afterEpoch { _ in try kept.value?.withGradientsRecomputed {} })
  },
  Misuse(
    "hook.replace-gradients-after-the-batch",
    says: "gradients were replaced outside of a training batch"
  ) {
    let kept = Kept<BatchContext>()
    try fit(
      .afterBatch { kept.value = $0 },
      .afterEpoch { _ in try kept.value?.recomputeGradients() })
  },
  Misuse("hook.go-back-after-the-batch", says: "training went back after its batch had ended") {
    let kept = Kept<BatchContext>()
    try fit(
      .afterBatch { kept.value = $0 },
      .afterEpoch { epoch in
        kept.value?.goBack(to: epoch.learner.trainingState(), backOff)
      })
  },
  Misuse(
    "hook.go-back-to-anothers-state", says: "the training state is of another model or optimiser"
  ) {
    let other = try Learner(model(), data: data(), optimizer: Adam()).trainingState()
    try fit(.afterLoss { $0.goBack(to: other, backOff) })
  },
  Misuse(
    "hook.non-finite-loss-after-the-batch",
    says: "numbers were looked for after their batch had ended"
  ) {
    let kept = Kept<BatchContext>()
    try fit(
      .afterBatch { kept.value = $0 },
      .afterFit { _ in if let batch = kept.value { _ = try NonFiniteLoss(in: batch) } })
  },
  Misuse(
    "hook.resume-later", says: "a fit was resumed at step 2, which only a beforeFit hook may do"
  ) {
    try withResumption { resumption in
      try fit(.afterTrain { $0.epoch.fit.resume(from: resumption) })
    }
  },
  Misuse(
    "hook.resume-before-an-epoch",
    says: "a fit was resumed at step 0, which only a beforeFit hook may do"
  ) {
    try withResumption { resumption in
      try fit(.beforeEpoch { $0.fit.resume(from: resumption) })
    }
  },
  Misuse("hook.restore-anothers-weights", says: "values for a buffer of") {
    let kept = Kept<FitResult.MeasuredWeights>()
    let other = try Learner(model(Dense(3, bias: false)), data: data(), batchSize: 4)
    try other.fit(
      epochs: 1,
      callbacks: [CallbackOf(.afterEpoch { kept.value = try FitResult.MeasuredWeights(of: $0) })])
    try fit(.beforeFit { if let measured = kept.value { $0.restore(measured) } })
  },
]

/// A fit to be resumed.
private func withResumption(_ body: (Learner.Resumption) throws -> Void) throws {
  let state = RunState(.fields(["fit": .fields([:])]))
  try body(Learner.Resumption(path: "saved.safetensors", state: state))
}

private let backOff = Learner.BackOff(
  cause: .lossNotFinite, step: 1, restoredStep: 0, highestRate: 0.1)
