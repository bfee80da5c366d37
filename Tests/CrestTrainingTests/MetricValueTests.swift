import CrestGraph
import CrestTensor
import CrestTraining
import Foundation
import Testing

@Suite("Metrics beside scikit-learn and SciPy") struct MetricValueTests {
  /// Predictions with what `Tests/Fixtures/make_metrics.py` says of them.
  struct Case: Sendable, CustomTestStringConvertible {
    let kind: String
    let shape: [Int]
    let predictions: [Float]
    let targets: [Double]
    let values: [String: Double]

    var testDescription: String { "\(kind) \(shape)" }

    /// The rows of a part as a batch.
    func batch(_ rows: Range<Int>) -> (predictions: [Float], batch: ScoredBatch) {
      let width = shape[1]
      let targetWidth = targets.count / shape[0]
      let part = targets[rows.lowerBound * targetWidth..<rows.upperBound * targetWidth]
      let targetShape = Shape(targetWidth == 1 ? [rows.count] : [rows.count, targetWidth])
      let tensor =
        kind == "values"
        ? Tensor(part.map { Float($0) }, shape: targetShape)
        : Tensor(part.map { Int64($0) }, shape: targetShape)
      return (
        Array(predictions[rows.lowerBound * width..<rows.upperBound * width]),
        ScoredBatch(
          count: rows.count, predictionShape: [rows.count, width], targets: tensor, loss: 0)
      )
    }

    /// The value of a metric over all rows, in batches of some sizes.
    func value(_ metric: any Metric, cutAt cuts: [Int]) -> Double {
      var metric = metric
      for (start, end) in zip([0] + cuts, cuts + [shape[0]]) {
        let (numbers, batch) = batch(start..<end)
        metric.update(numbers.span, batch)
      }
      return metric.value
    }
  }

