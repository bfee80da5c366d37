import Crest

let trainingMisuses: [Misuse] = learnerMisuses + metricMisuses + stateMisuses

private let learnerMisuses: [Misuse] = [
  Misuse("learner.set-outside-a-fit", says: "the learning rate was set while no fit is running") {
    try Learner(model(), data: data())[.base(.learningRate)] = 0.1
  },
  Misuse("learner.top-losses", says: "the -1 largest losses") {
    _ = try Learner(model(), data: data()).predictions().topLosses(-1)
  },
  Misuse("learner.whiten-no-images", says: "patches of 0 images were to be whitened") {
    try Learner(model(), data: data()).whitenPatches(by: "dense.weight", imageCount: 0)
  },
  Misuse("learner.spread-outside-a-fit", says: "the learning rate was set while no fit is running")
  {
    try Learner(model(), data: data()).spreadLearningRate(over: .same(0.1))
  },
  Misuse("learner.report-outside-a-fit", says: "f1 was reported while no fit is running") {
    try Learner(model(), data: data()).report(0.5, as: "f1")
  },
  Misuse(
    "learner.restore-anothers-snapshot",
    says: "the snapshot is of another model: it has nothing where the store has dense.weight [3, 4]"
  ) {
    let snapshot = try Learner(model(Flatten()), data: flat()).snapshot()
    try Learner(model(), data: data()).restore(snapshot)
  },
  // Of equal size when padded to cache lines.
  Misuse(
    "learner.restore-of-another-shape",
    says:
      "the snapshot is of another model: it has dense.weight [2, 4] where the store has dense.weight [3, 4]"
  ) {
    let two = try Model(Dense(2), input: [4], engine: oneThread())
    let classes = TensorExamples(
      name: "two", inputs: [("input", Tensor(zeros: [8, 4]))],
      targets: Tensor((0..<8).map { Int64($0 % 2) }), classNames: ["a", "b"])
    let snapshot = try Learner(two, data: DataSplit(train: classes, valid: classes)).snapshot()
    try Learner(model(), data: data()).restore(snapshot)
  },
  Misuse(
    "learner.restore-of-more",
    says: "the snapshot is of another model: it has 2 parameters and statistics, the store 1"
  ) {
    let snapshot = try Learner(model(), data: data()).snapshot()
    try Learner(model(Dense(3, bias: false)), data: data()).restore(snapshot)
  },
  Misuse(
    "learner.restore-of-another-optimizer",
    says: "the snapshot is of a learner with sgd, not adamw"
  ) {
    let model = try model()
    let snapshot = try Learner(model, data: data()).snapshot()
    try Learner(model, data: data(), optimizer: AdamW()).restore(snapshot)
  },
  Misuse(
    "learner.fit-in-anothers-fit",
    says: "a fit began while another learner's fit of the same model was running"
  ) {
    let model = try model()
    let other = try Learner(model, data: data())
    try Learner(model, data: data()).fit(
      epochs: 1, callbacks: [CallbackOf(.beforeBatch { _ in try other.fit(epochs: 1) })])
  },
  Misuse(
    "learner.restore-in-anothers-fit",
    says: "a snapshot was restored during another learner's fit of the same model"
  ) {
    let model = try model()
    let other = try Learner(model, data: data())
    try Learner(model, data: data()).fit(
      epochs: 1, callbacks: [CallbackOf(.beforeBatch { _ in other.restore(other.snapshot()) })])
  },
  Misuse(
    "learner.batch-norm-of-no-batch", says: "batch-norm statistics of 0 batches"
  ) {
    try Learner(model(), data: data()).recomputeBatchNormStatistics(batches: 0)
  },
  Misuse(
    "learner.batch-norm-in-anothers-fit",
    says: "batch-norm statistics were estimated during another learner's fit of the same model"
  ) {
    let model = try model()
    let other = try Learner(model, data: data())
    try Learner(model, data: data()).fit(
      epochs: 1,
      callbacks: [CallbackOf(.beforeBatch { _ in try other.recomputeBatchNormStatistics() })])
  },
  Misuse(
    "learner.freeze-in-anothers-fit", says: "parameters were frozen or unfrozen during a fit"
  ) {
    let model = try model()
    let other = try Learner(model, data: data())
    try Learner(model, data: data()).fit(
      epochs: 1, callbacks: [CallbackOf(.beforeBatch { _ in try other.freezeTo(-1) })])
  },
]

