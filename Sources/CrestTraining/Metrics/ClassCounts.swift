/// Of each class, how often it was predicted rightly, how often it was predicted, and how many examples it has: what scores
/// of classes follow from.
struct ClassCounts: Sendable, Codable {
  private(set) var right: [Int]
  private(set) var predicted: [Int]
  private(set) var actual: [Int]

  /// Counts of nothing.
  init() { self.init(right: [], predicted: [], actual: []) }

  /// Counts of a number of classes, which is the same in all three.
  init(right: [Int], predicted: [Int], actual: [Int]) {
    (self.right, self.predicted, self.actual) = (right, predicted, actual)
  }

  private enum CodingKeys: String, CodingKey {
    case right, predicted
    // As checkpoints have it.
    case actual = "labels"
  }

  /// Reads what was saved, which must be counts that belong together.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    right = try container.decode([Int].self, forKey: .right)
    predicted = try container.decode([Int].self, forKey: .predicted)
    actual = try container.decode([Int].self, forKey: .actual)
    let most = 1 << 52
    guard right.count == predicted.count, right.count == actual.count,
      right.indices.allSatisfy({ place in
        0 <= right[place] && right[place] <= min(predicted[place], actual[place])
          && max(predicted[place], actual[place]) <= most
      })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .right, in: container, debugDescription: "counts of one number of classes")
    }
  }

  /// Counts the predictions of a batch.
  mutating func add(_ predictions: Span<Float>, _ batch: ScoredBatch, of kind: PredictionKind) {
    let more = kind.classCount(of: batch) - right.count
    if more > 0 {
      let zeros = [Int](repeating: 0, count: more)
      right += zeros
      predicted += zeros
      actual += zeros
    }
    kind.forEachOutcome(predictions, batch) { own, other in
      predicted[other] += 1
      actual[own] += 1
      if own == other { right[own] += 1 }
    }
  }

  /// The average of a score of each class.
  ///
  /// - Parameters:
  ///   - average: How; nil for the score of class 1, yes.
  ///   - score: The score by the counts of right predictions, of all predictions of the class, and of its examples;
  ///     0 over 0 is 0.
  /// - Returns: NaN of no examples.
  func average(
    _ average: F1Score.Average?,
    _ score: (_ right: Int, _ predicted: Int, _ actual: Int) -> Double
  ) -> Double {
    let total = actual.reduce(0, +)
    guard total > 0 else { return .nan }
    func value(_ label: Int) -> Double {
      guard right.indices.contains(label) else { return 0 }
      return score(right[label], predicted[label], actual[label])
    }
    switch average {
    case nil: return value(1)
    case .micro: return score(right.reduce(0, +), total, total)
    case .weighted:
      return actual.indices.reduce(0) { $0 + value($1) * Double(actual[$1]) } / Double(total)
    case .macro:
      // Classes that neither predictions nor targets have don't count.
      let seen = actual.indices.filter { actual[$0] + predicted[$0] > 0 }
      return seen.reduce(0) { $0 + value($1) } / Double(seen.count)
    }
  }
}

/// (1 + β²) TP / ((1 + β²) TP + β² FN + FP), by counts of a class.
func fScore(beta: Double) -> (_ right: Int, _ predicted: Int, _ actual: Int) -> Double {
  let square = beta * beta
  return { right, predicted, actual in
    // TP + FN = actual, TP + FP = predicted.
    let whole = square * Double(actual) + Double(predicted)
    return whole == 0 ? 0 : (1 + square) * Double(right) / whole
  }
}
