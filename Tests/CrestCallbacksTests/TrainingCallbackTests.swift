import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

/// The parameters of a learner's model.
private func parameters(_ learner: Learner) -> [Float] {
  learner.model.store.withBuffer(.parameters) { Array($0) }
}

private func gradients(_ learner: Learner) -> [Float] {
  learner.model.store.withBuffer(.gradients) { Array($0) }
}

@Suite struct GradientClipTests {
  /// The gradients before and after the clip in the first step.
  private func clipped(_ clip: GradientClip) throws -> (before: [Float], after: [Float]) {
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    var before: [Float] = []
    var after: [Float] = []
    try learner.fit(
      epochs: 1,
      callbacks: [
        clip, CallbackOf(.beforeStep { before = gradients($0.learner) }, order: -1),
        CallbackOf(.beforeStep { after = gradients($0.learner) }, order: 90),
      ])
    return (before, after)
  }

  @Test func `a norm is scaled down to the maximum, and a smaller one is left alone`() throws {
    func norm(_ values: [Float]) -> Double {
      values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
    let clip = try GradientClip(maximum: 0.01)
    let (before, after) = try clipped(clip)
    #expect(norm(before) > 0.1)
    #expect(abs(norm(after) - 0.01) < 1e-8)
    #expect(clip.lastNorm == norm(before))
    let scale = Float(0.01 / norm(before))
    #expect(after == before.map { $0 * scale })
    let same = try clipped(GradientClip(maximum: 100))
    #expect(same.before == same.after)
  }

  @Test func `values are held within the maximum`() throws {
    let (before, after) = try clipped(GradientClip(.value, maximum: 0.05))
    #expect(before.contains { abs($0) > 0.05 })
    #expect(after == before.map { min(max($0, -0.05), 0.05) })
  }

  @Test func `numbers without a meaning are refused, and a norm that isn't finite ends the fit`()
    throws
  {
    for maximum in [0, -1, .infinity, .nan] as [Double] {
      let error = #expect(throws: CallbackError.self) { try GradientClip(maximum: maximum) }
      #expect(
        error?.description
          == "GradientClip: maximum is \(maximum), expected a finite number above 0")
    }
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    let spoil = CallbackOf(
      .beforeStep { $0.learner.model.store.withBuffer(.gradients) { $0[0] = .nan } }, order: -1)
    let error = #expect(throws: CallbackError.self) {
      try learner.fit(epochs: 1, callbacks: [spoil, GradientClip()])
    }
    #expect(
      error?.description
        == "the norm of the gradients is nan in step 0; lower the learning rate, and let TerminateOnNaN "
        + "name the layer")
  }
}

@Suite struct GradientAccumulationTests {
  @Test func `batches of one step give the gradient of one large batch`() throws {
    // 22 examples in batches of 4, 4, 4, 4, 4 and 2; three to a step are 12 and 10 examples.
    func losses(batch: Int, _ callbacks: [any Callback]) throws -> ([Float], Int) {
      let learner = try Learner(
        TinyModel.linear(), data: TinyData.split(),
        optimizer: SGD(learningRate: 0.1, momentum: 0), batchSize: batch, shuffle: false)
      try learner.fit(epochs: 3, callbacks: callbacks)
      return (parameters(learner), learner.stepsTaken)
    }
    let (accumulated, steps) = try losses(batch: 4, [GradientAccumulation(batches: 3)])
    let (large, largeSteps) = try losses(batch: 12, [])
    #expect(steps == 6)
    #expect(largeSteps == 6)
    for (a, b) in zip(accumulated, large) { #expect(abs(a - b) < 1e-6) }
    #expect(try losses(batch: 4, [GradientAccumulation(batches: 1)]) == losses(batch: 4, []))
  }

  static let losses: [Loss] = [
    .crossEntropy(labelSmoothing: 0.1, classWeights: [1, 7, 0.25], ignoredLabel: 2),
    .focal(gamma: 1, classWeights: [4, 1, 0]), .crossEntropy().reduced(by: .sum),
  ]

  @Test(arguments: losses)
  func `batches of a weighted mean or a sum become one batch, too`(loss: Loss) throws {
    func trained(batch: Int, _ callbacks: [any Callback]) throws -> [Float] {
      let learner = try Learner(
        TinyModel.linear(), data: TinyData.split(), loss: loss, batchSize: batch, seed: 3)
      try learner.fit(epochs: 3, learningRate: 0.02, callbacks: callbacks)
      return parameters(learner)
    }
    let accumulated = try trained(batch: 4, [GradientAccumulation(batches: 3)])
    for (a, b) in zip(accumulated, try trained(batch: 12, [])) { #expect(abs(a - b) < 2e-6) }
  }

  @Test func `schedules and steps count optimiser steps`() throws {
    let recorder = Recorder()
    let learner = try Learner(TinyModel.linear(), data: TinyData.split(), batchSize: 5)
    var stepCount = 0
    try learner.fit(
      epochs: 4,
      callbacks: [
        GradientAccumulation(batches: 2), recorder, OneCycleScheduler(maxLR: 0.1),
        CallbackOf(.beforeEpoch { stepCount = $0.fit.stepCount }),
      ])
    // 5 batches an epoch are steps of 2, 2 and 1.
    #expect(stepCount == 12)
    #expect(recorder.steps.map(\.step) == Array(0..<12))
    let policy = try OneCycle(maxLR: 0.1)
    #expect(
      recorder.steps.map(\.learningRate)
        == (0..<12).map { policy.learningRate(step: $0, total: 12) })
  }

  @Test func `two of them, and steps of no batch, are refused`() throws {
    let error = #expect(throws: CallbackError.self) { try GradientAccumulation(batches: 0) }
    #expect(
      error?.description == "GradientAccumulation: batches is 0, expected at least 1")
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    let twice = #expect(throws: LearnerError.self) {
      try learner.fit(
        epochs: 1,
        callbacks: [GradientAccumulation(batches: 2), GradientAccumulation(batches: 3)])
    }
    #expect(twice?.description == "two callbacks accumulate gradients; remove one of them")
  }
}

