public import CrestGraph
import CrestPlatform
import CrestTensor

/// The root of the mean squared error over all elements, not the mean of roots of batches.
///
/// fastai's `rmse`, Keras's `RootMeanSquaredError`.
public struct RootMeanSquaredError: ValueMetric {
  private var squares = MeanSquaredError()

  /// A metric of no examples.
  public init() {}

  /// `rmse`.
  public var name: String { "rmse" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// The root.
  public var value: Double { squares.value.squareRoot() }

  /// Adds up the squared differences.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    squares.update(predictions, batch)
  }
}

/// The coefficient of determination: 1 − Σ (t − p)² / Σ (t − mean t)², the mean over outputs.
///
/// Of constant targets 1 if predictions are exact, otherwise 0; NaN of fewer than two examples. scikit-learn's
/// `r2_score`, fastai's and Keras's `R2Score`.
public struct R2Score: ValueMetric {
  private var moments = ValueMoments()

  /// A metric of no examples.
  public init() {}

  /// `r2`.
  public var name: String { "r2" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// At most 1.
  public var value: Double {
    moments.mean { column in
      guard column.count > 1 else { return .nan }
      return determination(column.squaredErrors, of: column.targetSquares)
    }
  }

  /// Adds the examples to the moments.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    moments.add(predictions, batch)
  }
}

/// The share of the targets' variance that predictions explain: 1 − Var(t − p) / Var(t), the mean over outputs.
///
/// Of constant targets 1 if the error is constant, otherwise 0. scikit-learn's `explained_variance_score`.
public struct ExplainedVariance: ValueMetric {
  private var moments = ValueMoments()

  /// A metric of no examples.
  public init() {}

  /// `explained-variance`.
  public var name: String { "explained-variance" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// At most 1; NaN of no examples.
  public var value: Double {
    moments.mean { determination($0.errorSquares, of: $0.targetSquares) }
  }

  /// Adds the examples to the moments.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    moments.add(predictions, batch)
  }
}

/// The correlation of predictions and targets, the mean over outputs.
///
/// NaN where either is constant. scikit-learn's and torchmetrics' `PearsonCorrCoef`, fastai's `PearsonCorrCoef`.
public struct PearsonCorrelation: ValueMetric {
  private var moments = ValueMoments()

  /// A metric of no examples.
  public init() {}

  /// `pearson`.
  public var name: String { "pearson" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// From −1 to 1.
  public var value: Double {
    moments.mean { $0.products / ($0.targetSquares * $0.predictionSquares).squareRoot() }
  }

  /// Adds the examples to the moments.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    moments.add(predictions, batch)
  }
}

/// The correlation of the ranks of predictions and targets, equal ones sharing their mean rank, over all elements.
///
/// It keeps all values. SciPy's `spearmanr`, fastai's `SpearmanCorrCoef`.
public struct SpearmanCorrelation: ValueMetric {
  private var predictions: [Float] = []
  private var targets: [Float] = []

  /// A metric of no examples.
  public init() {}

  private enum CodingKeys: CodingKey { case predictions, targets }

  /// Reads what was saved, which must be as many predictions as targets.
  ///
  /// - Throws: `DecodingError`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    predictions = try container.decode([Float].self, forKey: .predictions)
    targets = try container.decode([Float].self, forKey: .targets)
    guard predictions.count == targets.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .targets, in: container, debugDescription: "\(predictions.count) targets")
    }
  }

  /// `spearman`.
  public var name: String { "spearman" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// From −1 to 1; NaN where either is constant, or a value is not a number.
  public var value: Double {
    guard !(predictions + targets).contains(where: \.isNaN) else { return .nan }
    var column = ValueMoments.Column()
    for (prediction, target) in zip(Self.ranks(predictions), Self.ranks(targets)) {
      column.add(prediction: prediction, target: target)
    }
    return column.products / (column.targetSquares * column.predictionSquares).squareRoot()
  }

  private static func ranks(_ values: [Float]) -> [Double] {
    var ranks = [Double](repeating: 0, count: values.count)
    let order = values.indices.sorted { values[$0] < values[$1] }
    var start = 0
    while start < order.count {
      var end = start
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      for place in start..<end { ranks[order[place]] = Double(start + end - 1) / 2 }
      start = end
    }
    return ranks
  }

  /// Keeps the values.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    batch.require(predictions.count, targetCount: predictions.count)
    for index in predictions.indices { self.predictions.append(predictions[index]) }
    batch.targets.withElements(as: Float.self) { targets.append(contentsOf: $0) }
  }
}

/// The mean of |t − p| / |t| over all elements, as a fraction; |t| is at least 2⁻⁵².
///
/// scikit-learn's `mean_absolute_percentage_error`; Keras's `MeanAbsolutePercentageError` is 100 times that.
public struct MeanAbsolutePercentageError: ValueMetric {
  private var mean = Mean()

  /// A metric of no examples.
  public init() {}

  /// `mape`.
  public var name: String { "mape" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// The mean.
  public var value: Double { mean.value }

  /// Adds up the fractions.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    mean.addPairs(predictions, batch) { abs($1 - $0) / max(abs($1), 0x1p-52) }
  }
}

/// The mean of 2 |t − p| / (|t| + |p|) over all elements, from 0 to 2; 0 where both are 0.
///
/// torchmetrics' `SymmetricMeanAbsolutePercentageError`; others halve it, or give per cent.
public struct SymmetricMeanAbsolutePercentageError: ValueMetric {
  private var mean = Mean()

  /// A metric of no examples.
  public init() {}

  /// `smape`.
  public var name: String { "smape" }
  /// Lower is better.
  public var direction: MetricDirection { .lowerIsBetter }
  /// The mean.
  public var value: Double { mean.value }

  /// Adds up the fractions.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    mean.addPairs(predictions, batch) { prediction, target in
      let size = abs(prediction) + abs(target)
      return size == 0 ? 0 : 2 * abs(target - prediction) / size
    }
  }
}

/// 1 − part / whole; of a whole of 0, 1 if the part is 0 too, else 0.
private func determination(_ part: Double, of whole: Double) -> Double {
  whole == 0 ? (part == 0 ? 1 : 0) : 1 - part / whole
}

extension Mean {
  /// Takes in a function of each prediction and its target, one by one, so that the sum is the same however examples are cut
  /// into batches.
  fileprivate mutating func addPairs(
    _ predictions: Span<Float>, _ batch: ScoredBatch, _ function: (Double, Double) -> Double
  ) {
    batch.require(predictions.count, targetCount: predictions.count)
    batch.targets.withElements(as: Float.self) { targets in
      for index in predictions.indices {
        add(function(Double(predictions[index]), Double(targets[index])), count: 1)
      }
    }
  }
}
