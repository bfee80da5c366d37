import CrestGraph
import CrestTensor
import CrestTraining
import Testing

struct MetricTests {
  static let all: [any Metric] = [
    Accuracy(), TopKAccuracy(2), F1Score(), MeanLoss(), MeanAbsoluteError(), MeanSquaredError(),
  ]

  /// Nine predictions of three classes.
  static let predictions: [[Float]] = [
    [1, 2, 3], [3, 2, 1], [0, 0, 0], [-1, -2, -3], [5, 5, 1], [.nan, 1, 2], [1, 2, .infinity],
    [0.5, 0.25, 0.75], [-1, 4, 4],
  ]
  static let labels: [Int64] = [2, 1, 0, 0, 1, 2, 1, 0, 2]

  static func score(_ metric: any Metric, cutAt cuts: [Int]) -> Double {
    var metric = metric
    metric.reset()
    for (start, end) in zip([0] + cuts, cuts + [labels.count]) {
      let flat = predictions[start..<end].flatMap { $0 }
      let count = end - start
      let takesValues = metric is MeanAbsoluteError || metric is MeanSquaredError
      let values = takesValues ? flat.map { $0.isFinite ? $0 : 0 } : flat
      let targets =
        takesValues
        ? Tensor(flat.map { $0.isFinite ? $0 + 0.5 : 0 }, shape: [count, 3])
        : Tensor(Array(labels[start..<end]))
      metric.update(
        values.span,
        ScoredBatch(
          count: count, predictionShape: [count, 3], targets: targets,
          loss: (start..<end).reduce(0.0) { $0 + Double($1) } / Double(count)))
    }
    return metric.value
  }

  /// One guess is right in rows 0, 2 and 3; rows 4 and 8 tie with an earlier class, row 5 loses to NaN.
  ///
  /// In every row at most one class beats the label's.
  static let expected: [(name: String, value: Double)] = [
    ("accuracy", 3.0 / 9), ("top_2_accuracy", 1), ("f1", 5.0 / 18), ("loss", 4), ("mae", 12.5 / 27),
    ("mse", 6.25 / 27),
  ]

  @Test(arguments: expected)
  func `a metric is exact however examples are cut into batches`(name: String, expected: Double)
    throws
  {
    let metric = try #require(Self.all.first { $0.name == name })
    for cuts in [[], [1], [4, 5], [2, 3, 8], [1, 2, 3, 4, 5, 6, 7, 8]] {
      #expect(abs(Self.score(metric, cutAt: cuts) - expected) < 1e-12, "\(cuts)")
    }
  }

  @Test(arguments: all.indices)
  func `a metric of nothing is not a number, and a reset forgets`(index: Int) {
    var metric = Self.all[index]
    #expect(metric.value.isNaN)
    let predictions: [Float] = [1, 2, 3]
    metric.update(
      predictions.span,
      ScoredBatch(
        count: 1, predictionShape: [1, 3],
        targets: index < 3 ? Tensor([2 as Int64]) : Tensor([1, 2, 4 as Float], shape: [1, 3]),
        loss: 1))
    #expect(!metric.value.isNaN)
    metric.reset()
    #expect(metric.value.isNaN)
  }

  @Test func `accuracy looks at each place of an image`() {
    var metric = Accuracy()
    // One example, two classes, three places: class 1, 0 and 1 are the highest.
    let predictions: [Float] = [0, 5, 1, 2, 3, 4]
    metric.update(
      predictions.span,
      ScoredBatch(
        count: 1, predictionShape: [1, 2, 3], targets: Tensor([1, 0, 0 as Int64], shape: [1, 3]),
        loss: 0))
    #expect(metric.value == 2.0 / 3)
  }

  @Test func `accuracy finds classes along the batch's class axis`() {
    // One example, three places, two classes: class 1, 0 and 1 are the highest.
    let predictions: [Float] = [0, 5, 3, 1, 2, 4]
    let labels = Tensor([1, 0, 0 as Int64], shape: [1, 3])
    let oneHot = Tensor([0, 1, 0.7, 0.3, 1, 0] as [Float], shape: [1, 3, 2])
    for targets in [labels, oneHot] {
      var metric = Accuracy()
      metric.update(
        predictions.span,
        ScoredBatch(count: 1, predictionShape: [1, 3, 2], classAxis: 2, targets: targets, loss: 0))
      #expect(metric.value == 2.0 / 3)
    }
  }

  @Test func `accuracy takes the most probable class for the label`() {
    var metric = Accuracy()
    let predictions: [Float] = [1, 2, 3, 3, 2, 1, 0, 9, 0]
    let targets = Tensor([0, 0, 1, 0.2, 0.5, 0.3, 0, 1, 0] as [Float], shape: [3, 3])
    metric.update(
      predictions.span,
      ScoredBatch(count: 3, predictionShape: [3, 3], targets: targets, loss: 0))
    #expect(metric.value == 2.0 / 3)
  }

  static let binary: [(predictions: BinaryAccuracy.Predictions, values: [Float], value: Double)] = [
    (.logits, [2, -3, 0, .nan, 0.25], 4.0 / 5),
    (.probabilities, [0.9, 0.1, 0.5, .nan, 0.25], 3.0 / 5),
  ]

  @Test(arguments: binary)
  func `binary accuracy counts right answers of yes and no`(
    row: (predictions: BinaryAccuracy.Predictions, values: [Float], value: Double)
  ) {
    let labels = Tensor([1, 0, 0, 0, 1] as [Int64])
    let probabilities = Tensor([1, 0, 0.5, 0.2, 0.8] as [Float], shape: [5, 1])
    for targets in [labels, probabilities] {
      var metric = BinaryAccuracy(of: row.predictions)
      #expect(metric.value.isNaN)
      metric.update(
        row.values.span,
        ScoredBatch(count: 5, predictionShape: [5, 1], targets: targets, loss: 0))
      #expect(metric.value == row.value)
    }
  }

  @Test func `metrics say what they can't judge`() {
    let logits = ValueType([4, 3])
    #expect(
      Accuracy().objection(predictions: logits, targets: ValueType([4, 2]), classAxis: 1)
        == "it needs int64 labels [4] or probabilities [4, 3] for predictions float32 [4, 3], got "
        + "float32 [4, 2]")
    #expect(Accuracy().objection(predictions: logits, targets: logits, classAxis: 1) == nil)
    #expect(
      Accuracy().objection(predictions: logits, targets: ValueType([4], .int64), classAxis: 2)
        == "it needs predictions [N, C, …] of C classes, got float32 [4, 3]")
    #expect(
      BinaryAccuracy().objection(
        predictions: logits, targets: ValueType([4, 3], .int32), classAxis: 1)
        == "it needs int64 labels or probabilities float32 [4, 3], got int32 [4, 3]")
    #expect(
      Accuracy().objection(predictions: logits, targets: ValueType([4], .int64), classAxis: 1)
        == nil)
    #expect(
      Accuracy().objection(
        predictions: ValueType([4]), targets: ValueType([4], .int64), classAxis: 1) != nil)
    #expect(
      MeanSquaredError().objection(
        predictions: logits, targets: ValueType([4, 1]), classAxis: 1)
        == "it needs targets of the predictions' type float32 [4, 3], got float32 [4, 1]")
    #expect(
      MeanAbsoluteError().objection(predictions: logits, targets: logits, classAxis: 1) == nil)
    #expect(
      MeanLoss().objection(predictions: logits, targets: ValueType([4], .int64), classAxis: 1)
        == nil)
  }
}
