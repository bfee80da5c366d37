import CrestCallbacks
import CrestData
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct TimeLimitTests {
  /// A clock that goes on by a second each time it is asked.
  private final class Clock {
    var seconds = 0.0
    func now() -> Duration {
      seconds += 1
      return .seconds(seconds)
    }
  }

  @Test func `ends the epoch in which the time is over, with its validation`() throws {
    let clock = Clock()
    let recorder = Recorder()
    let learner = try Learner(TinyModel.linear(), data: TinyData.split(), batchSize: 5)
    let batches = learner.trainLoader.batchCount
    // Asked once at the beginning, then for each training batch and each epoch.
    let limit = try TimeLimit(seconds: Double(batches) + 2.5, now: clock.now)
    let outcome = try learner.fit(epochs: 5, callbacks: [recorder, limit])
    guard case .cancelled(let cancellation) = outcome else {
      Issue.record("not cancelled but \(outcome)")
      return
    }
    #expect(cancellation.callback == "TimeLimit")
    #expect(cancellation.phase == .fit)
    #expect(cancellation.reason == "\(Double(batches) + 2.5) s have passed")
    #expect(recorder.epochs.count == 2)
    #expect(recorder.epochs.last?.validation != nil)
    #expect(learner.stepsTaken > batches && learner.stepsTaken < 2 * batches)
  }

  @Test func `counts what a resumed run has taken before`() throws {
    let clock = Clock()
    let limit = try TimeLimit(seconds: 100, now: clock.now)
    let other = try TimeLimit(seconds: 100, now: clock.now)
    clock.seconds = 50
    let state = limit.state
    other.state = state
    let seconds = other.state.seconds
    #expect(seconds == state.seconds + 1)
  }

  @Test(arguments: [0, -1, .nan]) func `needs a time`(seconds: Double) {
    #expect(
      throws: CallbackError.outOfRange(
        callback: "TimeLimit", parameter: "seconds", value: "\(seconds)",
        expected: "a number above 0")
    ) { try TimeLimit(seconds: seconds) }
  }
}
