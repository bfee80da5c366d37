import Crest

/// Makes the learner that options describe.
func makeLearner(_ options: ModelOptions, _ training: OptimizerOptions) throws -> Learner {
  let optimizer = try training.makeOptimizer()
  let transforms = try training.augment?.transforms() ?? []
  guard options.batchSize >= 1 else { throw LearnerError.batchSize(options.batchSize) }
  let (data, model, loss) = try options.load()
  noticeDebugBuild()
  return try Learner(
    model, data: data, loss: loss, optimizer: optimizer, metrics: metrics(for: data.train.target),
    batchSize: options.batchSize, seed: options.seed, shuffle: !training.noShuffle,
    transforms: transforms)
}

/// Says on standard error which operations no kernel serves, where no progress bar does.
var slowOperationNotice: any Callback {
  CallbackOf(
    .beforeFit { fit in
      if fit.referenceNodes.isEmpty { return }
      let names = fit.referenceNodes.map { "\($0.operation) (\($0.path), \($0.stage))" }
      StandardError.write("Note: slow, no kernel serves: \(names.joined(separator: ", "))\n")
    }, name: "SlowOperationNotice")
}

private func noticeDebugBuild() {
  #if DEBUG
    StandardError.write(
      "Note: this is a debug build, and its kernels are slow; use swift build -c release\n")
  #endif
}
