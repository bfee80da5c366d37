import Crest

let runtimeMisuses: [Misuse] = storeMisuses + programMisuses

/// A store of a model with batch norm, so that it has statistics.
private func store() throws -> ParameterStore {
  try model(
    Sequential {
      Dense(3)
      BatchNorm()
    }
  ).store
}

/// An entry that `store()` doesn't have.
private func foreignEntry(_ place: Int = 0) throws -> ParameterStore.Entry {
  try model(Dense(5, name: "foreign")).store.parameters[place]
}

private let storeMisuses: [Misuse] = [
  Misuse("store.moment", says: "moment 1 of 0 is asked") {
    try store().withBuffer(.moments(1)) { _ in }
  },
  Misuse("store.moment-count", says: "-1 moments") { try store().resetMoments(count: -1) },
  Misuse(
    "store.gradient-of-a-statistic",
    says: "batch_norm.running_mean is a running statistic and has no gradient"
  ) {
    let store = try store()
    _ = store.gradient(of: store.statistics[0])
  },
  Misuse("store.write", says: "dense.weight is float32 [3, 4], not float32 [4, 3]") {
    let store = try store()
    store.write(Tensor(zeros: [4, 3]), to: store.parameters[0])
  },
  Misuse("store.write-another-type", says: "dense.weight is float32 [3, 4], not int8 [3, 4]") {
    let store = try store()
    store.write(Tensor(zeros: [3, 4], elementType: .int8), to: store.parameters[0])
  },
  Misuse("store.value-of-another", says: "foreign.weight [5, 4] is not of this store") {
    _ = try store().value(of: foreignEntry())
  },
  Misuse("store.gradient-of-another", says: "foreign.weight [5, 4] is not of this store") {
    _ = try store().gradient(of: foreignEntry())
  },
  Misuse("store.write-to-another", says: "foreign.weight [5, 4] is not of this store") {
    try store().write(Tensor(zeros: [5, 4]), to: foreignEntry())
  },
  Misuse(
    "store.restore",
    says: "the snapshot is of another model: it has dense.weight [5, 4] where the store has"
  ) {
    try store().restore(model(Dense(5)).store.snapshot())
  },
  Misuse(
    "store.uncountable", says: "the parameters and gradients take more bytes than can be counted"
  ) {
    let builder = GraphBuilder()
    for name in ["a", "b"] {
      _ = try builder.parameter(name, [1 << 60], role: .weight) { _ in Tensor(zeros: [1]) }
    }
    _ = ParameterStore(builder.result, seed: 0)
  },
  Misuse("store.update-without-moments", says: "the rule needs 2 moments, the store has 1") {
    let store = try store()
    store.resetMoments(count: 1)
    store.update(
      0..<1, learningRate: 0.1, decay: .l2(0),
      by: .adam(beta1: 0.9, beta2: 0.99, epsilon: 0, step: 1), on: try oneThread())
  },
  Misuse("store.update-beyond", says: "range 0..<5000 of") {
    let store = try store()
    store.resetMoments(count: 1)
    store.update(
      0..<5000, learningRate: 0.1, decay: .l2(0), by: .sgd(momentum: 0, nesterov: false),
      on: try oneThread())
  },
  Misuse("store.update-before", says: "range -8..<1 of") {
    let store = try store()
    store.resetMoments(count: 1)
    store.update(
      -8..<1, learningRate: 0.1, decay: .l2(0), by: .sgd(momentum: 0, nesterov: false),
      on: try oneThread())
  },
  Misuse("store.update-in-step-zero", says: "step 0 of a rule; the first is 1") {
    let store = try store()
    store.resetMoments(count: 2)
    store.update(
      0..<1, learningRate: 0.1, decay: .l2(0),
      by: .adam(beta1: 0.9, beta2: 0.99, epsilon: 0, step: 0), on: try oneThread())
  },
  Misuse("name-pattern.nearest", says: "the -1 nearest names") {
    _ = NamePattern("dense*").nearest(-1, of: ["dense.weight"])
  },
]

private let programMisuses: [Misuse] = [
  Misuse("program.store-of-another", says: "the store has no variable dense.weight") {
    _ = try program(store: model(Flatten()).store)
  },
  Misuse(
    "program.store-of-another-shape",
    says: "dense.weight is [5, 4] in the store, and [3, 4] in the graph"
  ) {
    _ = try program(store: model(Dense(5)).store)
  },
  Misuse("program.target", says: "a program without a loss takes no target") {
    try program().setTarget(Tensor(zeros: [2, 3]))
  },
  Misuse("program.loss", says: "the program computes no loss") { _ = try program().loss },
  Misuse("program.read", says: "predictions is not among the reads []") {
    _ = try program().read(.predictions)
  },
  Misuse("program.with-read", says: "activation(\"dense\") is not among the reads [predictions]") {
    try program(reads: [.predictions]).withRead(.activation("dense")) { _, _ in }
  },
  Misuse("program.losses-without-loss", says: "losses is not computed: the program has no loss") {
    _ = try program(reads: [.losses]).read(.losses)
  },
  Misuse("program.predictions", says: "the predictions are int64 [2, 4]") {
    let (builder, x) = tracing([2, 4])
    builder.output("y", try x.cast(to: .int64))
    let program = try Program(
      builder.result,
      Program.Request(inputTypes: [ValueType([2, 4])], targetType: nil, mode: .inference),
      store: ParameterStore(builder.result, seed: 0), engine: oneThread(), loss: nil)
    program.withPredictions { _ in }
  },
  Misuse("program.first-non-finite", says: "only a diagnosing program keeps what it computed") {
    _ = try program().firstNonFinite()
  },
  Misuse("program.profile", says: "a profile of 0 repetitions") {
    _ = try program().profile(repetitions: 0, random: RandomKey(seed: 0, step: 0))
  },
  Misuse("program-cache.capacity", says: "a cache of 0 programs") {
    let model = try model()
    _ = Program.Cache(
      template: model.template, store: model.store, engine: model.engine, loss: nil, capacity: 0)
  },
]
