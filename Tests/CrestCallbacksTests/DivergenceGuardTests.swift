import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct `A guard against divergence` {
  /// A linear model of values, which diverges at a rate of about 1.
  static func linear(
    _ optimizer: any Optimizer, train: Int = 22, callbacks: [any Callback] = []
  ) throws -> Learner {
    let learner = try Learner(
      TinyModel.linear(),
      data: DataSplit(train: TinyData.values(train), valid: TinyData.values(9, seed: 8)),
      optimizer: optimizer, callbacks: callbacks, batchSize: 5, seed: 3, prefetch: 0)
    learner.now = { .zero }
    return learner
  }

  /// A fit of a few steps has little to notice a divergence by.
  @Test(arguments: [4, 12])
  func `ends close to the good run from ten times the rate that diverges`(_ epochs: Int) throws {
    func run(maxLR: Double, _ callbacks: [any Callback]) throws -> Learner {
      let data = try Digits.split()
      let learner = try Learner(
        BuiltInModel.make("mlp", input: [1, 8, 8], classes: 10), data: data,
        metrics: [Accuracy()], callbacks: [TerminateOnNaN()], seed: 1)
      try learner.fitOneCycle(epochs: epochs, maxLR: maxLR, callbacks: callbacks)
      return learner
    }
    let good = try #require(run(maxLR: 0.1, []).fitResult?.validation?["accuracy"])
    let diverging = 0.4
    #expect(throws: NonFiniteLoss.self) { try run(maxLR: diverging, []) }
    for rate in [diverging, 10 * diverging] {
      let guarding = try DivergenceGuard()
      let learner = try run(maxLR: rate, [guarding])
      let accuracy = try #require(learner.fitResult?.validation?["accuracy"])
      #expect(accuracy > good - 0.02, "\(rate): \(accuracy) instead of \(good)")
      let backOffs = guarding.state.backOffs
      #expect((1...3).contains(backOffs.count), "\(backOffs)")
      #expect(learner.notes.suffix(backOffs.count) == backOffs.map { .backedOff($0) })
      var highest = rate
      for backOff in backOffs {
        #expect(backOff.restoredStep < backOff.step)
        #expect(backOff.highestRate <= highest / 2)
        highest = backOff.highestRate
      }
    }
  }

  /// What takes part in a run that is resumed.
  static let runs: [(optimizer: String, batchesPerStep: Int)] = [
    ("sgd", 1), ("sgd", 3), ("adam", 1), ("adam", 2),
  ]

  @Test(arguments: runs)
  func `goes on with the same bits from before and after a return`(
    _ optimizer: String, _ batchesPerStep: Int
  ) throws {
    func learner() throws -> (Learner, DivergenceGuard) {
      let guarding = try DivergenceGuard()
      var callbacks: [any Callback] = [
        guarding, TerminateOnNaN(), Recorder(), try EMA(decay: 0.7),
        OneCycleScheduler(try OneCycle(maxLR: optimizer == "sgd" ? 8 : 1e20)),
      ]
      if batchesPerStep > 1 {
        callbacks.append(try GradientAccumulation(batches: batchesPerStep))
      }
      return (
        try Self.linear(optimizer == "sgd" ? SGD() : Adam(), callbacks: callbacks), guarding
      )
    }
    let (first, guarding) = try learner()
    let (states, end) = try first.fitSavingStates(epochs: 40)
    #expect(!guarding.state.backOffs.isEmpty)
    let disk = SimulatedDisk()
    for (place, state) in states.enumerated().filter({ $0.offset % 3 == 0 }) {
      try CheckpointFile.write(state, to: "d/run", on: disk)
      let (again, _) = try learner()
      let got = try again.fitResuming(
        from: CheckpointFile.read("d/run", on: disk), path: "state", epochs: 40)
      #expect(got == end, "from state \(place)")
    }
  }

  @Test func `measures again when validation shows the divergence`() throws {
    func learner() throws -> (Learner, DivergenceGuard) {
      let guarding = try DivergenceGuard()
      let learner = try Self.linear(
        SGD(learningRate: 1e25), train: 5,
        callbacks: [guarding, TerminateOnNaN(), Recorder(), try EMA(decay: 0.5)])
      return (learner, guarding)
    }
    let (first, guarding) = try learner()
    let untrained = try first.evaluate().loss
    let (states, end) = try first.fitSavingStates(epochs: 2)
    let backOff = try #require(guarding.state.backOffs.first)
    #expect(backOff.cause == .lossNotFinite && backOff.step == 1 && backOff.restoredStep == 0)
    let recorder = try #require(first.callbacks.compactMap { $0 as? Recorder }.first)
    #expect(recorder.epochs.first?.validation?.loss == untrained)
    #expect(recorder.epochs.first?.validation?.exampleCount == 9)
    for (place, state) in states.enumerated() {
      let got = try learner().0.fitResuming(from: state, path: "state", epochs: 2)
      #expect(got == end, "from state \(place)")
    }
  }

  @Test func `leaves nothing of weights that are gone in the slow ones of lookahead`() throws {
    let guarding = try DivergenceGuard()
    let spoil = CallbackOf(
      .afterStep { batch in
        guard batch.step == 3 else { return }
        batch.learner.model.store.withBuffer(.parameters) { $0.update(repeating: 1e30) }
      }, order: CallbackOrder.average - 1)
    let learner = try Self.linear(
      SGD(learningRate: 0.01),
      callbacks: [guarding, TerminateOnNaN(), try Lookahead(every: 1), spoil])
    #expect(try learner.fit(epochs: 4).isFinished)
    #expect(guarding.state.backOffs.count == 1)
  }

  @Test func `leaves the fit to others after some returns`() throws {
    let guarding = try DivergenceGuard(maxBackOffs: 2)
    let learner = try Self.linear(SGD(learningRate: 1e30), callbacks: [guarding, TerminateOnNaN()])
    let error = #expect(throws: NonFiniteLoss.self) { try learner.fit(epochs: 4) }
    #expect(error?.isDivergence == true)
    #expect(guarding.state.backOffs.map(\.highestRate) == [5e29, 1.25e29])
  }

  @Test func `doesn't hide numbers that came with the data`() throws {
    let guarding = try DivergenceGuard()
    let learner = try Self.linear(SGD(learningRate: 0.01), callbacks: [guarding])
    let spoil = CallbackOf(
      .beforeBatch { batch in
        guard batch.step == 3 else { return }
        batch.inputs[0] = Tensor(
          [Float](repeating: .infinity, count: batch.inputs[0].elementCount),
          shape: batch.inputs[0].shape)
      })
    let error = #expect(throws: NonFiniteLoss.self) {
      try learner.fit(epochs: 1, callbacks: [spoil])
    }
    #expect(error?.isOfData == true)
    #expect(guarding.state.backOffs.isEmpty)
  }

  /// For how many batches a rise lasts, and whether training goes back.
  @Test(arguments: [(5, false), (200, true)])
  func `acts on a loss that stays high`(_ batches: Int, _ acts: Bool) throws {
    let guarding = try DivergenceGuard()
    let learner = try Self.linear(SGD(learningRate: 1e-4, momentum: 0), callbacks: [guarding])
    var before: ParameterStore.Weights?
    var after: ParameterStore.Weights?
    let rise = CallbackOf(
      .afterStep { batch in
        let store = batch.learner.model.store
        switch batch.step {
        case 200:
          before = ParameterStore.Weights(of: store)
          store.withBuffer(.parameters) { for index in $0.indices { $0[index] += 6 } }
        case 200 + batches where guarding.state.backOffs.isEmpty: before?.write(to: store)
        default: break
        }
      },
      .afterBatch { batch in
        if batch.hasGoneBack { after = ParameterStore.Weights(of: batch.learner.model.store) }
      }, order: CallbackOrder.divergence - 1)
    try learner.fit(epochs: 100, callbacks: [rise])
    guard acts else {
      #expect(guarding.state.backOffs.isEmpty, "\(guarding.state.backOffs)")
      return
    }
    let backOff = try #require(guarding.state.backOffs.first)
    #expect(guarding.state.backOffs.count == 1, "\(guarding.state.backOffs)")
    #expect(backOff.cause == .lossRose)
    #expect((250...320).contains(backOff.step) && (150...200).contains(backOff.restoredStep))
    #expect(backOff.highestRate == 5e-5)
    let (old, new) = (try #require(before), try #require(after))
    #expect(zip(old.parameters, new.parameters).allSatisfy { abs($0 - $1) < 0.1 })
  }

  @Test func `says what it did`() {
    let backOff = Learner.BackOff(
      cause: .lossNotFinite, step: 61, restoredStep: 52, highestRate: 0.125)
    #expect(
      Learner.Note.backedOff(backOff).description
        == "the loss was not finite in step 61: training goes on from the weights after 52 steps, with learning rates "
        + "of at most 0.125")
  }

  @Test func `refuses settings without a meaning, and another who lowers the rate`() throws {
    let factor = #expect(throws: CallbackError.self) { try DivergenceGuard(factor: 1) }
    #expect(
      factor?.description == "DivergenceGuard: factor is 1.0, expected a number above 0 and below 1"
    )
    let count = #expect(throws: CallbackError.self) { try DivergenceGuard(maxBackOffs: 0) }
    #expect(count?.description == "DivergenceGuard: maxBackOffs is 0, expected at least 1")
    let learner = try Self.linear(SGD())
    #expect(
      throws: LearnerError.twoOwners(
        of: .factor(.learningRate), first: "DivergenceGuard", second: "ReduceLROnPlateau")
    ) {
      try learner.fit(
        epochs: 1, callbacks: [try DivergenceGuard(), try ReduceLROnPlateau()])
    }
  }
}
