import Crest

let layerMisuses: [Misuse] =
  layerSettingMisuses + furtherLayerMisuses + builtInMisuses + ownLayerMisuses + templateMisuses

private let layerSettingMisuses: [Misuse] = [
  Misuse("layer.dense", says: "dense: 0 units; there must be at least 1") { _ = Dense(0) },
  Misuse(
    "layer.conv2d-channels", says: "conv2d: 0 channels in 1 groups; groups must divide the channels"
  ) {
    _ = Conv2D(0, kernel: 3)
  },
  Misuse(
    "layer.conv2d-groups", says: "stem: 8 channels in 3 groups; groups must divide the channels"
  ) {
    _ = Conv2D(8, kernel: 3, groups: 3, name: "stem")
  },
  Misuse(
    "layer.nesting",
    says:
      "layers lie more than 256 deep in each other; put them one after the other in one Sequential"
  ) {
    var layer = Sequential([])
    for number in 0...256 { layer = Sequential([layer], name: "l\(number)") }
  },
  Misuse("layer.dropout", says: "dropout: the rate is 1.5, not from 0 to below 1") {
    _ = Dropout(1.5)
  },
  Misuse("layer.batch-norm-epsilon", says: "batch_norm: ε is -1.0, not at least 0") {
    _ = BatchNorm(epsilon: -1)
  },
  Misuse("layer.batch-norm-momentum", says: "batch_norm: momentum is 2.0, not in 0 … 1") {
    _ = BatchNorm(momentum: 2)
  },
  Misuse("layer.rescaling", says: "rescaling: scale nan and offset 0.0; both must be finite") {
    _ = Rescaling(.nan)
  },
  Misuse("patch-whitening.epsilon", says: "ε is 0.0, not a finite number above 0") {
    _ = try PatchWhitening(of: Tensor(zeros: [1, 1, 2, 2]), epsilon: 0)
  },
  Misuse("layer.group-norm-groups", says: "group_norm: 0 groups") { _ = GroupNorm(0) },
  Misuse("layer.group-norm-epsilon", says: "group_norm: ε is nan, not at least 0") {
    _ = GroupNorm(2, epsilon: .nan)
  },
  Misuse("layer.shortcut", says: "a shortcut's stride is 0; it must be at least 1") {
    _ = SubsampledShortcut(channels: 8, stride: 0)
  },
  Misuse("layer.size", says: "a size of 3 × 0 is empty") { _ = Size2D(height: 3, width: 0) },
  Misuse("layer.square-size", says: "a size of -1 × -1 is empty") { _ = Size2D(-1) },
  Misuse("layer.literal-size", says: "a size of 0 × 0 is empty") { _ = MaxPool(0) },
  Misuse("layer.size-of-three", says: "a size has a height and a width, not 3 sizes") {
    _ = AveragePool([1, 2, 3])
  },
  Misuse("loss.huber", says: "the delta of a Huber loss is 0.0, not above 0") {
    _ = Loss.huber(delta: 0)
  },
  Misuse("loss.smoothing", says: "label smoothing is 1.5, not in 0 … 1") {
    _ = Loss.crossEntropy(labelSmoothing: 1.5)
  },
  Misuse("loss.ignored-label", says: "the ignored label is 16777217, not in -16777216...16777216") {
    _ = Loss.crossEntropy(ignoredLabel: (1 << 24) + 1)
  },
  Misuse("loss.weightless", says: "no class has a weight above 0") {
    _ = Loss.focal(classWeights: [0, 0])
  },
  Misuse("loss.no-quantiles", says: "a loss of no quantiles") { _ = Loss.quantile([]) },
  Misuse(
    "loss.labels-ignore",
    says: "the labels of dice have an ignored label or a class axis; only classes have"
  ) {
    _ = Loss.dice(.labels, ignoredLabel: 255)
  },
  Misuse(
    "loss.ctc-blank",
    says: "the blank is -1 and the padding 0, not in 0 … and -16777216...16777216"
  ) {
    _ = Loss.ctc(blank: -1)
  },
  Misuse("loss.ctc-axis", says: "the class axis is 0, not 1 or 2") { _ = Loss.ctc(classAxis: 0) },
]

private let builtInMisuses: [Misuse] = [
  Misuse("resnet.depth", says: "a ResNet of depth 21; it must be 6 n + 2, n ≥ 1") {
    _ = ResNet(depth: 21, classes: 10)
  },
  Misuse(
    "image-net-resnet.depth", says: "a ResNet of depth 19; expected [18, 34, 50]"
  ) {
    _ = ImageNetResNet(depth: 19, classes: 2)
  },
  Misuse("image-net-resnet.classes", says: "a ResNet of 0 classes") {
    _ = ImageNetResNet(depth: 18, classes: 0)
  },
  Misuse("resnet.classes", says: "a ResNet of 0 classes") { _ = ResNet(depth: 20, classes: 0) },
  Misuse("airbench94.widths", says: "an Airbench94 of 10 classes with groups of [64, 0] channels") {
    _ = Airbench94(classes: 10, widths: [64, 0])
  },
  Misuse(
    "tabular.outputs",
    says:
      "a Tabular of categories with [3] values, 2 numbers, hidden layers of [200, 100] and 0 outputs"
  ) { _ = Tabular(categoryCounts: [3], numberCount: 2, outputs: 0) },
  Misuse("small-cnn.classes", says: "a SmallCNN of -1 classes") { _ = SmallCNN(classes: -1) },
  Misuse("lenet.classes", says: "a LeNet of 0 classes") { _ = LeNet(classes: 0) },
  Misuse(
    "mlp.classes", says: "a MultilayerPerceptron of 0 classes with hidden layers of [512, 512]"
  ) {
    _ = MultilayerPerceptron(classes: 0)
  },
  Misuse("mlp.hidden", says: "a MultilayerPerceptron of 3 classes with hidden layers of [64, 0]") {
    _ = MultilayerPerceptron(classes: 3, hidden: [64, 0])
  },
]

