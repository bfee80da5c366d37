import CrestData
import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import Testing
import TrainingTestSupport

/// Losses that aren't a plain mean of elements.
@Suite struct LossWeightTests {
  private func learner(
    _ loss: Loss, batchSize: Int = 6, data: DataSplit = TinyData.split(),
    metrics: [any Metric] = []
  ) throws -> Learner {
    try Learner(
      TinyModel.linear(), data: data, loss: loss, metrics: metrics, batchSize: batchSize,
      shuffle: false)
  }

  /// The cross-entropy of each validation example, its label, and whether its class is the likeliest.
  private func examples(
    _ learner: Learner
  ) throws -> [(loss: Double, label: Int, isRight: Bool)] {
    let logits = try learner.predict(on: learner.data.valid).doubles
    let labels = try #require(learner.data.valid.labels)
    return labels.enumerated().map { row, label in
      let line = logits[3 * row..<3 * row + 3].map { $0 }
      let sum = line.reduce(0) { $0 + exp($1) }
      return (
        log(sum) - line[Int(label)], Int(label), line.firstIndex(of: line.max() ?? 0) == Int(label)
      )
    }
  }

  @Test(arguments: [1, 2, 4, 9])
  func `the loss of a pass is the weighted mean of all its examples, however they are cut`(
    batchSize: Int
  ) throws {
    let weights: [Float] = [1, 5, 0.5]
    let learner = try learner(
      .crossEntropy(classWeights: weights, ignoredLabel: 2), batchSize: batchSize,
      metrics: [Accuracy(), MeanLoss()])
    let examples = try examples(learner)
    let kept = examples.filter { $0.label != 2 }
    #expect(kept.count < examples.count && Set(kept.map(\.label)).count == 2)
    let total = kept.reduce(0) { $0 + Double(weights[$1.label]) * $1.loss }
    let weight = kept.reduce(0) { $0 + Double(weights[$1.label]) }
    let result = try learner.evaluate()
    #expect(abs(result.loss - total / weight) < 1e-6)
    #expect(result.exampleCount == 9)
    #expect(
      result.metrics[0].value == Double(kept.count { $0.isRight }) / Double(kept.count))
    #expect(abs(result.metrics[1].value - result.loss) < 1e-12)
  }

  @Test func `a pass of a sum is by example, and a batch has the sum`() throws {
    let (mean, sum) = (
      try learner(.crossEntropy()), try learner(.crossEntropy().reduced(by: .sum))
    )
    #expect(abs(try mean.evaluate().loss - sum.evaluate().loss) < 1e-6)
    var losses: [[Float]] = [[], []]
    for (place, learner) in [mean, sum].enumerated() {
      try learner.fit(
        epochs: 1, learningRate: 1e-9,
        callbacks: [
          CallbackOf(.afterLoss { if $0.isTraining { losses[place].append($0.loss) } })
        ])
    }
    #expect(losses[1].count == 4)
    for ((mean, sum), count) in zip(zip(losses[0], losses[1]), [6, 6, 6, 4]) {
      #expect(abs(mean * Float(count) - sum) < 1e-4)
    }
  }

  /// Four numbers, and labels that are all 1.
  private var ones: DataSplit {
    let x = Tensor((0..<48).map { Float($0 % 7) }, shape: [12, 4])
    let set = TensorExamples(
      name: "ones", inputs: [("input", x)], targets: Tensor([Int64](repeating: 1, count: 12)),
      classNames: ["a", "b", "c"])
    return DataSplit(train: set, valid: set)
  }

  @Test func `a batch in which nothing counts has loss and gradient 0, and such a pass none`()
    throws
  {
    let learner = try learner(
      .crossEntropy(labelSmoothing: 0.1, ignoredLabel: 1), data: ones, metrics: [Accuracy()])
    let before = learner.model.store.withBuffer(.parameters) { Array($0) }
    var batches: [(Float, Double?)] = []
    try learner.fit(
      epochs: 1, learningRate: 0.1,
      callbacks: [CallbackOf(.afterLoss { batches.append(($0.loss, $0.lossWeight)) })])
    #expect(batches.count == 4)
    #expect(batches.allSatisfy { $0 == (0, 0) })
    let after = learner.model.store.withBuffer(.parameters) { Array($0) }
    #expect(after == before)
    let result = try learner.evaluate()
    #expect(result.loss.isNaN && result.metrics[0].value.isNaN)
  }

  @Test func `weights of other classes than the model has are refused before training`() throws {
    let error = #expect(throws: LearnerError.self) {
      _ = try learner(.focal(classWeights: [1, 2]))
    }
    #expect(
      error?.description
        == "tiny: loss focal: expected 3 class-weights, one for each output of the model, got 2; give one "
        + "for each, in the order of the outputs")
  }

  /// Labels of masks, where 255 is no class, and those between are none either.
  private func masks(_ labels: [Int64]) -> DataSplit {
    let x = Tensor((0..<4 * labels.count).map { Float($0 % 5) }, shape: [labels.count, 4])
    let set = TensorExamples(
      name: "masks", inputs: [("input", x)], targets: Tensor(labels),
      classNames: (0...255).map(String.init))
    return DataSplit(train: set, valid: set)
  }

  @Test func `an ignored label beyond the model's outputs is no class too many`() throws {
    let learner = try learner(
      .crossEntropy(ignoredLabel: 255), data: masks([0, 255, 2, 1, 255, 1]),
      metrics: [Accuracy(), F1Score(), LogLoss()])
    try learner.fit(epochs: 1)
    #expect(try learner.evaluate().loss.isFinite)
    let error = #expect(throws: ProgramError.self) {
      try self.learner(.crossEntropy(ignoredLabel: 255), data: masks([0, 7, 2, 1, 255, 1]))
        .fit(epochs: 1)
    }
    #expect(
      error?.description
        == "label 1 of the batch: expected a class from 0 to 2, got 7; give the model as many classes as the data"
    )
    #expect(throws: LearnerError.classCount(model: 3, data: 256, name: "masks")) {
      _ = try self.learner(.crossEntropy(), data: masks([0, 255, 2, 1, 255, 1]))
    }
  }

  /// Values of one kind, of three outputs.
  private func values(_ value: Float) -> DataSplit {
    let x = Tensor((0..<24).map { Float($0 % 5) }, shape: [6, 4])
    let targets = Tensor((0..<18).map { $0 == 10 ? value : 1 }, shape: [6, 3])
    let set = TensorExamples(name: "numbers", inputs: [("input", x)], targets: targets)
    return DataSplit(train: set, valid: set)
  }

  static let refusals: [(loss: Loss, value: Float, expected: String)] = [
    (.hinge, 2, "targets of 1 for yes, and 0 or -1 for no"),
    (.squaredHinge, 0.5, "targets of 1 for yes, and 0 or -1 for no"),
    (.poisson(), -1, "targets of at least 0"),
    (.meanSquaredLogarithmicError, -1, "targets above -1"),
  ]

  @Test(arguments: refusals)
  func `targets that mean nothing to a loss are refused`(
    refusal: (loss: Loss, value: Float, expected: String)
  ) throws {
    let (loss, value, expected) = refusal
    let learner = try learner(loss, data: values(value))
    let error = #expect(throws: LearnerError.self) { try learner.fit(epochs: 1) }
    #expect(
      error
        == .unsuitableTarget(
          loss: loss.name, expected: expected, value: Double(value), example: 3, batch: 0,
          name: "numbers"))
    #expect(
      error?.description
        == "numbers: \(loss.name) takes \(expected), got \(Double(value)) (batch 0, example 3); change the "
        + "targets, or choose another loss")
    try self.learner(loss, data: values(1)).fit(epochs: 1)
  }

  /// The metrics that judge if none are named.
  static let judges: [(loss: Loss, names: [String])] = [
    (.crossEntropy(), ["accuracy"]), (.focal(), ["accuracy"]),
    (.negativeLogLikelihood(), ["accuracy"]), (.dice(), ["accuracy"]),
    (.multiClassHinge(), ["accuracy"]), (.binaryCrossEntropy, ["accuracy"]),
    (.hinge, ["accuracy"]), (.dice(.labels), ["accuracy"]), (.meanSquaredError, ["mae"]),
    (.logCosh, ["mae"]), (.quantile([0.9]), ["mae"]), (.quantile([0.1, 0.9]), []),
    (.gaussian(), []), (.poisson(), []), (.poisson(logInput: false), ["mae"]),
    (.cosineSimilarity(), []), (.triplet(), []), (.ctc(), []),
  ]

  @Test(arguments: judges)
  func `the default metrics suit the loss`(judge: (loss: Loss, names: [String])) throws {
    let model = try TinyModel.linear()
    let metrics = judge.loss.standardMetrics(for: model, target: .values(shape: [3]))
    #expect(metrics.map(\.name) == judge.names)
  }

  @Test func `signs of hinge losses are judged as yes and no`() throws {
    var accuracy = BinaryAccuracy()
    let predictions: [Float] = [2, -1, 3, -0.5]
    accuracy.update(
      predictions.span,
      ScoredBatch(
        count: 4, predictionShape: [4, 1], targets: Tensor([1, -1, -1, -1] as [Int64]), loss: 0))
    #expect(accuracy.value == 0.75)
  }
}
