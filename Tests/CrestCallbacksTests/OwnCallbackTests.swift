import CrestCallbacks
import CrestTraining
import Testing
import TrainingTestSupport

/// A callback of one's own, in fewer than ten lines.
final class StopWhenGood: Callback {
  private let accuracy: Double
  init(at accuracy: Double) { self.accuracy = accuracy }
  var hooks: [Hook] { [.afterEpoch(check)] }
  private func check(_ epoch: EpochContext) throws {
    guard let value = epoch.validation?["accuracy"], value >= accuracy else { return }
    throw Cancel(.fit, reason: "an accuracy of \(value)")
  }
}

struct OwnCallbackTests {
  @Test func `a callback of one's own ends a fit`() throws {
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(train: 300, valid: 100), metrics: [Accuracy()],
      batchSize: 16)
    let recorder = Recorder()
    let outcome = try learner.fit(
      epochs: 50, learningRate: 0.1, callbacks: [recorder, StopWhenGood(at: 0.8)])
    guard case .cancelled(let cancellation) = outcome else {
      Issue.record("not cancelled but \(outcome)")
      return
    }
    #expect(cancellation.callback == "StopWhenGood")
    #expect(recorder.epochs.last?.validation?["accuracy"] ?? 0 >= 0.8)
    #expect(recorder.epochs.dropLast().allSatisfy { $0.validation?["accuracy"] ?? 1 < 0.8 })
  }
}
