import CrestTensor

/// How often each class was predicted for examples of each class.
///
/// Rows are the true classes, columns the predicted ones, as in scikit-learn's and Keras's `confusion_matrix`. A
/// matrix of yes and no has class 1 for yes.
public struct ConfusionMatrix: Sendable, Hashable, Codable {
  /// How the scores of classes are averaged.
  public typealias Average = F1Score.Average

  /// The classes.
  public private(set) var classCount = 0
  private var counts: [Int] = []

  /// The most classes: a matrix of more takes more than 32 MB.
  public static let classLimit = 2000

  /// A matrix of no examples.
  public init() {}

  private enum CodingKeys: CodingKey { case classCount, counts }

  /// Reads what was saved, which must be counts of so many classes.
  ///
  /// - Throws: `DecodingError`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    classCount = try container.decode(Int.self, forKey: .classCount)
    counts = try container.decode([Int].self, forKey: .counts)
    guard (0...Self.classLimit).contains(classCount), counts.count == classCount * classCount,
      counts.allSatisfy({ (0...1 << 40).contains($0) })
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .counts, in: container,
        debugDescription: "counts of \(classCount)² pairs of classes")
    }
  }

  /// How often `predicted` was predicted for examples of class `actual`.
  ///
  /// - Precondition: both are in `0 ..< classCount`.
  public subscript(actual actual: Int, predicted predicted: Int) -> Int {
    programmerError(
      unless: (0..<classCount).contains(actual) && (0..<classCount).contains(predicted),
      "classes \(actual) and \(predicted) of a matrix of \(classCount)")
    return counts[actual * classCount + predicted]
  }

  /// The predictions that were counted.
  public var total: Int { counts.reduce(0, +) }
  /// Those that were right.
  public var right: Int { (0..<classCount).reduce(0) { $0 + counts[$1 * (classCount + 1)] } }
  /// The examples of each class.
  public var actual: [Int] {
    (0..<classCount).map { row in
      counts[row * classCount..<(row + 1) * classCount].reduce(0, +)
    }
  }
  /// The predictions of each class.
  public var predicted: [Int] {
    (0..<classCount).map { column in
      (0..<classCount).reduce(0) { $0 + counts[$1 * classCount + column] }
    }
  }

  /// Counts a prediction.
  ///
  /// - Precondition: there are at most ``classLimit`` classes.
  public mutating func add(actual: Int, predicted: Int) {
    let needed = max(actual, predicted) + 1
    programmerError(
      unless: min(actual, predicted) >= 0 && needed <= Self.classLimit,
      "classes \(actual) and \(predicted), expected 0 to \(Self.classLimit - 1)")
    makeRoom(needed)
    counts[actual * classCount + predicted] += 1
  }

  /// Adds the counts of another part of the examples.
  public mutating func add(_ other: ConfusionMatrix) {
    makeRoom(other.classCount)
    for row in 0..<other.classCount {
      for column in 0..<other.classCount {
        counts[row * classCount + column] += other.counts[row * other.classCount + column]
      }
    }
  }

  private mutating func makeRoom(_ needed: Int) {
    guard needed > classCount else { return }
    var larger = [Int](repeating: 0, count: needed * needed)
    for row in 0..<classCount {
      for column in 0..<classCount {
        larger[row * needed + column] = counts[row * classCount + column]
      }
    }
    (counts, classCount) = (larger, needed)
  }

  /// Counts the predictions of a batch.
  mutating func add(_ predictions: Span<Float>, _ batch: ScoredBatch, of kind: PredictionKind) {
    makeRoom(kind.classCount(of: batch))
    kind.forEachOutcome(predictions, batch) { actual, predicted in
      counts[actual * classCount + predicted] += 1
    }
  }

  /// The average of a score of each class; see ``ClassCounts/average(_:_:)``.
  func average(
    _ average: Average?, _ score: (_ right: Int, _ predicted: Int, _ actual: Int) -> Double
  ) -> Double {
    ClassCounts(
      right: (0..<classCount).map { counts[$0 * (classCount + 1)] }, predicted: predicted,
      actual: actual
    ).average(average, score)
  }
}