@Suite struct EMATests {
  @Test func `the average is measured, and the model has it at the end`() throws {
    let learner = try Learner(TinyModel.full(), data: TinyData.split(), batchSize: 5)
    var expected = parameters(learner)
    var trained: [Float] = []
    var measured: [[Float]] = []
    var averages: [[Float]] = []
    try learner.fit(
      epochs: 3,
      callbacks: [
        EMA(decay: 0.75),
        CallbackOf(
          .afterStep { batch in
            trained = parameters(batch.learner)
            for index in expected.indices {
              expected[index] = 0.75 * expected[index] + 0.25 * trained[index]
            }
          },
          .beforeBatch { batch in
            guard !batch.isTraining else {
              if batch.step > 0 { #expect(parameters(batch.learner) == trained) }
              return
            }
            measured.append(parameters(batch.learner))
            averages.append(expected)
          }, order: -20),
      ])
    #expect(measured == averages)
    #expect(measured.count == 6)
    #expect(parameters(learner) == expected)
  }

  @Test func `it can leave validation alone, and a decay without a meaning is refused`() throws {
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    var trained: [Float] = []
    try learner.fit(
      epochs: 1,
      callbacks: [
        EMA(decay: 0.5, validates: false),
        CallbackOf(
          .afterStep { trained = parameters($0.learner) },
          .beforeValidate { #expect(parameters($0.learner) == trained) }),
      ])
    #expect(parameters(learner) != trained)
    for decay in [0, 1, -0.5, .nan] as [Double] {
      let error = #expect(throws: CallbackError.self) { try EMA(decay: decay) }
      #expect(
        error?.description == "EMA: decay is \(decay), expected a number above 0 and below 1")
    }
  }

  @Test func `a fit that fails leaves what was trained`() throws {
    let learner = try Learner(TinyModel.linear(), data: TinyData.split(), batchSize: 5)
    var trained: [Float] = []
    #expect(throws: Mishap("broken")) {
      try learner.fit(
        epochs: 1,
        callbacks: [
          EMA(),
          CallbackOf(
            .afterStep { trained = parameters($0.learner) },
            .afterBatch { if !$0.isTraining { throw Mishap("broken") } }),
        ])
    }
    #expect(parameters(learner) == trained)
  }
}

@Suite struct ReduceLROnPlateauTests {
  /// The learning rates of the epochs of a fit in which a metric has the values given.
  private func rates(
    _ values: [Double], scheduled: Bool = false, _ reduce: ReduceLROnPlateau
  ) throws -> [Double] {
    let recorder = Recorder()
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(),
      metrics: [
        EarlyStoppingTests.Script(
          name: "script", direction: .lowerIsBetter, values: values, pass: .init())
      ], batchSize: 22)
    let schedule: [any Callback] =
      scheduled ? [ParameterScheduler(try .linear(from: 1, to: 0))] : []
    try learner.fit(
      epochs: values.count, learningRate: scheduled ? nil : 1,
      callbacks: [reduce, recorder] + schedule)
    return recorder.steps.map(\.learningRate)
  }