/// Data for a model that has no parameters.
private func flat() -> DataSplit {
  let set = TensorExamples(
    name: "flat", inputs: [("input", Tensor(zeros: [8, 4]))], targets: Tensor(zeros: [8, 4]))
  return DataSplit(train: set, valid: set)
}

/// Lets a metric see a batch of two examples and three classes.
private func score(
  _ metric: some Metric, predictions: Int = 6, shape: Shape = [2, 3], classAxis: Int = 1,
  targets: Tensor = Tensor([0, 1] as [Int64])
) {
  var metric = metric
  let values = [Float](repeating: 0, count: predictions)
  metric.update(
    values.span,
    ScoredBatch(
      count: 2, predictionShape: shape, classAxis: classAxis, targets: targets, loss: 0))
}

private let metricMisuses: [Misuse] = [
  Misuse("fbeta.beta", says: "β is -1.0, expected a finite number above 0") {
    _ = FBetaScore(beta: -1)
  },
  Misuse("ece.bins", says: "0 bins of calibration, expected 1 to 10000") {
    _ = ExpectedCalibrationError(bins: 0)
  },
  Misuse("confusion.classes", says: "classes 0 and 3 of a matrix of 0") {
    _ = ConfusionMatrix()[actual: 0, predicted: 3]
  },
  Misuse("confusion.add", says: "classes -1 and 0, expected 0 to 1999") {
    var matrix = ConfusionMatrix()
    matrix.add(actual: -1, predicted: 0)
  },
  Misuse("top-k-accuracy.k", says: "a top-0 accuracy") { _ = TopKAccuracy(0) },
  Misuse("accuracy.predictions", says: "5 predictions of the shape [2, 3]") {
    score(Accuracy(), predictions: 5)
  },
  Misuse("accuracy.label", says: "label 7 of 3 classes") {
    score(Accuracy(), targets: Tensor([0, 7] as [Int64]))
  },
  Misuse("accuracy.negative-label", says: "label -1 of 3 classes") {
    score(TopKAccuracy(2), targets: Tensor([-1, 0] as [Int64]))
  },
  Misuse("accuracy.target-count", says: "targets int64 [1] for predictions [2, 3]") {
    score(Accuracy(), targets: Tensor([0] as [Int64]))
  },
  Misuse("accuracy.probability-count", says: "targets float32 [2] for predictions [2, 3]") {
    score(Accuracy(), targets: Tensor(zeros: [2]))
  },
  Misuse("accuracy.target-type", says: "the tensor holds int32, not int64") {
    score(Accuracy(), targets: Tensor([0, 1] as [Int32]))
  },
  Misuse("accuracy.class-axis", says: "axis 2 of the shape [2, 3]") {
    score(Accuracy(), classAxis: 2)
  },
  Misuse("binary-accuracy.target-count", says: "targets float32 [2] for predictions [2, 3]") {
    score(BinaryAccuracy(), targets: Tensor(zeros: [2]))
  },
  Misuse("binary-accuracy.predictions", says: "7 predictions of the shape [2, 3]") {
    score(BinaryAccuracy(), predictions: 7, targets: Tensor(zeros: [2, 3]))
  },
  Misuse("mean-absolute-error.target-count", says: "targets float32 [5] for predictions [2, 3]") {
    score(MeanAbsoluteError(), targets: Tensor(zeros: [5]))
  },
  Misuse("mean-squared-error.target-type", says: "the tensor holds int64, not float32") {
    score(MeanSquaredError(), targets: Tensor(zeros: [2, 3], elementType: .int64))
  },
]

private let stateMisuses: [Misuse] = [
  Misuse("weights.write", says: "values for a buffer of") {
    let (small, large) = (try model(), try model(Dense(500)))
    ParameterStore.Weights(of: small.store).write(to: large.store)
  },
  Misuse("state-value.set", says: "seed was set in the number 3, which has no fields") {
    var value = StateValue.integer(3)
    value["seed"] = .integer(4)
  },
  Misuse("checkpoint-folder.path", says: "a checkpoint called a/b") {
    try withFolder { _ = $0.path(of: "a/b") }
  },
  Misuse("checkpoint-folder.save", says: "a checkpoint called .hidden") {
    try withFolder { try $0.save(RunState(.fields([:])), as: ".hidden") }
  },
  Misuse("checkpoint-folder.remove", says: "a checkpoint called ") {
    try withFolder { try $0.remove("") }
  },
  Misuse("checkpoint-folder.verified", says: "a checkpoint called a/b") {
    try withFolder { _ = try $0.verified("a/b") }
  },
]
