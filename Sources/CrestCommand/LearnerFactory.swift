import Crest

/// Makes the learner described by the options.
func makeLearner(
  _ options: ModelOptions, _ training: OptimizerOptions, _ parameters: ParameterOptions,
  metricNames: [String] = [], trainMetrics: Bool = false, test: TestPart? = nil,
  headForData: Bool = false
) throws -> Learner {
  let optimizer = try training.makeOptimizer(options.standard)
  let (transforms, mixing) = try training.augment?.made() ?? ([], [])
  try options.checkBatchSize()
  let arrays = try parameters.arrays(of: options)
  let (data, model, loss) = try options.load(
    keepsAll: training.noShuffle, test: test, headClasses: parameters.replaceHead,
    headForData: headForData,
    selection: parameters.selection(among: arrays))
  if options.batchSize == nil, let size = ModelOptions.tableBatchSize(for: data.train) {
    Notes.write("chosen for \(data.train.count) rows of a table: --batch-size \(size)")
  }
  if let readiness = model.trainingReadiness { note(readiness) }
  let learner = try Learner(
    model, data: data, loss: loss, optimizer: optimizer,
    metrics: namedMetrics(metricNames, loss, model, data), trainMetrics: trainMetrics,
    batchSize: options.batchSize(for: model, data), seed: options.seed,
    shuffle: !training.noShuffle,
    transforms: transforms, mixing: mixing, groups: parameters.groups.split,
    weightDecays: training.weightDecays, frozenNormalization: parameters.frozenNorm ?? .inference,
    preprocessing: options.preprocessing)
  try learner.checkNumbers(isTraining: true)
  note(learner)
  if let name = parameters.whiten {
    try learner.whitenPatches(by: name)
    try learner.freeze(.matching(NamePattern(name)))
  }
  try parameters.freeze(learner, among: arrays)
  model.restartTracedStatistics(except: learner.frozen)
  if learner.trainLoader.smallestBatch > 1 {
    Notes.write(
      "batches of \(learner.trainLoader.batchSize) leave one of the \(learner.trainLoader.exampleCount) examples "
        + "over, from which batch norm learns nothing; it joins the previous batch")
  }
  return learner
}

/// Prints to standard error the notes on training a model from a file.
private func note(_ readiness: TrainingReadiness) {
  for note in readiness.notes { Notes.write("\(note)", arrays: note.arrays) }
}

/// Prints to standard error how the data were interpreted and matched to the model.
func note(_ learner: Learner) {
  // Preprocessing of bytes is for float32 models; others get bytes as they are.
  let isFloat = learner.model.inputs.allSatisfy { $0.elementType == .float32 }
  let isPrepared = !learner.data.train.preprocessing.isIdentity
  for note in learner.data.notes {
    switch note {
    case .byteImages where !isPrepared || !isFloat: continue
    case .bytesAsStored where isPrepared || !isFloat,
      .integersAsFloats where isPrepared || !isFloat:
      continue
    default: Notes.write("\(note)")
    }
  }
  write(learner.notes)
}

/// Prints to standard error notes that a fit has added.
func addedNotes(to learner: Learner) -> any Callback {
  var known = learner.notes.count
  func writeNew() {
    guard learner.notes.count > known else { return }
    write(Array(learner.notes[known...]))
    known = learner.notes.count
  }
  return CallbackOf(
    .beforeEpoch { _ in writeNew() }, .afterBatch { _ in writeNew() },
    .afterFit { _ in writeNew() }, name: "AddedNotes")
}

private func write(_ notes: [Learner.Note]) {
  for note in notes {
    let others =
      switch note {
      case .classAxis(let found, _):
        found.alternative.map { "; --class-axis \($0) selects the other" } ?? ""
      case .otherClassAxis(_, let axis, _): "; --class-axis \(axis) selects that one"
      default: note.isOfPreprocessing ? "; --preprocessing changes that" : ""
      }
    Notes.write("\(note)\(others)")
  }
}

/// Prints to standard error what makes a run slow, if no progress bar does.
var slowdownNotice: any Callback {
  CallbackOf(
    .beforeFit { fit in
      for slowdown in fit.slowdowns { Notes.write(slowdown) }
    }, name: "SlowdownNotice")
}