private let ownLayerMisuses: [Misuse] = [
  Misuse("initializer.shape", says: "dense.weight is float32 [3, 4], not float32 [1]") {
    _ = try model(Dense(3, initializer: Initializer { _, _ in Tensor([1] as [Float]) }))
  },
  Misuse("initializer.element-type", says: "dense.weight is float32 [3, 4], not float64 [3, 4]") {
    let initializer = Initializer { shape, _ in Tensor(zeros: shape, elementType: .float64) }
    _ = try model(Dense(3, initializer: initializer))
  },
  Misuse("layer.own-returns-anothers-value", says: "layer stray belongs to another graph") {
    _ = try model(Stray())
  },
  Misuse("loss.own-returns-anothers-value", says: "output loss belongs to another graph") {
    let loss = Loss("stray") { prediction, _ in tracing(prediction.shape).x }
    let learner = try Learner(model(), data: data(), loss: loss, batchSize: 4)
    try learner.fit(epochs: 1)
  },
  Misuse(
    "initializer.dirac",
    says: "identities in a parameter of float32 [4]; it takes float32 of two axes or more"
  ) {
    _ = try model(Gain(initializer: .dirac()))
  },
  Misuse("initializer.uniform", says: "initial values from nan to 1.0") {
    _ = Initializer.uniform(from: .nan, to: 1)
  },
  Misuse("initializer.normal", says: "initial values of mean 0.0 and standard deviation -1.0") {
    _ = Initializer.normal(standardDeviation: -1)
  },
  Misuse(
    "initializer.truncated-normal", says: "initial values of mean inf and standard deviation 1.0"
  ) {
    _ = Initializer.truncatedNormal(mean: .infinity, standardDeviation: 1)
  },
  Misuse("model.inputs-of-one-name", says: "inputs of one name: [\"a\", \"a\"]") {
    let input = Model.Input(name: "a", shape: [2])
    _ = try Model(inputs: [input, input], engine: oneThread()) { try $0[0] + $0[1] }
  },
  Misuse("model.batch-type", says: "a size is negative in [-1, 3]") {
    _ = Model.Input(shape: [3]).batchType(-1)
  },
]

private struct Gain: Layer {
  let initializer: Initializer

  func trace(_ x: Symbol) throws -> Symbol {
    try x * x.parameter("gain", [x.shape[1]], role: .normalizationScale, initializer)
  }
}

private struct Stray: Layer {
  func trace(_ x: Symbol) throws -> Symbol { tracing(x.shape).x }
}

private let templateMisuses: [Misuse] = [
  Misuse("predictor.no-output", says: "the graph has no output") {
    _ = try Predictor(tracing([2, 4]).0.result, engine: oneThread())
  },
  Misuse("predictor.plan", says: "batches of 1") {
    let predictor = try Predictor(model().template, engine: oneThread())
    _ = try predictor.plan([Tensor(zeros: [8, 4])], batchSize: 1)
  },
  Misuse("predictor.predict", says: "batches of 0") {
    let predictor = try Predictor(model().template, engine: oneThread())
    _ = try predictor.predict([Tensor(zeros: [8, 4])], batchSize: 0)
  },
  Misuse("template.own-without-output", says: "the graph has no output") {
    let stranger = Stranger(sample: try model().graph, other: tracing([2, 4]).0.result)
    _ = try Program(
      stranger, request, store: ParameterStore(stranger.sample, seed: 0), engine: oneThread(),
      loss: nil)
  },
  Misuse("template.own-with-other-inputs", says: "1 input types for 0 inputs") {
    let builder = GraphBuilder()
    builder.output("y", builder.constant(Tensor(zeros: [2, 3])))
    let stranger = Stranger(sample: try model().graph, other: builder.result)
    _ = try Program(
      stranger, request, store: ParameterStore(stranger.sample, seed: 0), engine: oneThread(),
      loss: nil)
  },
  Misuse("template.own-with-other-variables", says: "the store has no variable gain") {
    let (builder, x) = tracing([2, 4])
    let gain = try builder.parameter("gain", [4], role: .weight) { _ in Tensor(zeros: [4]) }
    builder.output("y", try x * gain)
    let stranger = Stranger(sample: try model().graph, other: builder.result)
    _ = try Program(
      stranger, request, store: ParameterStore(stranger.sample, seed: 0), engine: oneThread(),
      loss: nil)
  },
]

private let request = Program.Request(
  inputTypes: [ValueType([2, 4])], targetType: nil, mode: .inference)

/// A template that gives another graph than it says.
private struct Stranger: GraphTemplate {
  let sample: Graph
  let other: Graph
  let fixedBatchSize: Int? = nil
  let leavesFinalActivationToLoss = false
  func graph(for inputTypes: [ValueType]) throws -> Graph { other }
}
