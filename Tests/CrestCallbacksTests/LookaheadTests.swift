import CrestCallbacks
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

/// All parameters and running statistics.
private func weights(_ learner: Learner) -> [Float] {
  let weights = ParameterStore.Weights(of: learner.model.store)
  return weights.parameters + weights.statistics
}

@Suite struct LookaheadTests {
  @Test(arguments: [false, true])
  func `slow weights follow every few steps, and training goes on from them`(isCubic: Bool) throws {
    let learner = try Learner(TinyModel.full(), data: TinyData.split(), batchSize: 5)
    let every = 4
    let callback =
      try isCubic ? Lookahead.cubic(every: every) : Lookahead(every: every, decay: 0.25)
    var (slow, steps, updates) = (weights(learner), 0, 0)
    var (fast, validated): ([Float], [[Float]]) = ([], [])
    try learner.fit(
      epochs: 3, learningRate: 0.05,
      callbacks: [
        callback,
        CallbackOf(
          .afterStep { batch in fast = weights(batch.learner) }, order: callback.order - 1),
        CallbackOf(
          .afterStep { batch in
            steps += 1
            guard steps % every == 0 else {
              #expect(weights(batch.learner) == fast)
              return
            }
            updates += 1
            let total = batch.fit.stepCount
            let cubic = 0.773_780_937_5 * cube(Double(min(steps, total - 1)) / Double(total))
            let decay = isCubic ? Float(cubic) : 0.25
            for place in slow.indices {
              slow[place] = decay * slow[place] + (1 - decay) * fast[place]
            }
            #expect(weights(batch.learner) == slow)
          },
          .beforeValidate { validated.append(weights($0.learner)) }, order: callback.order + 1),
      ])
    #expect(updates > 2 && steps % every != 0, "\(steps) steps")
    // Only the last validation is that of the slow weights.
    #expect(validated.count == 3 && validated[2] == slow && validated[1] != slow)
    #expect(weights(learner) == slow)
    #expect(learner.fitResult?.origin == .lastEpoch)
  }

  private func cube(_ x: Double) -> Double { x * x * x }

  @Test func `a fit that is stopped keeps what it trained`() throws {
    let learner = try Learner(TinyModel.linear(), data: TinyData.split(), batchSize: 5)
    var trained: [Float] = []
    try learner.fit(
      epochs: 3, learningRate: 0.05,
      callbacks: [
        Lookahead(every: 1000),
        CallbackOf(
          .afterStep { trained = weights($0.learner) },
          .afterEpoch { _ in throw Cancel(.fit, reason: "enough") }),
      ])
    #expect(weights(learner) == trained)
  }

  @Test func `numbers without a meaning are refused`() throws {
    for (every, decay, message) in [
      (0, 0.5, "every is 0, expected at least 1 step"),
      (1, 1, "decay is 1.0, expected a number from 0 to below 1"),
      (1, -0.5, "decay is -0.5, expected a number from 0 to below 1"),
      (1, .nan, "decay is nan, expected a number from 0 to below 1"),
    ] {
      let error = #expect(throws: CallbackError.self) { try Lookahead(every: every, decay: decay) }
      #expect(error?.description == "Lookahead: " + message)
    }
    let learner = try Learner(TinyModel.linear(), data: TinyData.split(), batchSize: 5)
    let error = #expect(throws: CallbackError.self) {
      try learner.fit(
        epochs: 1, callbacks: [Lookahead(every: 2, decay: .constant(1.5))])
    }
    #expect(
      error?.description
        == "Lookahead: decay is 1.5 after step 2, expected a number from 0 to 1")
  }
}
