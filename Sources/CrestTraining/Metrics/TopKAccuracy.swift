public import CrestGraph
import CrestTensor

/// The part of the examples whose class is among the k highest predictions.
///
/// Predictions have their C classes along the batch's class axis, [N, C, …] unless said otherwise. Targets are
/// labels of the shape without that axis, or probabilities of the predictions' shape, of which the highest
/// is the label. Of equal numbers the first class is the higher. A prediction that is not a number ranks
/// above all, so that it is never taken for right.
///
/// fastai's `top_k_accuracy`, Keras's `SparseTopKCategoricalAccuracy` and `TopKCategoricalAccuracy`.
public struct TopKAccuracy: Metric {
  /// How many classes are guessed.
  public let k: Int
  private var hits = Mean()

  /// A metric of `k` guesses, at least 1.
  ///
  /// - Precondition: `k` is positive.
  public init(_ k: Int) {
    precondition(k > 0, "a top-\(k) accuracy")
    self.k = k
  }

  /// As in `top_5_accuracy`.
  public var name: String { "top_\(k)_accuracy" }
  /// Higher is better.
  public var direction: MetricDirection { .higherIsBetter }
  /// The part, from 0 to 1.
  public var value: Double { hits.value }

  /// Targets that are neither labels nor probabilities of the predictions' classes.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    let shape = predictions.shape
    guard (1..<max(shape.rank, 1)).contains(classAxis) else {
      return "it needs predictions [N, C, …] of C classes, got \(predictions)"
    }
    var places = shape.dimensions
    places.remove(at: classAxis)
    guard targets == ValueType(Shape(places), .int64) || targets == predictions else {
      return "it needs int64 labels \(Shape(places)) or probabilities \(shape) for predictions "
        + "\(predictions), got \(targets)"
    }
    return nil
  }

  /// Forgets all examples.
  public mutating func reset() { hits = Mean() }

  /// Counts the labels among the k highest.
  public mutating func update(_ predictions: Span<Float>, _ batch: ScoredBatch) {
    let lines = ClassLines(batch.predictionShape, axis: batch.classAxis)
    var right = 0
    for index in 0..<lines.count where isRight(predictions, lines[index], lines.label(index, batch))
    {
      right += 1
    }
    hits.add(Double(right), count: lines.count)
  }

  private func isRight(
    _ predictions: Span<Float>, _ line: StrideTo<Int>, _ label: Int
  ) -> Bool {
    var own: Float = .nan
    for (number, place) in line.enumerated() where number == label { own = predictions[place] }
    if own.isNaN { return false }
    var rank = 0
    for (other, place) in line.enumerated() where other != label {
      let value = predictions[place]
      // Written so that a comparison with NaN counts against the label.
      let isLower = other < label ? value < own : value <= own
      if !isLower { rank += 1 }
    }
    return rank < k
  }
}

/// The elements of each line of classes in a row-major array.
struct ClassLines {
  /// How many lines there are.
  let count: Int
  private let classCount: Int
  private let placeCount: Int

  init(_ shape: Shape, axis: Int) {
    classCount = shape[axis]
    placeCount = shape.dimensions[(axis + 1)...].reduce(1, *)
    count = shape.dimensions[..<axis].reduce(1, *) * placeCount
  }

  /// Where the classes of a line lie.
  subscript(line: Int) -> StrideTo<Int> {
    let (block, place) = line.quotientAndRemainder(dividingBy: placeCount)
    let start = block * classCount * placeCount + place
    return stride(from: start, to: start + classCount * placeCount, by: placeCount)
  }

  /// The class that the targets of a batch have for a line: its label, or the first of the most probable.
  func label(_ line: Int, _ batch: ScoredBatch) -> Int {
    guard batch.targets.elementType.isFloat else {
      return batch.targets.withElements(as: Int64.self) { Int($0[line]) }
    }
    return batch.targets.withElements(as: Float.self) { probabilities in
      var best = (number: 0, value: -Float.infinity)
      for (number, place) in self[line].enumerated() where probabilities[place] > best.value {
        best = (number, probabilities[place])
      }
      return best.number
    }
  }
}
