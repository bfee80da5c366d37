import CrestData
import CrestLayers
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import Testing
import TrainingTestSupport

/// What the model makes of examples, beside what is right.
@Suite struct `Predictions of a learner` {
  private static func trained() throws -> Learner {
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), metrics: [Accuracy()], batchSize: 5)
    try learner.fit(epochs: 3, learningRate: 0.3)
    return learner
  }

  @Test func `have the targets, probabilities and losses of every example`() throws {
    let learner = try Self.trained()
    let found = try learner.predictions()
    let labels = try #require(learner.data.valid.labels)
    #expect(found.outputs.shape == [9, 3])
    #expect(
      found.outputs.array(as: Float.self)
        == (try learner.predict(on: learner.data.valid)).array(as: Float.self))
    #expect(found.targets.array(as: Int64.self) == labels)
    #expect(found.classNames == ["a", "b", "c"])
    let probabilities = try #require(found.probabilities).array(as: Float.self)
    let outputs = found.outputs.array(as: Float.self).map { Double($0) }
    for row in 0..<9 {
      let logits = Array(outputs[row * 3..<(row + 1) * 3])
      let sum = logits.reduce(0) { $0 + exp($1) }
      for (place, logit) in logits.enumerated() {
        #expect(abs(Double(probabilities[row * 3 + place]) - exp(logit) / sum) < 1e-6)
      }
      let loss = log(sum) - logits[Int(labels[row])]
      #expect(abs(Double(found.losses[row]) - loss) < 1e-5, "example \(row)")
    }
    let pass = try learner.evaluate()
    let right = zip(try #require(found.labels), labels).count { $0 == Int($1) }
    #expect(abs(Double(right) / 9 - (try #require(pass["accuracy"]))) < 1e-6)
    let mean = found.losses.reduce(0) { $0 + Double($1) } / 9
    #expect(abs(mean - Double(pass.loss)) < 1e-5)
  }

  @Test func `order the examples by their losses`() throws {
    let found = try Self.trained().predictions()
    #expect(
      found.topLosses(4).map { found.losses[$0] } == Array(found.losses.sorted(by: >).prefix(4)))
    #expect(found.topLosses(.max).sorted() == Array(0..<9))
  }

  @Test func `say of one example its class`() throws {
    let learner = try Self.trained()
    let all = try learner.predictions()
    var batch = Batch(zerosFor: learner.data.valid, count: 1)
    try learner.data.valid.write([4], into: &batch)
    let answer = try learner.answer(for: batch.inputs[0].reshaped(to: [4]))
    #expect(answer.label == all.labels?[4])
    #expect(answer.className == answer.label.map { ["a", "b", "c"][$0] })
    #expect(answer.output.shape == [3])
    let row = try #require(all.probabilities).array(as: Float.self)[12..<15]
    #expect(zip(try #require(answer.probabilities), row).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func `of values are the values`() throws {
    let learner = try Learner(
      TinyModel.linear(),
      data: DataSplit(train: TinyData.values(22), valid: TinyData.values(9, seed: 8)),
      loss: .meanSquaredError, batchSize: 5)
    try learner.fit(epochs: 1, learningRate: 0.1)
    let found = try learner.predictions()
    #expect(found.probabilities == nil && found.labels == nil && found.classNames == nil)
    let outputs = found.outputs.array(as: Float.self)
    let targets = found.targets.array(as: Float.self)
    for row in 0..<9 {
      let errors = (0..<3).map { outputs[row * 3 + $0] - targets[row * 3 + $0] }
      let loss = errors.reduce(0) { $0 + $1 * $1 } / 3
      #expect(abs(found.losses[row] - loss) <= 1e-5 * max(1, loss), "example \(row)")
    }
    var batch = Batch(zerosFor: learner.data.valid, count: 1)
    try learner.data.valid.write([4], into: &batch)
    let answer = try learner.answer(for: batch.inputs[0].reshaped(to: [4]))
    #expect(answer.label == nil && answer.className == nil && answer.probabilities == nil)
  }

  @Test func `of one example of another shape are refused`() throws {
    let error = #expect(throws: LearnerError.self) {
      try Self.trained().answer(for: Tensor(zeros: [5]))
    }
    #expect(
      error?.description.contains("float32 or uint8 [N, 4] with N above 0") == true,
      "\(String(describing: error))")
  }
}
