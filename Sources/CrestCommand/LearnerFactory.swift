import Crest

/// Makes the learner that options describe.
func makeLearner(
  _ options: ModelOptions, _ training: OptimizerOptions, _ parameters: ParameterOptions
) throws -> Learner {
  let optimizer = try training.makeOptimizer()
  let transforms = try training.augment?.transforms() ?? []
  guard options.batchSize >= 1 else { throw LearnerError.batchSize(options.batchSize) }
  let arrays = try parameters.arrays(of: options)
  let (data, model, loss) = try options.load(
    keepsAll: training.noShuffle, headClasses: parameters.replaceHead,
    selection: parameters.selection(among: arrays))
  if let readiness = model.trainingReadiness { try note(readiness, json: options.json) }
  let learner = try Learner(
    model, data: data, loss: loss, optimizer: optimizer, metrics: metrics(for: data.train.target),
    batchSize: options.batchSize, seed: options.seed, shuffle: !training.noShuffle,
    transforms: transforms, groups: parameters.groups.split,
    weightDecays: training.weightDecays, frozenNormalization: parameters.frozenNorm)
  try parameters.freeze(learner, among: arrays)
  model.restartTracedStatistics(except: learner.frozen)
  return learner
}

/// Says on standard error what training a model from a file must know, and among the results, too, if these
/// are for programs.
private func note(_ readiness: TrainingReadiness, json: Bool) throws {
  for note in readiness.notes {
    StandardError.write("Note: \(note)\n")
    if json { try StandardOutput.write(JSONLine(note).text) }
  }
}

/// Says on standard error what makes a run slow, where no progress bar does.
var slowdownNotice: any Callback {
  CallbackOf(
    .beforeFit { fit in
      for slowdown in fit.slowdowns { StandardError.write("Note: \(slowdown)\n") }
    }, name: "SlowdownNotice")
}