  private func reduce(
    factor: Double = 0.5, patience: Int = 1, cooldown: Int = 0, minLR: Double = 0
  ) throws -> ReduceLROnPlateau {
    try ReduceLROnPlateau(
      monitor: .metric("script"), factor: factor, patience: patience, minDelta: 0,
      cooldown: cooldown, minLR: minLR)
  }

  @Test func `the rate falls when nothing got better for as long as is borne`() throws {
    #expect(try rates([3, 2, 2, 2, 1, 1], reduce()) == [1, 1, 1, 0.5, 0.25, 0.25])
    #expect(try rates([3, 3, 3, 3, 3], reduce(patience: 2)) == [1, 1, 1, 0.5, 0.5])
    #expect(try rates([3, 3, 3, 3, 3, 3], reduce(cooldown: 2)) == [1, 1, 0.5, 0.5, 0.5, 0.25])
    #expect(try rates([3, 3, 3, 3], reduce(minLR: 0.4)) == [1, 1, 0.5, 0.4])
    #expect(try rates([.nan, .nan, 1], reduce()) == [1, 0.5, 0.25])
  }

  @Test func `a schedule gives the base and it the factor`() throws {
    #expect(
      try rates([3, 3, 3, 2], scheduled: true, reduce()) == [1, 0.75, 0.5 * 0.5, 0.25 * 0.25])
  }

  @Test func `numbers without a meaning and two owners are refused`() throws {
    for (make, message) in [
      (
        { try ReduceLROnPlateau(factor: 1) }, "factor is 1.0, expected a number above 0 and below 1"
      ),
      ({ try ReduceLROnPlateau(patience: 0) }, "patience is 0, expected at least 1 epoch"),
      ({ try ReduceLROnPlateau(cooldown: -1) }, "cooldown is -1, expected at least 0 epochs"),
      (
        { try ReduceLROnPlateau(minLR: -1) },
        "minLR is -1.0, expected a finite number of at least 0"
      ),
      (
        { try ReduceLROnPlateau(minDelta: .nan) },
        "minDelta is nan, expected a finite number of at least 0"
      ),
    ] as [(() throws -> ReduceLROnPlateau, String)] {
      let error = #expect(throws: CallbackError.self) { try make() }
      #expect(error?.description == "ReduceLROnPlateau: \(message)")
    }
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    #expect(
      throws: LearnerError.twoOwners(
        of: .factor(.learningRate), first: "ReduceLROnPlateau", second: "ReduceLROnPlateau")
    ) {
      try learner.fit(epochs: 1, callbacks: [ReduceLROnPlateau(), ReduceLROnPlateau()])
    }
  }
}

@Suite struct RestoringTheBestTests {
  @Test func `the weights of the best epoch come back, stopped early or not`() throws {
    for patience in [2, 100] {
      let learner = try Learner(
        TinyModel.full(), data: TinyData.split(),
        metrics: [
          EarlyStoppingTests.Script(
            name: "script", direction: .higherIsBetter, values: [1, 5, 2, 3, 4], pass: .init())
        ], batchSize: 5)
      var epochs: [ParameterStore.Snapshot] = []
      try learner.fit(
        epochs: 5,
        callbacks: [
          EarlyStopping(monitor: .metric("script"), patience: patience, restoresBest: true),
          CallbackOf(.afterEpoch { epochs.append($0.learner.model.store.snapshot()) }),
        ])
      #expect(epochs.count == (patience == 2 ? 4 : 5))
      let end = learner.model.store
      let best = try Learner(TinyModel.full(), data: TinyData.split())
      best.model.store.restore(epochs[1])
      #expect(end.parameters.map(end.value) == end.parameters.map(best.model.store.value))
      #expect(end.statistics.map(end.value) == end.statistics.map(best.model.store.value))
    }
  }

  @Test func `beside an average the validated average of the best epoch comes back`() throws {
    let learner = try Learner(
      TinyModel.full(), data: TinyData.split(),
      metrics: [
        EarlyStoppingTests.Script(
          name: "script", direction: .higherIsBetter, values: [1, 5, 2], pass: .init())
      ], batchSize: 5)
    var validated: [ParameterStore.Snapshot] = []
    try learner.fit(
      epochs: 3,
      callbacks: [
        try EMA(decay: 0.5),
        EarlyStopping(monitor: .metric("script"), patience: 9, restoresBest: true),
        CallbackOf(.beforeValidate { validated.append($0.learner.model.store.snapshot()) }),
      ])
    #expect(validated.count == 3)
    let end = learner.model.store
    let best = try Learner(TinyModel.full(), data: TinyData.split())
    best.model.store.restore(validated[1])
    #expect(end.parameters.map(end.value) == end.parameters.map(best.model.store.value))
    #expect(end.statistics.map(end.value) == end.statistics.map(best.model.store.value))
  }
}
