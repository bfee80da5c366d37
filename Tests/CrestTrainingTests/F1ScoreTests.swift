import CrestLayers
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import Testing

@Suite struct F1ScoreTests {
  /// The classes 0, 0, 2, 2, 1 are predicted, the last of them by a NaN.
  private static let predictions: [Float] = [
    3, 1, 2, 2, 2, 0, 0, 1, 4, 0, 0, 1, 9, .nan, 10,
  ]
  private static let labels: [Int64] = [0, 1, 2, 0, 1]

  // scikit-learn's f1_score of these: of classes 0.5, 2/3, 2/3.
  static let averages: [(average: F1Score.Average, value: Double)] = [
    (.macro, (0.5 + 2.0 / 3 + 2.0 / 3) / 3), (.weighted, (0.5 * 2 + 2.0 / 3 * 2 + 2.0 / 3) / 5),
    (.micro, 3.0 / 5),
  ]

  @Test(arguments: averages)
  func `scores of classes are averaged as scikit-learn does`(
    row: (average: F1Score.Average, value: Double)
  ) {
    var metric = F1Score(average: row.average)
    metric.update(
      Self.predictions.span,
      ScoredBatch(count: 5, predictionShape: [5, 3], targets: Tensor(Self.labels), loss: 0))
    #expect(abs(metric.value - row.value) < 1e-12)
  }

  @Test func `classes that never come up don't count`() {
    var metric = F1Score()
    let predictions: [Float] = [1, 0, 0, 1, 0, 0]
    metric.update(
      predictions.span,
      ScoredBatch(
        count: 2, predictionShape: [2, 3], targets: Tensor([0, 0] as [Int64]), loss: 0))
    #expect(metric.value == 1)
  }

  @Test(arguments: [BinaryAccuracy.Predictions.logits, .probabilities])
  func `the score of yes or no is that of yes`(predictions: BinaryAccuracy.Predictions) {
    let values: [Float] =
      predictions == .logits ? [2, -3, 1, .nan, -1] : [0.9, 0.1, 0.7, .nan, 0.3]
    let labels = Tensor([1, 0, 0, 1, 1] as [Int64])
    let probabilities = Tensor([1, 0, 0.5, 0.9, 0.8] as [Float], shape: [5, 1])
    for targets in [labels, probabilities] {
      var metric = BinaryF1Score(of: predictions)
      #expect(metric.value.isNaN)
      metric.update(
        values.span, ScoredBatch(count: 5, predictionShape: [5, 1], targets: targets, loss: 0))
      // One right of two that are predicted and three that are.
      #expect(metric.value == 2.0 / 5)
    }
  }

  @Test func `classes may be more than a matrix of them has`() {
    var metric = F1Score()
    let classCount = ConfusionMatrix.classLimit + 1
    var predictions = [Float](repeating: 0, count: 2 * classCount)
    predictions[classCount - 1] = 1
    predictions[classCount + 7] = 1
    metric.update(
      predictions.span,
      ScoredBatch(
        count: 2, predictionShape: [2, classCount],
        targets: Tensor([Int64(classCount - 1), 8]), loss: 0))
    // 1 of the last class, 0 of 7 and 8.
    #expect(metric.value == 1.0 / 3)
  }

  @Test func `the score is that of F-beta with 1, to the bit`() {
    for average in F1Score.Average.allCases {
      var metric = F1Score(average: average)
      var other = FBetaScore(beta: 1, average: average)
      let batch = ScoredBatch(
        count: 5, predictionShape: [5, 3], targets: Tensor(Self.labels), loss: 0)
      metric.update(Self.predictions.span, batch)
      other.update(Self.predictions.span, batch)
      #expect(metric.value == other.value)
    }
  }

  @Test func `what checkpoints have saved of it is read and written`() throws {
    let saved = #"{"average":"weighted","counts":{"labels":[2,1],"predicted":[1,2],"right":[1,1]}}"#
    let metric = try JSONDecoder().decode(F1Score.self, from: Data(saved.utf8))
    #expect(metric.value == (2.0 / 3 * 2 + 2.0 / 3) / 3)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(try String(decoding: encoder.encode(metric), as: UTF8.self) == saved)
    let more = saved.replacing("[1,1]", with: "[2,1]")
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(F1Score.self, from: Data(more.utf8))
    }
  }

  @Test func `a name makes the metric that suits the loss`() throws {
    let engine = try Engine(threadCount: 1)
    let model = try Model(Dense(1), input: [3], engine: engine)
    func made(_ name: String, _ loss: Loss) -> (any Metric)? {
      NamedMetric.all.first { $0.name == name }?.make(loss, model)
    }
    #expect(made("f1", .crossEntropy()) is F1Score)
    #expect(made("f1", .binaryCrossEntropy) is BinaryF1Score)
    #expect(made("accuracy", .binaryCrossEntropy) is BinaryAccuracy)
    #expect(made("accuracy", .crossEntropy()) is Accuracy)
    #expect(Set(NamedMetric.all.map(\.name)).count == NamedMetric.all.count)
  }
}
