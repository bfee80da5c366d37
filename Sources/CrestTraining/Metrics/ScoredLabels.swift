import CrestTensor

/// The scores of examples with whether they are of a class, for each of some classes or labels.
struct ScoredLabels: Sendable, Codable {
  private(set) var columns: [Column] = []

  /// The scores for one class.
  struct Column: Sendable, Codable {
    var scores: [Float] = []
    var isPositive: [Bool] = []
  }

  init() {}

  private enum CodingKeys: CodingKey { case columns }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    columns = try container.decode([Column].self, forKey: .columns)
    let count = columns.first?.scores.count ?? 0
    guard columns.allSatisfy({ $0.scores.count == count && $0.isPositive.count == count }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .columns, in: container, debugDescription: "scores and labels of equal numbers")
    }
  }

  mutating func add(_ predictions: Span<Float>, _ batch: ScoredBatch, of kind: PredictionKind) {
    guard !kind.isBinary else {
      // One column for each output.
      let width = max(1, predictions.count / max(1, batch.count))
      makeRoom(width)
      var place = 0
      return kind.forEachLabel(predictions, batch) { prediction, isYes in
        columns[place % width].scores.append(prediction)
        columns[place % width].isPositive.append(isYes)
        place += 1
      }
    }
    kind.forEachLine(predictions, batch) { probabilities, label in
      makeRoom(probabilities.count)
      for (place, probability) in probabilities.enumerated() {
        columns[place].scores.append(Float(probability))
        columns[place].isPositive.append(place == label)
      }
    }
  }

  private mutating func makeRoom(_ count: Int) {
    while columns.count < count { columns.append(Column()) }
  }

  /// The mean of a score of the columns that have one.
  func mean(_ score: (Column) -> Double?) -> Double {
    let values = columns.compactMap(score)
    return values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }
}

extension ScoredLabels.Column {
  /// Groups of equal scores, from the highest: how many are positive, and how many there are; nil when a score is not a
  /// number.
  private var groups: [(positive: Int, count: Int)]? {
    guard !scores.contains(where: \.isNaN) else { return nil }
    var groups: [(positive: Int, count: Int)] = []
    var last: Float?
    for place in scores.indices.sorted(by: { scores[$0] > scores[$1] }) {
      if scores[place] != last { groups.append((0, 0)) }
      last = scores[place]
      groups[groups.count - 1].count += 1
      if isPositive[place] { groups[groups.count - 1].positive += 1 }
    }
    return groups
  }

  /// The share of pairs of a positive and a negative that are in the right order, ties counting half; nil without both, NaN
  /// when a score is not a number.
  var areaUnderCurve: Double? {
    let positives = isPositive.count { $0 }
    let negatives = isPositive.count - positives
    guard positives > 0, negatives > 0 else { return nil }
    guard let groups else { return .nan }
    var above = 0
    // Twice the pairs, which are whole numbers with ties.
    var pairs = 0.0
    for group in groups {
      let negative = group.count - group.positive
      pairs += Double(negative) * Double(2 * above + group.positive)
      above += group.positive
    }
    return pairs / 2 / (Double(positives) * Double(negatives))
  }

  /// Σ (Rᵢ − Rᵢ₋₁) Pᵢ over the distinct scores, from the highest; nil without positives, NaN when a score is not a number.
  var averagePrecision: Double? {
    let positives = isPositive.count { $0 }
    guard positives > 0 else { return nil }
    guard let groups else { return .nan }
    var (found, seen, sum) = (0, 0, 0.0)
    for group in groups {
      found += group.positive
      seen += group.count
      sum += Double(group.positive) * Double(found) / Double(seen)
    }
    return sum / Double(positives)
  }
}
