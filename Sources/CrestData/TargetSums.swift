import CrestTensor

/// The axes along which targets sum to 1, which shows where the classes are.
package struct TargetSums {
  /// The axes along which all sums are 1.
  private var exact: Set<Int>
  /// The axes along which all sums are 1, except for lines of zeros, as in padding.
  private var padded: Set<Int>
  /// The axes with a sum of 1.
  private var some: Set<Int> = []
  /// Whether all targets are 0 or 1.
  package private(set) var areBinary = true

  /// Sums of float32 targets are inexact in the last bits.
  private static let tolerance = 1e-3

  private init(among axes: [Int]) {
    exact = Set(axes)
    padded = Set(axes)
  }

  /// The axes along which all sums are 1.
  package var exactAxes: Set<Int> { exact }

  /// The axes along which all sums are 1; if there are none, those along which all are 1 except for
  /// lines of zeros.
  package var axes: Set<Int> { exact.isEmpty ? padded.intersection(some) : exact }

  private mutating func add(_ values: [Double], _ shape: Shape) {
    areBinary = areBinary && values.allSatisfy { $0 == 0 || $0 == 1 }
    for axis in padded {
      let size = shape[axis]
      let inner = shape.dimensions[(axis + 1)...].reduce(1, *)
      for start in stride(from: 0, to: values.count, by: size * inner) {
        for place in start..<start + inner {
          var (sum, isZero) = (0.0, true)
          for index in stride(from: place, to: place + size * inner, by: inner) {
            sum += values[index]
            isZero = isZero && values[index] == 0
          }
          if abs(sum - 1) <= Self.tolerance {
            some.insert(axis)
          } else {
            exact.remove(axis)
            // NaN is not a line of zeros.
            if !isZero { padded.remove(axis) }
          }
        }
        guard padded.contains(axis) else { break }
      }
    }
  }

  /// The sums of the targets of both parts of a set.
  ///
  /// - Parameters:
  ///   - data: The set, whose targets have one more axis in a batch than in an example.
  ///   - axes: Axes of a batch of targets.
  /// - Throws: Whatever the set throws when its examples are read.
  package init(of data: DataSplit, among axes: [Int]) throws {
    self.init(among: axes)
    try add(data.train)
    if data.origin != .trainingExamples { try add(data.valid) }
  }

  private mutating func add(_ dataset: any Dataset) throws {
    let shape = dataset.target.shape
    // Targets in memory can be read without making batches.
    if let stored = dataset.storedNumbers, let targets = stored.allTargets {
      let size = shape.elementCount
      for row in stored.rows ?? Array(0..<dataset.count) where size > 0 && !isDecided {
        add(targets.slice(row..<row + 1, along: 0).doubles, Shape([1] + shape.dimensions))
      }
      return
    }
    for start in stride(from: 0, to: dataset.count, by: 64) where !isDecided {
      let examples = Array(start..<Swift.min(start + 64, dataset.count))
      let batch = try dataset.batch(of: examples[...])
      add(batch.targets.doubles, batch.targets.shape)
    }
  }

  /// Whether no further targets can change the result.
  private var isDecided: Bool { padded.isEmpty && !areBinary }
}

extension Dataset {
  /// The same examples with integer targets of 0 and 1 as probabilities; nil for sets that aren't
  /// stored in tensors.
  package func withTargetProbabilities() -> (any Dataset)? {
    switch self {
    case let examples as TensorExamples: examples.givingProbabilities
    case let part as Subset:
      part.base.withTargetProbabilities().map { Subset($0, indices: part.indices, name: part.name) }
    default: nil
    }
  }
}

extension DataSplit {
  /// The same sets with integer targets as probabilities, if they are one-hot: all are 0 or 1, and
  /// they sum to 1 along one of some axes.
  ///
  /// - Parameter axes: Axes of a batch of targets.
  /// - Returns: The sets; nil if their targets aren't one-hot.
  /// - Throws: Whatever the sets throw when their examples are read.
  package func withOneHotTargets(along axes: [Int]) throws -> DataSplit? {
    guard case .classes(let names, let shape) = train.target, names.count <= 2, !shape.isEmpty
    else {
      return nil
    }
    let sums = try TargetSums(of: self, among: axes)
    guard sums.areBinary, !sums.exactAxes.isEmpty, train.withTargetProbabilities() != nil,
      valid.withTargetProbabilities() != nil
    else { return nil }
    var split = try mapped { (dataset) throws(DataError) in
      guard let result = dataset.withTargetProbabilities() else {
        programmerError("\(dataset.name) gave probabilities before")
      }
      return result
    }
    split.notes.append(.oneHotLabels(name: train.name, shape: shape))
    return split
  }
}
