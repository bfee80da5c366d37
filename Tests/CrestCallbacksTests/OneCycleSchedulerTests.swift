import CrestCallbacks
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTraining
import Testing
import TrainingTestSupport

struct OneCycleSchedulerTests {
  private static func learner(optimizer: any Optimizer = SGD()) throws -> Learner {
    try Learner(TinyModel.full(), data: TinyData.split(), optimizer: optimizer, batchSize: 5)
  }

  @Test(arguments: OneCycle.Convention.allCases)
  func `fitOneCycle is fit with a OneCycleScheduler, to the bit`(convention: OneCycle.Convention)
    throws
  {
    for optimizer in [SGD(), Adam()] as [any Optimizer] {
      let front = try Self.learner(optimizer: optimizer)
      try front.fitOneCycle(epochs: 3, maxLR: 0.05, convention: convention)
      let back = try Self.learner(optimizer: optimizer)
      back.add(try OneCycleScheduler(maxLR: 0.05, convention: convention))
      try back.fit(epochs: 3)
      #expect(front.model.store.snapshot() == back.model.store.snapshot())

      let constant = try Self.learner(optimizer: optimizer)
      try constant.fit(epochs: 3, learningRate: 0.05)
      #expect(front.model.store.snapshot() != constant.model.store.snapshot())
    }
  }

  @Test(arguments: OneCycle.Convention.allCases)
  func `each step is taken at the policy's rate and momentum`(convention: OneCycle.Convention)
    throws
  {
    let policy = try OneCycle(maxLR: 0.05, convention: convention)
    let recorder = Recorder()
    try Self.learner().fit(epochs: 3, callbacks: [recorder, OneCycleScheduler(policy)])
    #expect(recorder.steps.map(\.step) == Array(0..<15))
    for step in recorder.steps {
      #expect(step.learningRate == policy.learningRate(step: step.step, total: 15))
      #expect(step.momentum == policy.momentum(step: step.step, total: 15))
    }
  }

  @Test func `the optimiser's momentum stays when it is not cycled`() throws {
    let recorder = Recorder()
    let scheduler = OneCycleScheduler(try OneCycle(maxLR: 0.05), cyclesMomentum: false)
    try Self.learner().fit(epochs: 1, callbacks: [recorder, scheduler])
    #expect(recorder.steps.map(\.momentum) == [Double](repeating: 0.9, count: 5))
  }

  @Test func `a range of one rate is that rate, another spreads over the layers`() throws {
    let number = try Self.learner()
    try number.fitOneCycle(epochs: 1, maxLR: 0.05)
    let range = try Self.learner()
    try range.fitOneCycle(epochs: 1, maxLR: 0.05...0.05)
    #expect(number.model.store.snapshot() == range.model.store.snapshot())
    let wide = try Self.learner()
    try wide.fitOneCycle(epochs: 1, maxLR: 0.0005...0.05)
    let rates = wide.learningRates
    #expect(rates.count == 3 && abs(rates[0] / rates[2] - 0.01) < 1e-12)
    #expect(number.model.store.snapshot() != wide.model.store.snapshot())
  }

  @Test(arguments: [
    (ParameterGroup.Values.spread(from: 0.001, to: 0.1), [0.001, 0.01, 0.1]),
    (.slice(to: 0.1), [0.01, 0.01, 0.1]), (.each([0.2, 0.05, 0.1]), [0.2, 0.05, 0.1]),
  ])
  func `each group follows the policy up to its own rate, all at one momentum`(
    values: ParameterGroup.Values, rates: [Double]
  ) throws {
    var seen: [[Double]] = []
    var momenta: [Double] = []
    let watch = CallbackOf(
      .beforeStep { batch in
        seen.append(batch.learner.learningRates)
        momenta.append(batch.hyperparameters.momentum)
      })
    let learner = try Self.learner()
    let recorder = Recorder()
    try learner.fitOneCycle(
      epochs: 3, maxLR: values, convention: .pytorch, callbacks: [watch, recorder])
    for (step, got) in seen.enumerated() {
      for (got, maximum) in zip(got, rates) {
        let policy = try OneCycle(maxLR: maximum, convention: .pytorch)
        let wanted = policy.learningRate(step: step, total: 15)
        #expect(abs(got - wanted) <= 1e-15)
        #expect(momenta[step] == policy.momentum(step: step, total: 15))
      }
    }
    // Logs have the last group's.
    #expect(recorder.steps.map(\.learningRate) == seen.compactMap(\.last))
    try learner.fit(epochs: 1, learningRate: 0.1)
    #expect(learner.learningRates == [0.1, 0.1, 0.1])
  }

  @Test func `another number of rates than groups is refused before training`() throws {
    let error = #expect(throws: ParameterError.self) {
      try Self.learner().fitOneCycle(epochs: 1, maxLR: .each([0.1, 0.2]))
    }
    #expect(
      error?.description
        == "learning rates: expected a number for each of the 3 groups of parameters, got 2")
  }

  @Test func `the range test tries one rate for all groups, and leaves what is frozen`() throws {
    let learner = try Self.learner()
    try learner.freezeTo(-1)
    let before = learner.snapshot().store
    var rates: [[Double]] = []
    let watch = CallbackOf(.beforeStep { rates.append($0.learner.learningRates) })
    _ = try learner.findLearningRate(startLR: 1e-3, endLR: 1, steps: 12, callbacks: [watch])
    #expect(!rates.isEmpty && rates.allSatisfy { Set($0).count == 1 })
    #expect(learner.snapshot().store == before)
    #expect(!learner.frozen.isEmpty)
  }

  @Test func `a rate without a meaning is refused before training`() throws {
    let learner = try Self.learner()
    for rate in [0, -1, Double.infinity] {
      #expect(throws: ScheduleError.self) { try learner.fitOneCycle(epochs: 1, maxLR: rate) }
    }
    let error = #expect(throws: ParameterError.self) {
      try learner.fitOneCycle(epochs: 1, maxLR: 0...0.1)
    }
    #expect(
      error?.description == "learning rates: expected finite numbers above 0, got 0.0")
  }

  @Test func `two schedulers of the learning rate are refused by name`() throws {
    let learner = try Self.learner()
    learner.add(ParameterScheduler(try .cosine(from: 0.1, to: 0)))
    #expect(
      throws: LearnerError.twoOwners(
        of: .base(.learningRate), first: "ParameterScheduler(learning rate)",
        second: "OneCycleScheduler")
    ) { try learner.fitOneCycle(epochs: 1, maxLR: 0.1) }
  }

  @Test func `any hyperparameter follows any schedule`() throws {
    let schedule = try Schedule.linear(from: 0.4, to: 0.2)
    let recorder = Recorder()
    try Self.learner().fit(
      epochs: 2, callbacks: [recorder, ParameterScheduler(schedule, of: .momentum)])
    #expect(
      recorder.steps.map(\.momentum) == (0..<10).map { schedule.value(step: $0, total: 10) })
  }
}
