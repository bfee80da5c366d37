import CrestCallbacks
import CrestLayers
import CrestTraining
import Foundation
import Testing
import TrainingTestSupport

@Suite struct `A recorder` {
  private static let epochs = 500

  /// A fit of one step for each of so many batches.
  private static func fit(_ recorder: Recorder, epochs: Int) throws -> Int {
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), batchSize: 5, prefetch: 0)
    try learner.fit(epochs: epochs, learningRate: 0.01, callbacks: [recorder])
    return learner.stepsTaken
  }

  @Test func `keeps every step of a short fit`() throws {
    let (recorder, whole) = (Recorder(), Recorder(everyStep: true))
    let count = try Self.fit(recorder, epochs: 20)
    #expect(try Self.fit(whole, epochs: 20) == count)
    #expect(recorder.steps.map(\.step) == Array(0..<count))
    #expect(recorder.steps == whole.steps)
  }

  @Test func `keeps the same number of a fit of any length, evenly spread, and every epoch`() throws
  {
    let (recorder, whole) = (Recorder(), Recorder(everyStep: true))
    let count = try Self.fit(recorder, epochs: Self.epochs)
    #expect(try Self.fit(whole, epochs: Self.epochs) == count)
    #expect(count > 2048)
    #expect(whole.steps.map(\.step) == Array(0..<count))
    #expect((1024...2048).contains(recorder.steps.count))
    #expect(recorder.epochs.count == Self.epochs)
    let stride = recorder.steps[1].step
    #expect(recorder.steps == whole.steps.filter { $0.step.isMultiple(of: stride) })
  }

  @Test func `continues from its state, and from one that has every step`() throws {
    let (recorder, whole) = (Recorder(), Recorder(everyStep: true))
    _ = try Self.fit(recorder, epochs: Self.epochs)
    _ = try Self.fit(whole, epochs: Self.epochs)
    let (encoder, decoder) = (JSONEncoder(), JSONDecoder())
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let (data, wholeData) = try (encoder.encode(recorder.state), encoder.encode(whole.state))
    #expect(try decoder.decode(Recorder.State.self, from: data) == recorder.state)
    #expect(try decoder.decode(Recorder.State.self, from: wholeData) == whole.state)
    #expect(data.count < wholeData.count)
    // A fit that goes on keeps the steps that it would have kept.
    let resumed = Recorder()
    resumed.state = try decoder.decode(Recorder.State.self, from: data)
    #expect(resumed.steps == recorder.steps)
  }
}
