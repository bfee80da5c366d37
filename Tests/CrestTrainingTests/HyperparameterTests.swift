import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

struct HyperparameterTests {
  private static func learner(momentum: Double = 0.9) throws -> Learner {
    try Learner(
      Model(input: [4], engine: Engine(threadCount: 1)) {
        Dense(6)
        ReLU()
        Dense(5)
        ReLU()
        Dense(3)
      }, data: TinyData.split(train: 8, valid: 4), optimizer: SGD(momentum: momentum),
      batchSize: 4)
  }

  @Test func `a base and a factor of two owners make the value in effect`() throws {
    var seen: [Hyperparameters] = []
    let scheduler = CallbackOf(
      .beforeBatch { batch in
        if batch.isTraining { batch.learner[.base(.learningRate)] = 0.1 * Double(batch.step + 1) }
      }, owns: [.base(.learningRate)])
    let reducer = CallbackOf(
      .beforeFit { $0.learner[.factor(.learningRate)] = 0.5 },
      .beforeStep { seen.append($0.hyperparameters) }, owns: [.factor(.learningRate)])
    let learner = try Self.learner()
    try learner.fit(epochs: 1, callbacks: [scheduler, reducer])
    #expect(seen.map(\.learningRate) == [0.05, 0.1])
    #expect(seen.map(\.momentum) == [0.9, 0.9])
    #expect(learner[.base(.learningRate)] == 0.2)
    #expect(learner[.factor(.learningRate)] == 0.5)
    #expect(learner[.factor(.momentum)] == 1)
  }

  @Test func `each fit begins with the optimiser's own values`() throws {
    let learner = try Self.learner()
    try learner.fit(epochs: 1, learningRate: 0.3)
    #expect(learner.hyperparameters == Hyperparameters(learningRate: 0.3, momentum: 0.9))
    try learner.fit(epochs: 1)
    #expect(learner.hyperparameters == SGD().defaults)
  }

  @Test func `two that set the same thing are an error that names both`() throws {
    func owner(_ name: String, _ part: Hyperparameter.Part) -> CallbackOf {
      CallbackOf(.beforeFit { _ in }, name: name, owns: [part])
    }
    let learner = try Self.learner()
    let before = learner.model.store.snapshot()
    #expect(
      throws: LearnerError.twoOwners(of: .base(.momentum), first: "One", second: "Two")
    ) {
      try learner.fit(
        epochs: 1,
        callbacks: [owner("One", .base(.momentum)), owner("Two", .base(.momentum))])
    }
    #expect(
      throws: LearnerError.twoOwners(
        of: .base(.learningRate), first: "the argument learningRate", second: "One")
    ) {
      try learner.fit(
        epochs: 1, learningRate: 0.1, callbacks: [owner("One", .base(.learningRate))])
    }
    #expect(learner.model.store.snapshot() == before)
    try learner.fit(
      epochs: 1, callbacks: [owner("One", .base(.momentum)), owner("Two", .factor(.momentum))])
  }

  @Test func `setting what a callback does not own stops the program`() async {
    await #expect(processExitsWith: .failure) {
      let learner = try HyperparameterTests.learner()
      try learner.fit(
        epochs: 1, callbacks: [CallbackOf(.beforeFit { $0.learner[.base(.momentum)] = 0.5 })])
    }
  }

  @Test func `layers learn at rates a constant ratio apart`() throws {
    let learner = try Self.learner(momentum: 0)
    let store = learner.model.store
    let before = store.parameters.map { store.value(of: $0).array(as: Float.self) }
    let spread = CallbackOf(
      .beforeFit { fit in
        fit.learner[.base(.learningRate)] = 0.4
        try fit.learner.spreadLearningRate(over: .spread(from: 0.01, to: 1))
      },
      .afterStep { _ in throw Cancel(.fit, reason: "one step") }, owns: [.base(.learningRate)])
    try learner.fit(epochs: 1, callbacks: [spread])
    let rates = ["dense": 0.004, "dense_1": 0.04, "dense_2": 0.4]
    var checked = 0
    for (entry, old) in zip(store.parameters, before) {
      let layer = String(entry.name.prefix { $0 != "." })
      let rate = Float(try #require(rates[layer]))
      let new = store.value(of: entry).array(as: Float.self)
      let gradient = store.gradient(of: entry).array(as: Float.self)
      for (place, value) in new.enumerated() {
        #expect(abs(value - (old[place] - rate * gradient[place])) < 1e-6, "\(entry.name)")
        if gradient[place] != 0 { checked += 1 }
      }
    }
    #expect(checked > 40)
    try learner.fit(epochs: 1)
    #expect(learner.learningRates == [0.01, 0.01, 0.01])
  }

  /// Each is a number for itself.
  @Test func `a checkpoint whose base and factor overflow is refused`() throws {
    var states: [RunState] = []
    try Self.learner().fit(
      epochs: 1, callbacks: [CallbackOf(.afterBatch { states.append(try $0.learner.runState()) })])
    var state = try #require(states.first)
    let place = StateValue.Path(["fit", "hyperparameters"])
    for part in ["bases", "factors"] {
      state.fields[place.appending(part).appending("learningRate")] = .number(1e200)
    }
    let expected = StateError.mistyped(
      place, expected: "finite hyperparameters of at least 0", got: "2 fields")
    #expect(throws: CheckpointError.unsuitable(path: "state", expected)) {
      _ = try Self.learner().fitResuming(from: state, path: "state", epochs: 1)
    }
  }
}
