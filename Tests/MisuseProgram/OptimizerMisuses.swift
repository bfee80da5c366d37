import Crest

let optimizerMisuses: [Misuse] = scheduleMisuses + stepMisuses

private func search() throws -> LearningRateSearch {
  var search = LearningRateSearch(sweep: try LearningRateSweep(start: 0.1, end: 1, steps: 1))
  search.record(loss: 1)
  return search
}

private let scheduleMisuses: [Misuse] = [
  Misuse("schedule.step", says: "step 5 is not one of a run of 5 steps, 0 ..< 5") {
    _ = try Schedule.constant(1).value(step: 5, total: 5)
  },
  Misuse("schedule.negative-step", says: "step -1 is not one of a run of 5 steps") {
    _ = try Schedule.linear(from: 0, to: 1).value(step: -1, total: 5)
  },
  Misuse("schedule.no-steps", says: "step 0 is not one of a run of 0 steps") {
    _ = try Schedule.cosine(from: 1, to: 0).value(step: 0, total: 0)
  },
  Misuse(
    "schedule.own",
    says: "the schedule \"broken\" is nan at step 2, not a finite number of at least 0"
  ) {
    _ = Schedule("broken") { _, _ in .nan }.value(step: 2, total: 5)
  },
  Misuse("one-cycle.learning-rate", says: "step 9 is not one of a run of 3 steps") {
    _ = try OneCycle(maxLR: 1).learningRate(step: 9, total: 3)
  },
  Misuse("one-cycle.momentum", says: "step -1 is not one of a run of 3 steps") {
    _ = try OneCycle(maxLR: 1, convention: .smith).momentum(step: -1, total: 3)
  },
  Misuse("sweep.rate", says: "step 100 is not one of a run of 100 steps") {
    _ = LearningRateSweep.standard.rate(step: 100)
  },
  Misuse("recommendation.nothing", says: "a recommendation of no findings") {
    _ = LearningRateFindings.Recommendation([])
  },
  Misuse("range-test.nothing", says: "a range test without a curve") {
    _ = RangeTest([], stepCount: 1)
  },
  Misuse("range-test.no-points", says: "a range test has no points") {
    _ = RangeTest.Curve([], chance: 0)
  },
  Misuse("range-test.rates", says: "the rates of a range test are [2.0, 1.0]") {
    _ = RangeTest.Curve(
      [.init(learningRate: 2, accuracy: 0), .init(learningRate: 1, accuracy: 0)], chance: 0)
  },
  Misuse("range-test.chance", says: "the chance of a range test is nan") {
    _ = RangeTest.Curve([.init(learningRate: 1, accuracy: 0)], chance: .nan)
  },
  Misuse("search.record", says: "a loss was recorded after the search had ended: completed") {
    var search = try search()
    search.record(loss: 1)
  },
  Misuse(
    "findings.rate", says: "a learning rate of -0.1 among the points; they are finite and above 0"
  ) {
    _ = LearningRateFindings(
      sweep: .standard, points: [.init(rate: -0.1, loss: 1, smoothedLoss: 1)], ending: .completed)
  },
]

private let stepMisuses: [Misuse] = [
  Misuse("group-values.last", says: "an empty list of group values") {
    _ = ParameterGroup.Values.each([]).last
  },
  Misuse("group-values.count", says: "learning rates for -1 groups") {
    _ = try ParameterGroup.Values.same(1).values(forGroups: -1, "learning rates")
  },
  Misuse("sgd.step-without-moments", says: "the rule needs 1 moments, the store has 0") {
    let model = try model()
    let groups = [ParameterGroup(model.store, hyperparameters: SGD().defaults)]
    model.store.resetMoments(count: 0)
    SGD().step(model.store, groups, stepNumber: 1, engine: model.engine)
  },
  Misuse("adam.step-of-anothers-group", says: "range") {
    let (model, larger) = (try model(), try model(Dense(500)))
    model.store.resetMoments(count: 2)
    let groups = [ParameterGroup(larger.store, hyperparameters: Adam().defaults)]
    Adam().step(model.store, groups, stepNumber: 1, engine: model.engine)
  },
  Misuse("adamw.step-zero", says: "step 0 of a rule; the first is 1") {
    let model = try model()
    model.store.resetMoments(count: 2)
    let groups = [ParameterGroup(model.store, hyperparameters: AdamW().defaults)]
    AdamW().step(model.store, groups, stepNumber: 0, engine: model.engine)
  },
  Misuse("optimizer.numbers", says: "2 numbers of an optimiser that has 3") {
    let model = try model()
    model.store.resetMoments(count: 4, numbers: Prodigy().numberCount)
    model.store.optimizerNumbers = [1, 2]
  },
  Misuse("optimizer.own-moments", says: "the optimiser nonsense has -1 moments") {
    _ = try Learner(model(), data: data(), optimizer: Nonsense(momentCount: -1))
  },
  Misuse(
    "optimizer.own-learning-rate",
    says: "the learning rate of nonsense is nan, not a finite number of at least 0"
  ) {
    _ = try Learner(model(), data: data(), optimizer: Nonsense(learningRate: .nan))
  },
]

/// An optimiser whose numbers make no sense.
private struct Nonsense: Optimizer {
  var momentCount = 0
  var learningRate = 0.1
  let name = "nonsense"
  var defaults: Hyperparameters { Hyperparameters(learningRate: learningRate, momentum: 0) }

  func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {}
}
