import CrestCallbacks
import CrestData
import CrestLayers
import CrestONNX
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

/// A network that comes from an ONNX file, with everything that a checkpoint must hold of it.
@Suite struct `A run on an ONNX file` {
  private func learner(_ path: String) throws -> Learner {
    let model = try Model(onnx: path, engine: Engine(threadCount: 1))
    let learner = try Learner(
      model, data: TinyData.split(), optimizer: AdamW(), metrics: [Accuracy()],
      callbacks: [Recorder(), OneCycleScheduler(maxLR: 0.05)], batchSize: 5, prefetch: 0)
    learner.now = { .zero }
    return learner
  }

  @Test func `goes on from every step with the bits it would have had, on the same file only`()
    throws
  {
    let folder = try TemporaryFolder()
    let path = folder["model.onnx"].path
    try TinyModel.full().exportONNX(to: path)

    var states: [RunState] = []
    let whole = try learner(path)
    try whole.fit(
      epochs: 40,
      callbacks: [
        CallbackOf(.afterBatch { states.append(try $0.learner.runState()) }, order: .max)
      ])
    let end = try whole.runState()
    #expect(whole.stepsTaken == 200)
    #expect(states.count == 280)
    for (place, state) in states.enumerated() {
      let again = try learner(path)
      try again.fit(
        epochs: 40,
        callbacks: [
          CallbackOf(
            .beforeFit { $0.resume(from: try Learner.Resumption(path: "s", state: state)) })
        ])
      #expect(try again.runState() == end, "from state \(place)")
    }

    // The same graph in another file is another model: what is exported goes back into the file it came from.
    var bytes = try Data(contentsOf: URL(filePath: path))
    let name = try #require(bytes.range(of: Data("crest".utf8)), "the producer's name")
    bytes.replaceSubrange(name, with: Data("other".utf8))
    let other = folder["other.onnx"].path
    try bytes.write(to: URL(filePath: other))
    let error = #expect(throws: CheckpointError.self) {
      try learner(other).fit(
        epochs: 40,
        callbacks: [
          CallbackOf(
            .beforeFit { $0.resume(from: try Learner.Resumption(path: "s", state: states[0])) })
        ])
    }
    #expect(error?.description.hasPrefix("s: model.source of the saved state is \"xxh64:") == true)
  }
}