  static let cases: [Case] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/metrics/metrics.json")
    guard let data = try? Data(contentsOf: file),
      let document = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
      let cases = document["cases"] as? [[String: Any]]
    else { return [] }
    return cases.map { entry in
      var values: [String: Double] = [:]
      for (name, value) in entry["values"] as? [String: Any] ?? [:] {
        if let value = value as? Double { values[name] = value }
        for (average, part) in value as? [String: Double] ?? [:] {
          values["\(name)-\(average)"] = part
        }
      }
      return Case(
        kind: entry["kind"] as? String ?? "", shape: entry["shape"] as? [Int] ?? [],
        predictions: (entry["predictions"] as? [Double] ?? []).map { Float($0) },
        targets: entry["targets"] as? [Double] ?? [], values: values)
    }
  }()

  /// The metrics of classes or labels by the names of the fixture.
  private static func ofLabels(_ kind: PredictionKind) -> [String: any Metric] {
    var metrics: [String: any Metric] = [
      "precision": Precision(of: kind), "recall": Recall(of: kind),
      "f2": FBetaScore(beta: 2, of: kind), "iou": IoU(of: kind),
      "balanced-accuracy": BalancedAccuracy(of: kind), "kappa": CohenKappa(of: kind),
      "kappa-linear": CohenKappa(weights: .linear, of: kind),
      "kappa-quadratic": CohenKappa(weights: .quadratic, of: kind),
      "mcc": MatthewsCorrelation(of: kind), "auroc": AUROC(of: kind),
      "average-precision": AveragePrecision(of: kind), "log-loss": LogLoss(of: kind),
      "perplexity": Perplexity(of: kind), "brier": BrierScore(of: kind),
      "ece": ExpectedCalibrationError(of: kind),
    ]
    for average in ConfusionMatrix.Average.allCases {
      metrics["precision-\(average)"] = Precision(average: average, of: kind)
      metrics["recall-\(average)"] = Recall(average: average, of: kind)
      metrics["f2-\(average)"] = FBetaScore(beta: 2, average: average, of: kind)
      metrics["f1-\(average)"] = F1Score(average: average)
      metrics["iou-\(average)"] = IoU(average: average, of: kind)
    }
    return metrics
  }

  private static let ofValues: [String: any Metric] = [
    "mae": MeanAbsoluteError(), "mse": MeanSquaredError(), "rmse": RootMeanSquaredError(),
    "r2": R2Score(), "explained-variance": ExplainedVariance(),
    "mape": MeanAbsolutePercentageError(), "smape": SymmetricMeanAbsolutePercentageError(),
    "pearson": PearsonCorrelation(), "spearman": SpearmanCorrelation(),
  ]

  @Test func `all cases are there`() {
    #expect(Self.cases.map(\.kind) == ["classes", "logits", "logits", "values"])
    #expect(Self.cases.allSatisfy { !$0.values.isEmpty })
  }

  @Test(arguments: cases)
  func `have the peers' values, however examples are cut into batches`(test: Case) throws {
    let kind = PredictionKind(rawValue: test.kind) ?? .classes
    let metrics: [String: any Metric] = test.kind == "values" ? Self.ofValues : Self.ofLabels(kind)
    for (name, expected) in test.values {
      let metric = try #require(metrics[name], "\(name)")
      let whole = test.value(metric, cutAt: [])
      #expect(
        abs(whole - expected) <= 1e-9 * max(1, abs(expected)),
        "\(name): \(whole), expected \(expected)")
      for cuts in [[1], [7, 8, 20], Array(1..<test.shape[0])] {
        #expect(test.value(metric, cutAt: cuts) == whole, "\(name)")
      }
      let saved = try Self.roundTripped(metric)
      #expect(test.value(saved, cutAt: [3]) == whole, "\(name)")
    }
  }

  private static func roundTripped<Kind: Metric>(_ metric: Kind) throws -> any Metric {
    try JSONDecoder().decode(Kind.self, from: JSONEncoder().encode(metric))
  }

  @Test func `of probabilities are those of logits`() {
    for test in Self.cases where test.kind == "logits" || test.kind == "classes" {
      let isBinary = test.kind == "logits"
      let width = test.shape[1]
      let probabilities: [Float] =
        isBinary
        ? test.predictions.map { Float(1 / (1 + Foundation.exp(-Double($0)))) }
        : stride(from: 0, to: test.predictions.count, by: width).flatMap { start in
          let powers = test.predictions[start..<start + width].map { Foundation.exp(Double($0)) }
          return powers.map { Float($0 / powers.reduce(0, +)) }
        }
      let other = Case(
        kind: test.kind, shape: test.shape, predictions: probabilities, targets: test.targets,
        values: [:])
      let logits = Self.ofLabels(isBinary ? .logits : .classes)
      for (name, metric) in Self.ofLabels(isBinary ? .probabilities : .classProbabilities)
      where !name.hasPrefix("f1") {
        guard let of = logits[name] else { continue }
        let (left, right) = (of, metric)
        let expected = test.value(left, cutAt: [])
        let got = other.value(right, cutAt: [])
        #expect(
          abs(got - expected) < 1e-5 * max(1, abs(expected)) || got.isNaN && expected.isNaN,
          "\(name): \(got), \(expected)")
      }
    }
  }

  @Test func `have stated values where nothing can be said`() {
    func value(_ metric: any Metric, _ predictions: [Float], _ targets: Tensor) -> Double {
      var metric = metric
      let count = targets.shape[0]
      metric.update(
        predictions.span,
        ScoredBatch(
          count: count, predictionShape: [count, predictions.count / count], targets: targets,
          loss: 0))
      return metric.value
    }
    for (name, metric) in Self.ofLabels(.classes) { #expect(metric.value.isNaN, "\(name)") }
    for (name, metric) in Self.ofValues { #expect(metric.value.isNaN, "\(name)") }

    let one = Tensor([0, 0] as [Int64])
    #expect(value(AUROC(), [1, 0, 0, 1], one).isNaN, "a single class")
    #expect(value(CohenKappa(), [1, 0, 1, 0], one).isNaN)
    #expect(value(MatthewsCorrelation(), [1, 0, 1, 0], one) == 0)
    #expect(value(Recall(), [1, 0, 0, 1], one) == 0.25, "a class that is predicted alone counts 0")

    let constant = Tensor([2, 2] as [Float])
    #expect(value(R2Score(), [2, 2], constant) == 1)
    #expect(value(R2Score(), [2, 3], constant) == 0)
    #expect(value(ExplainedVariance(), [3, 3], constant) == 1)
    #expect(value(PearsonCorrelation(), [2, 3], constant).isNaN)
    #expect(value(R2Score(), [2], Tensor([1] as [Float])).isNaN)
    #expect(value(SymmetricMeanAbsolutePercentageError(), [0], Tensor([0] as [Float])) == 0)

    let two = Tensor([0, 1] as [Int64])
    for metric in [
      AUROC(), AveragePrecision(), LogLoss(), BrierScore(), ExpectedCalibrationError(),
    ]
      as [any Metric]
    {
      #expect(value(metric, [.nan, 0, 0, 1], two).isNaN, "\(metric.name)")
    }
    #expect(value(Precision(of: .logits), [.nan, 1], Tensor([1, 1] as [Int64])) == 1, "NaN is no")
    #expect(
      abs(value(LogLoss(of: .probabilities), [0, 1], Tensor([1, 1] as [Int64])) - 18.0218) < 1e-3)
  }

  @Test func `counts of parts add up`() {
    guard let test = Self.cases.first(where: { $0.kind == "classes" }) else { return }
    var (whole, left, right) = (Precision(), Precision(), Precision())
    let (all, head, tail) = (test.batch(0..<60), test.batch(0..<23), test.batch(23..<60))
    whole.update(all.predictions.span, all.batch)
    left.update(head.predictions.span, head.batch)
    right.update(tail.predictions.span, tail.batch)
    left.counts.add(right.counts)
    #expect(left.counts == whole.counts)
    #expect(whole.counts.total == 60)
    #expect(
      whole.counts[actual: 0, predicted: 0] + whole.counts[actual: 0, predicted: 1]
        + whole.counts[actual: 0, predicted: 2] == whole.counts.actual[0])
  }

  @Test func `refuse what they can't count, and states that can't be`() throws {
    let many = ValueType([2, 2001], .float32)
    #expect(
      Precision().objection(predictions: many, targets: ValueType([2], .int64), classAxis: 1)
        == "it counts at most 2000 classes, got 2001")
    for (json, type) in [
      (#"{"classCount":2,"counts":[1,2,3]}"#, ConfusionMatrix.self as any Decodable.Type),
      (#"{"classCount":1,"counts":[-1]}"#, ConfusionMatrix.self),
      (#"{"predictions":[1],"targets":[]}"#, SpearmanCorrelation.self),
      (#"{"predictions":"classes","bins":[],"hasNaN":false}"#, ExpectedCalibrationError.self),
      (
        #"{"predictions":"classes","bins":[{"count":1,"right":2,"confidence":1}],"hasNaN":false}"#,
        ExpectedCalibrationError.self
      ),
      (
        #"{"predictions":"classes","labels":{"columns":[{"scores":[1],"isPositive":[]}]}}"#,
        AUROC.self
      ),
    ] {
      #expect(throws: DecodingError.self, "\(json)") {
        try JSONDecoder().decode(type, from: Data(json.utf8))
      }
    }
  }
}
