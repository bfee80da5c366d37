import CrestTensor

/// The lines of classes in a row-major array.
struct ClassLines {
  let count: Int
  let classCount: Int
  private let placeCount: Int

  init(_ shape: Shape, axis: Int) {
    classCount = shape[axis]
    placeCount = shape.dimensions[(axis + 1)...].reduce(1, *)
    count = shape.dimensions[..<axis].reduce(1, *) * placeCount
  }

  subscript(number: Int) -> ClassLine {
    let (block, place) = number.quotientAndRemainder(dividingBy: placeCount)
    return ClassLine(
      start: block * classCount * placeCount + place, step: placeCount, classCount: classCount)
  }
}

/// Where the classes lie that one label chooses from.
struct ClassLine {
  let start: Int
  let step: Int
  let classCount: Int

  func place(_ label: Int) -> Int { start + label * step }

  /// The class of the highest prediction, the first of equals; one that is not a number is above all.
  func highest(_ predictions: Span<Float>) -> Int {
    var best = 0
    for other in 1..<max(classCount, 1) {
      if predictions[place(best)].isNaN { return best }
      // Written so that NaN wins.
      if !(predictions[place(other)] <= predictions[place(best)]) { best = other }
    }
    return best
  }

  /// The class that the targets of a batch have for the line, by its number: its label, nil where that is ignored, or
  /// the first of the most probable.
  func label(of batch: ScoredBatch, number: Int) -> Int? {
    guard batch.targets.elementType.isFloat else {
      let label = batch.targets.withElements(as: Int64.self) { Int($0[number]) }
      return label == batch.ignoredLabel ? nil : label
    }
    return batch.targets.withElements(as: Float.self) { probabilities in
      var best = 0
      for other in 1..<max(classCount, 1)
      where probabilities[place(other)] > probabilities[place(best)] { best = other }
      return best
    }
  }
}
