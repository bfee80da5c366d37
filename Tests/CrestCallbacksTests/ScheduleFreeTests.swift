import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import Testing
import TrainingTestSupport

@Suite struct `A schedule-free optimiser` {
  static let optimizers: [@Sendable () throws -> any Optimizer] = [
    { ScheduleFreeSGD() }, { try ScheduleFreeAdamW(learningRate: 0.01) },
  ]

  private static func learner(
    _ optimizer: any Optimizer, _ model: Model? = nil, callbacks: [any Callback] = []
  ) throws -> Learner {
    try Learner(
      model ?? TinyModel.linear(), data: TinyData.split(), optimizer: optimizer,
      metrics: [Accuracy()], callbacks: callbacks, batchSize: 5, prefetch: 0)
  }

  private static func weights(_ learner: Learner) -> [Float] {
    learner.model.store.withBuffer(.parameters) { Array($0) }
  }

  @Test(arguments: optimizers.indices)
  func `validates, predicts and is left with the average, and trains on from where it was`(
    number: Int
  ) throws {
    let optimizer = try Self.optimizers[number]()
    let learner = try Self.learner(optimizer)
    var trained: [Float] = []
    var average: [Float] = []
    var inValidation: [[Float]] = []
    var begun: [[Float]] = []
    let watch = CallbackOf(
      .beforeTrain { begun.append(Self.weights($0.learner)) },
      .afterStep { batch in
        trained = Self.weights(batch.learner)
        average = batch.learner.model.store.withBuffer(.moments(0)) { distances in
          zip(trained, distances).map { $0 - Float(1 - 0.9) * $1 }
        }
      },
      .afterBatch { if !$0.isTraining { inValidation.append(Self.weights($0.learner)) } },
      .afterTrain { _ in begun.append(trained) }, name: "Watch")
    try learner.fit(epochs: 3, callbacks: [watch])
    #expect(trained != average)
    #expect(Self.weights(learner) == inValidation.last)
    for (got, expected) in zip(Self.weights(learner), average) {
      #expect(abs(got - expected) <= 1e-6)
    }
    // What the epochs after the first began with is what the ones before had trained, to the bit.
    #expect(begun[2] == begun[1] && begun[4] == begun[3])
    let result = try #require(learner.fitResult)
    #expect(result.origin == .lastEpoch)
    #expect(try learner.evaluate().loss == result.results.validation?.loss)

    let end = trained
    begun = []
    try learner.fit(epochs: 1, callbacks: [watch])
    for (got, expected) in zip(begun[0], end) { #expect(abs(got - expected) <= 1e-6) }
  }

  @Test func `says what doesn't go with it`() throws {
    let notes = try {
      let learner = try Self.learner(ScheduleFreeSGD(), TinyModel.full())
      try learner.fit(epochs: 1, callbacks: [try OneCycleScheduler(maxLR: 0.1)])
      try learner.fit(epochs: 1, callbacks: [try OneCycleScheduler(maxLR: 0.1)])
      return learner.notes.map(\.description).filter { $0.hasPrefix("schedule-free-sgd") }
    }()
    #expect(
      notes == [
        "schedule-free-sgd predicts with an average of its weights, but the running statistics of batch norm are of the "
          + "weights that train; estimate them anew before validation (RecomputeBatchNormStatistics)",
        "schedule-free-sgd averages its weights in place of a schedule, but the learning rate falls to less than half; let "
          + "it rise in the first steps at most",
      ])
    let quiet = try Self.learner(
      ScheduleFreeSGD(), TinyModel.full(),
      callbacks: [RecomputeBatchNormStatistics(at: .validation, batches: 2)])
    try quiet.fit(epochs: 1, learningRate: 0.1)
    #expect(!quiet.notes.contains { $0.description.hasPrefix("schedule-free-sgd") })
  }

  @Test func `can't train under another average`() throws {
    let learner = try Self.learner(ScheduleFreeSGD(), callbacks: [EMA()])
    let error = #expect(throws: LearnerError.self) { try learner.fit(epochs: 1) }
    #expect(error == .twoLenders(first: "schedule-free-sgd", second: "EMA"))
  }

  @Test func `has the average once a run is restored without its fit, wherever it was saved`()
    throws
  {
    let learner = try Self.learner(ScheduleFreeSGD())
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var states: [(path: String, average: [Float])] = []
    let save = CallbackOf(
      .afterBatch { batch in
        let weights = Self.weights(batch.learner)
        let average = batch.learner.model.store.withBuffer(.moments(0)) { distances in
          batch.isTraining
            ? zip(weights, distances).map { $0 - Float(1 - 0.9) * $1 } : weights
        }
        let path = folder.appending(path: "\(states.count)").path
        try batch.learner.save(to: path)
        states.append((path, average))
      }, name: "Save", order: .max)
    try learner.fit(epochs: 1, callbacks: [save])
    #expect(states.count == 7)
    for (path, average) in states {
      let other = try Self.learner(ScheduleFreeSGD())
      try other.load(from: path)
      for (got, expected) in zip(Self.weights(other), average) {
        #expect(abs(got - expected) <= 1e-6)
      }
    }
  }

  @Test func `goes back to weights that train, and measures their average`() throws {
    let learner = try Self.learner(ScheduleFreeSGD())
    var kept: Learner.TrainingState?
    var distances: [Float] = []
    var has = (training: [Float](), measured: [Float]())
    let watch = CallbackOf(
      .afterStep { batch in
        if batch.step == 3 {
          kept = batch.learner.trainingState()
          has.training = Self.weights(batch.learner)
          distances = batch.learner.model.store.withBuffer(.moments(0)) { Array($0) }
        }
      },
      .afterLoss { batch in
        guard !batch.isTraining, let state = kept else { return }
        kept = nil
        batch.goBack(
          to: state,
          Learner.BackOff(
            cause: .lossRose, step: batch.step, restoredStep: 4, highestRate: 0.1))
        throw Cancel(.batch, reason: "back")
      },
      .afterBatch { if !$0.isTraining { has.measured = Self.weights($0.learner) } }, name: "Watch",
      order: 0)
    var begun: [Float] = []
    try learner.fit(
      epochs: 2,
      callbacks: [
        watch,
        CallbackOf(
          .beforeTrain { if $0.epoch.index == 1 { begun = Self.weights($0.learner) } },
          .beforeEpoch { epoch in
            if epoch.index == 1 {
              for (index, measured) in has.measured.enumerated() {
                let average = has.training[index] - Float(1 - 0.9) * distances[index]
                #expect(abs(measured - average) <= 1e-6)
              }
            }
          }, name: "Check"),
      ])
    #expect(begun == has.training)
  }
}
