import CrestCallbacks
import CrestState
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct LearningRateSchedulerTests {
  private func rates(_ scheduler: LearningRateScheduler, epochs: Int = 3) throws -> [Double] {
    let recorder = Recorder()
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), callbacks: [recorder, scheduler], batchSize: 8)
    try learner.fit(epochs: epochs)
    return recorder.steps.map(\.learningRate)
  }

  @Test func `asks before each epoch or each step`() throws {
    let byEpoch = try rates(LearningRateScheduler("epochs") { epoch, _ in 0.1 / Double(epoch + 1) })
    let first: [Double] = [0.1, 0.05, 0.1 / 3]
    #expect(byEpoch == first.flatMap { [$0, $0, $0] })
    let byStep = try rates(
      LearningRateScheduler("steps", every: .step) { step, rate in step == 0 ? 1 : rate / 2 })
    let expected: [Double] = (0..<9).map { step in 1 / Double(1 << step) }
    #expect(byStep == expected)
  }

  @Test func `resumes by its name, from the rate that was set`() throws {
    func learner(_ name: String) throws -> Learner {
      let scheduler = LearningRateScheduler(name) { epoch, rate in epoch == 0 ? 0.1 : rate * 0.9 }
      let learner = try Learner(
        TinyModel.full(), data: TinyData.split(), callbacks: [scheduler], batchSize: 5, prefetch: 0)
      learner.now = { .zero }
      return learner
    }
    let (states, end) = try learner("drop").fitSavingStates(epochs: 4)
    for state in states {
      #expect(try learner("drop").fitResuming(from: state, path: "s", epochs: 4) == end)
    }
    let error = #expect(throws: CheckpointError.self) {
      try learner("other").fitResuming(from: states[3], path: "s", epochs: 4)
    }
    #expect(
      error?.description
        == "s: callbacks.LearningRateScheduler.settings.function of the saved state is \"drop\", but here it is "
        + "\"other\"; restore it where they are equal, or skip callbacks.LearningRateScheduler.settings.function"
    )
  }

  @Test(arguments: [-1, .nan, .infinity])
  func `a rate that is none ends the fit`(rate: Double) throws {
    let error = #expect(throws: CallbackError.self) {
      try rates(LearningRateScheduler("wild") { epoch, _ in epoch == 1 ? rate : 0.1 })
    }
    #expect(
      error?.description
        == "LearningRateScheduler: learning rate of wild is \(rate) in epoch 1, expected a finite number of at least 0"
    )
  }

  @Test func `an error of the function ends the fit`() throws {
    struct Broken: Error {}
    #expect(throws: Broken.self) {
      try rates(LearningRateScheduler("b") { _, _ in throw Broken() })
    }
  }
}
