import CrestTensor

/// Means, squared deviations and products of deviations of targets, predictions and errors, one of each for each output.
///
/// Welford's updates: sums of squares cancel when the mean is large.
struct ValueMoments: Sendable, Codable {
  private(set) var columns: [Column] = []

  /// The moments of one output.
  struct Column: Sendable, Codable {
    var count = 0
    var targetMean = 0.0
    var predictionMean = 0.0
    var errorMean = 0.0
    var targetSquares = 0.0
    var predictionSquares = 0.0
    var errorSquares = 0.0
    var products = 0.0
    /// The sum of squared errors, not of their deviations.
    var squaredErrors = 0.0

    mutating func add(prediction: Double, target: Double) {
      count += 1
      let share = 1 / Double(count)
      let error = target - prediction
      squaredErrors += error * error
      let (fromTarget, fromPrediction, fromError) = (
        target - targetMean, prediction - predictionMean, error - errorMean
      )
      targetMean += fromTarget * share
      predictionMean += fromPrediction * share
      errorMean += fromError * share
      targetSquares += fromTarget * (target - targetMean)
      predictionSquares += fromPrediction * (prediction - predictionMean)
      errorSquares += fromError * (error - errorMean)
      products += fromTarget * (prediction - predictionMean)
    }
  }

  init() {}

  private enum CodingKeys: CodingKey { case columns }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    columns = try container.decode([Column].self, forKey: .columns)
    guard columns.allSatisfy({ (0...1 << 52).contains($0.count) }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .columns, in: container, debugDescription: "counts from 0 to 2⁵²")
    }
  }

  mutating func add(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    batch.require(predictions.count, targetCount: predictions.count)
    let width = max(1, predictions.count / max(1, batch.count))
    while columns.count < width { columns.append(Column()) }
    batch.targets.withElements(as: Float.self) { targets in
      for index in predictions.indices {
        columns[index % width].add(
          prediction: Double(predictions[index]), target: Double(targets[index]))
      }
    }
  }

  /// The mean of a score of the outputs.
  func mean(_ score: (Column) -> Double) -> Double {
    columns.isEmpty
      ? .nan : columns.reduce(0) { $0 + score($1) } / Double(columns.count)
  }
}
